#include <unroll/core/kernels/elementwise.hpp>

#include <unroll/core/kernels/loops.hpp>

#include <algorithm>
#include <cstring>

namespace unroll::kernels {

namespace {

template <class T> void gather_row(T* __restrict to, const T* __restrict from, std::size_t n, std::int64_t stride) {
  if (stride == 0)
    std::fill_n(to, n, *from);
  else
    for (std::size_t i = 0; i < n; ++i) to[i] = from[static_cast<std::int64_t>(i) * stride];
}

// Contiguous elements at `from` with the given stride: `from` itself where it is contiguous, else a copy in `buffer`.
const void* contiguous_row(const std::byte* from, std::size_t n, std::int64_t stride, DType dtype, void* buffer) {
  if (stride == 1) return from;
  if (dtype == DType::f32)
    gather_row(static_cast<float*>(buffer), reinterpret_cast<const float*>(from), n, stride);
  else
    gather_row(static_cast<double*>(buffer), reinterpret_cast<const double*>(from), n, stride);
  return buffer;
}

using Buffer = std::byte[tile * sizeof(double)];

// Calls piece(pointers, n) for contiguous pieces of all operands; the last `written` operands are contiguous by contract.
template <class Piece>
void for_each_piece(const Shape& shape, std::span<const Operand> operands, DType dtype, Piece&& piece) {
  const Nest nest(shape, operands);
  const auto bytes = static_cast<std::int64_t>(size_of(dtype));
  const auto n = static_cast<std::size_t>(nest.extent[0]);
  bool rows_contiguous = true;
  for (std::size_t i = 0; i < operands.size(); ++i) rows_contiguous &= nest.stride[i][0] == 1;
  alignas(64) Buffer buffer[max_operands];
  const void* pointers[max_operands];
  nest.for_each_row([&](const auto& offset) {
    if (rows_contiguous) {
      for (std::size_t i = 0; i < operands.size(); ++i) pointers[i] = operands[i].data + offset[i] * bytes;
      piece(pointers, n);
      return;
    }
    for (std::size_t begin = 0; begin < n; begin += tile) {
      const std::size_t count = std::min(tile, n - begin);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const std::int64_t stride = nest.stride[i][0];
        const std::byte* from = operands[i].data + (offset[i] + static_cast<std::int64_t>(begin) * stride) * bytes;
        pointers[i] = contiguous_row(from, count, stride, dtype, buffer[i]);
      }
      piece(pointers, count);
    }
  });
}

bool plain(std::span<const ArrayView* const> inputs, const Shape& shape) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [&](const ArrayView* v) { return v->contiguous() && v->shape == shape; });
}

template <class T> void add_row(T* __restrict out, const T* __restrict from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] += from[i];
}

void store_row(void* out, const void* from, std::size_t n, DType dtype, bool accumulate) {
  if (!accumulate)
    std::memcpy(out, from, n * size_of(dtype));
  else if (dtype == DType::f32)
    add_row(static_cast<float*>(out), static_cast<const float*>(from), n);
  else
    add_row(static_cast<double*>(out), static_cast<const double*>(from), n);
}

}  // namespace

void forward(ForwardBlock f, std::span<const ArrayView* const> inputs, const Shape& shape, DType dtype, void* out,
             const double* parameters) {
  if (plain(inputs, shape)) {
    const void* pointers[max_operands];
    for (std::size_t i = 0; i < inputs.size(); ++i) pointers[i] = inputs[i]->data;
    f(pointers, out, shape.size(), parameters);
    return;
  }
  Operand operands[max_operands];
  for (std::size_t i = 0; i < inputs.size(); ++i) operands[i] = *inputs[i];
  operands[inputs.size()] = {out, shape};
  for_each_piece(shape, {operands, inputs.size() + 1}, dtype, [&](const void* const* p, std::size_t n) {
    f(p, const_cast<void*>(p[inputs.size()]), n, parameters);
  });
}

void derivative(DerivativeBlock f, const void* g, std::span<const ArrayView* const> inputs, const ArrayView& y,
                const Shape& shape, DType dtype, void* out, const double* parameters, bool accumulate) {
  if (plain(inputs, shape)) {
    const void* pointers[max_operands];
    for (std::size_t i = 0; i < inputs.size(); ++i) pointers[i] = inputs[i]->data;
    f(g, pointers, y.data, out, shape.size(), parameters, accumulate);
    return;
  }
  const std::size_t k = inputs.size();
  Operand operands[max_operands];
  for (std::size_t i = 0; i < k; ++i) operands[i] = *inputs[i];
  operands[k] = {const_cast<void*>(g), shape};
  operands[k + 1] = y;
  operands[k + 2] = {out, shape};
  for_each_piece(shape, {operands, k + 3}, dtype, [&](const void* const* p, std::size_t n) {
    f(p[k], p, p[k + 1], const_cast<void*>(p[k + 2]), n, parameters, accumulate);
  });
}

void copy(const ArrayView& from, const Shape& shape, void* out, bool accumulate) {
  if (from.contiguous() && from.shape == shape) return store_row(out, from.data, shape.size(), from.dtype, accumulate);
  const Operand operands[] = {from, {out, shape}};
  for_each_piece(shape, operands, from.dtype, [&](const void* const* p, std::size_t n) {
    store_row(const_cast<void*>(p[1]), p[0], n, from.dtype, accumulate);
  });
}

void copy_into(const ArrayView& from, void* target, const std::int64_t* strides, bool accumulate) {
  Operand operands[] = {from, {target, from.shape}};
  operands[1].strides = strides;
  const Nest nest(from.shape, operands);
  const auto n = static_cast<std::size_t>(nest.extent[0]);
  dispatch(from.dtype, [&](auto zero) {
    using T = decltype(zero);
    nest.for_each_row([&](const auto& offset) {
      const T* in = static_cast<const T*>(from.data) + offset[0];
      T* out = static_cast<T*>(target) + offset[1];
      const std::int64_t from_step = nest.stride[0][0], to_step = nest.stride[1][0];
      if (from_step == 1 && to_step == 1) return store_row(out, in, n, from.dtype, accumulate);
      for (std::size_t i = 0; i < n; ++i) {
        T& to = out[static_cast<std::int64_t>(i) * to_step];
        const T value = in[static_cast<std::int64_t>(i) * from_step];
        to = accumulate ? to + value : value;
      }
    });
  });
}

void fill(void* out, std::size_t n, DType dtype, double value) {
  dispatch(dtype,
           [&](auto zero) { std::fill_n(static_cast<decltype(zero)*>(out), n, static_cast<decltype(zero)>(value)); });
}

void scale(void* out, std::size_t n, DType dtype, double factor) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* data = static_cast<T*>(out);
    for (std::size_t i = 0; i < n; ++i) data[i] *= static_cast<T>(factor);
  });
}

}  // namespace unroll::kernels
