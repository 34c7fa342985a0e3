#include "floor.hpp"

#include <cblas.h>

#include <new>
#include <vector>

namespace unroll::bench {
namespace {

// Vectors on cache line boundaries, as a tuned implementation would have them.
template <class T> struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  CacheLineAllocator() = default;
  template <class U> explicit(false) CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, alignment); }
  bool operator==(const CacheLineAllocator&) const = default;
};
using Buffer = std::vector<float, CacheLineAllocator<float>>;

Buffer aligned(const std::vector<float>& values) { return {values.begin(), values.end()}; }

class Floor final : public Contestant {
 public:
  explicit Floor(const Problem& problem)
      : batch_(static_cast<int>(problem.size.batch)),
        input_(static_cast<int>(problem.size.input)),
        hidden_(static_cast<int>(problem.size.hidden)),
        steps_(static_cast<int>(problem.size.steps)),
        x_(aligned(problem.x)),
        h_(aligned(problem.target)),  // any numbers will do: a product's time is in its shape
        w_x_(aligned(problem.w_x)),
        w_h_(aligned(problem.w_h)),
        w_h_transposed_(w_h_.size()),
        z_(problem.size.steps * problem.size.batch * 4 * problem.size.hidden),
        dz_(z_.size(), 1e-3F),
        dh_(problem.size.batch * problem.size.hidden),
        dw_x_(w_x_.size()),
        dw_h_(w_h_.size()) {
    const std::size_t gates = 4 * problem.size.hidden;
    for (std::size_t k = 0; k < problem.size.hidden; ++k)
      for (std::size_t j = 0; j < gates; ++j) w_h_transposed_[j * problem.size.hidden + k] = w_h_[k * gates + j];
  }

  void step() override {
    const int gates = 4 * hidden_;
    const int rows = steps_ * batch_;

    // Forward: the input projection of all steps at once, then the recurrent product of each.
    product(CblasNoTrans, rows, gates, input_, x_.data(), w_x_.data(), 0, z_.data());
    for (int t = 0; t < steps_; ++t)
      product(CblasNoTrans, batch_, gates, hidden_, at(h_, t, hidden_), w_h_.data(), 1, at(z_, t, gates));

    // Backward: the adjoint of h of each step, then each weight gradient in one deep product.
    // Multiplying by a transposed copy of W_h is as fast as the flag `Trans` or faster, and the
    // copy is made once for T products, so the faster one is the floor.
    for (int t = steps_; t-- > 0;)
      product(CblasNoTrans, batch_, hidden_, gates, at(dz_, t, gates), w_h_transposed_.data(), 0, dh_.data());
    product(CblasTrans, hidden_, gates, rows, h_.data(), dz_.data(), 0, dw_h_.data());
    product(CblasTrans, input_, gates, rows, x_.data(), dz_.data(), 0, dw_x_.data());
  }

 private:
  // c (m, n) = op(a) (m, k) times b (k, n), plus beta times c.
  static void product(CBLAS_TRANSPOSE op, int m, int n, int k, const float* a, const float* b, float beta, float* c) {
    const int row_of_a = op == CblasNoTrans ? k : m;
    cblas_sgemm(CblasRowMajor, op, CblasNoTrans, m, n, k, 1, a, row_of_a, b, n, beta, c, n);
  }

  float* at(Buffer& buffer, int t, int width) const {
    return buffer.data() + static_cast<std::size_t>(t) * static_cast<std::size_t>(batch_ * width);
  }

  int batch_, input_, hidden_, steps_;
  Buffer x_, h_, w_x_, w_h_, w_h_transposed_, z_, dz_, dh_, dw_x_, dw_h_;
};

}  // namespace

std::unique_ptr<Contestant> make_floor(const Problem& problem) { return std::make_unique<Floor>(problem); }

}  // namespace unroll::bench
