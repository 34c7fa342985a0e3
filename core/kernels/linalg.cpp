#include <unroll/core/array/xtensor.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <unroll/core/kernels/loops.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include <xtensor-blas/xlinalg.hpp>

#include <fmt/format.h>

// OpenBLAS has this function, other BLAS libraries do not.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace unroll::kernels {

namespace {

// A matrix as BLAS takes it: row-major with a leading dimension, or the transpose of such a one.
struct Matrix {
  bool transposed;
  int leading;
};

// BLAS needs one of the two steps to be 1 and the other to reach over a whole row. The step along an axis of extent 1 does not matter.
std::optional<Matrix> as_blas(std::int64_t rows, std::int64_t columns, std::int64_t row_step,
                              std::int64_t column_step) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();  // BLAS counts in int
  if (row_step > most || column_step > most) return std::nullopt;
  if ((column_step == 1 || columns == 1) && (row_step >= columns || rows == 1))
    return Matrix{false, static_cast<int>(rows == 1 ? std::max<std::int64_t>(columns, 1) : row_step)};
  if ((row_step == 1 || rows == 1) && (column_step >= rows || columns == 1))
    return Matrix{true, static_cast<int>(columns == 1 ? std::max<std::int64_t>(rows, 1) : column_step)};
  return std::nullopt;
}

// An operand ready for BLAS, copied only if its steps are of neither form.
class MatrixOperand {
 public:
  explicit MatrixOperand(const ArrayView& view) : view_(&view) {
    if (describe()) return;
    view_ = &copy_.emplace(view.copy()).view();
    describe();
  }

  const ArrayView& view() const { return *view_; }
  const Matrix& matrix() const { return matrix_; }

 private:
  bool describe() {
    const std::size_t r = view_->rank();
    const auto found = as_blas(view_->shape[r - 2], view_->shape[r - 1], view_->stride(r - 2), view_->stride(r - 1));
    if (found) matrix_ = *found;
    return found.has_value();
  }

  const ArrayView* view_;
  std::optional<Array> copy_;
  Matrix matrix_{};
};

Shape batch_shape(const Shape& shape) { return Shape(shape.extents().first(shape.rank() - 2)); }

template <class T>
void multiply(const MatrixOperand& a, const MatrixOperand& b, const Shape& shape, T* out, bool accumulate) {
  const std::size_t r = shape.rank();
  const auto m = static_cast<int>(shape[r - 2]), n = static_cast<int>(shape[r - 1]);
  const auto k = static_cast<int>(a.view().shape[a.view().rank() - 1]);
  const auto product = [&](const T* x, const T* y, T* z) {
    const auto flag = [](const Matrix& matrix) { return matrix.transposed ? cxxblas::Trans : cxxblas::NoTrans; };
    cxxblas::gemm<int>(cxxblas::RowMajor, flag(a.matrix()), flag(b.matrix()), m, n, k, T(1), x, a.matrix().leading, y,
                       b.matrix().leading, accumulate ? T(1) : T(0), z, n);
  };
  const auto* x = static_cast<const T*>(a.view().data);
  const auto* y = static_cast<const T*>(b.view().data);
  if (r == 2) return product(x, y, out);

  const Shape batch = batch_shape(shape), batch_a = batch_shape(a.view().shape), batch_b = batch_shape(b.view().shape);
  Operand operands[] = {a.view(), b.view(), {out, batch}};
  const auto steps = [](const ArrayView& view) {
    std::vector<std::int64_t> strides(view.rank());
    for (std::size_t axis = 0; axis < strides.size(); ++axis) strides[axis] = view.stride(axis);
    return strides;
  };
  const auto steps_a = steps(a.view()), steps_b = steps(b.view());
  operands[0].shape = &batch_a;
  operands[0].strides = steps_a.data();
  operands[1].shape = &batch_b;
  operands[1].strides = steps_b.data();
  const Nest nest(batch, operands);
  nest.for_each_row([&](const auto& offset) {
    for (std::int64_t i = 0; i < nest.extent[0]; ++i)
      product(x + offset[0] + i * nest.stride[0][0], y + offset[1] + i * nest.stride[1][0],
              out + (offset[2] + i * nest.stride[2][0]) * static_cast<std::int64_t>(m) * n);
  });
}

// A matrix of finite numbers in float64: LAPACK may never come to an end with others.
xt::xtensor<double, 2> finite_matrix(const char* what, const ArrayView& matrix, bool square) {
  if (matrix.rank() != 2 || (square && matrix.shape[0] != matrix.shape[1]))
    throw ShapeError(
        fmt::format("{}: {}: expected a {}matrix", what, to_string(matrix.shape), square ? "square " : ""));
  const Array copy = matrix.as(DType::f64);
  const auto elements = copy.span<double>();
  if (!std::all_of(elements.begin(), elements.end(), [](double x) { return std::isfinite(x); }))
    throw Error(fmt::format("{}: {}: an element is not finite", what, to_string(matrix.shape)));
  return as_xtensor<double, 2>(copy);
}

// Calls LAPACK; where it finds no answer, xtensor-blas throws a plain runtime_error.
template <class Call> auto answer_of(const char* what, const ArrayView& matrix, const Call& call) {
  try {
    return call();
  } catch (const std::runtime_error& e) {
    throw Error(fmt::format("{}: {}: LAPACK found no answer ({})", what, to_string(matrix.shape), e.what()));
  }
}

}  // namespace

void matmul(const ArrayView& a, const ArrayView& b, const Shape& shape, void* out, bool accumulate) {
  for (const Shape* operand : {&a.shape, &b.shape})
    for (std::int64_t extent : operand->extents().last(2))
      if (extent > std::numeric_limits<int>::max())
        throw ShapeError(fmt::format("matmul: {} x {}: BLAS takes at most 2^31 - 1 rows or columns", to_string(a.shape),
                                     to_string(b.shape)));
  if (shape.size() == 0) return;
  if (a.shape[a.rank() - 1] == 0) {  // an empty sum
    if (!accumulate) std::fill_n(static_cast<std::byte*>(out), shape.size() * size_of(a.dtype), std::byte{0});
    return;
  }
  const MatrixOperand x(a), y(b);
  if (a.dtype == DType::f32)
    multiply(x, y, shape, static_cast<float*>(out), accumulate);
  else
    multiply(x, y, shape, static_cast<double*>(out), accumulate);
}

void set_blas_threads(int threads) {
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

Array orthogonal_factor(const Array& matrix) {
  if (matrix.rank() != 2 || matrix.shape()[0] < matrix.shape()[1])
    throw ShapeError(fmt::format("orthogonal_factor: {}: expected a matrix with at least as many rows as columns",
                                 to_string(matrix.shape())));
  const xt::xtensor<double, 2> a = as_xtensor<double, 2>(matrix);
  auto [q, r] = xt::linalg::qr(a);
  Array result(matrix.shape(), DType::f64);
  const auto columns = static_cast<std::size_t>(matrix.shape()[1]);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::size_t row = i / columns, column = i % columns;
    result.set_flat(i, r(column, column) < 0 ? -q(row, column) : q(row, column));
  }
  return result;
}

std::vector<double> singular_values(const ArrayView& matrix) {
  const xt::xtensor<double, 2> a = finite_matrix("singular_values", matrix, false);
  if (a.size() == 0) return {};
  const auto parts = answer_of("singular_values", matrix, [&] { return xt::linalg::svd(a, false, false); });
  const auto& values = std::get<1>(parts);
  return {values.begin(), values.end()};
}

double spectral_radius(const ArrayView& matrix) {
  const xt::xtensor<double, 2> a = finite_matrix("spectral_radius", matrix, true);
  double largest = 0;
  if (a.size() == 0) return largest;
  const auto values = answer_of("spectral_radius", matrix, [&] { return xt::linalg::eigvals(a); });
  for (const auto& value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace unroll::kernels
