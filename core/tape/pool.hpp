#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace unroll {

// Buffers for adjoints: taken one by one, given back one by one, and used again for the next of the same size class. It is
// shared by a tape and the gradients that came from it, which may outlive the tape.
class Pool {
 public:
  Pool() : free_(64) {}
  ~Pool() {
    for (auto& list : free_)
      for (void* memory : list) ::operator delete(memory, alignment);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // At least `bytes` bytes, aligned to a cache line.
  void* take(std::size_t bytes) {
    const std::size_t c = size_class(bytes);
    auto& list = free_[c];
    if (list.empty()) {
      reserved_ += std::size_t{64} << c;
      return ::operator new (std::size_t{64} << c, alignment);
    }
    void* memory = list.back();
    list.pop_back();
    return memory;
  }
  // Gives back what take() gave for so many bytes.
  void give(void* memory, std::size_t bytes) { free_[size_class(bytes)].push_back(memory); }

  // What is held from the system, in bytes.
  std::size_t reserved() const { return reserved_; }

 private:
  static constexpr std::align_val_t alignment{64};

  // Powers of two from one cache line upwards.
  static std::size_t size_class(std::size_t bytes) {
    return bytes <= 64 ? 0 : static_cast<std::size_t>(std::bit_width((bytes - 1) / 64));
  }

  std::vector<std::vector<void*>> free_;
  std::size_t reserved_ = 0;
};

}  // namespace unroll
