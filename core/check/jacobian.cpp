#include <unroll/core/check/jacobian.hpp>

#include <unroll/core/grad/backward.hpp>

#include <fmt/format.h>

namespace unroll {

namespace {

Shape joined(const Shape& a, const Shape& b) {
  std::vector<std::int64_t> extents(a.extents().begin(), a.extents().end());
  extents.insert(extents.end(), b.extents().begin(), b.extents().end());
  return Shape(extents);
}

template <class X> Array by_rows(Var y, const X& x, const Shape& shape, const BackwardOptions& sweep) {
  Array result(joined(y.shape(), shape), y.dtype());
  if (!y.node().tracked) return result;
  const std::size_t columns = shape.size();
  for (std::size_t row = 0; row < y.shape().size(); ++row) {
    BackwardOptions options = sweep;
    options.cotangent = Array(y.shape(), y.dtype());
    options.cotangent->set_flat(row, 1);
    const Gradients gradients = backward(y, options);
    if (!gradients.contains(x)) continue;
    const ArrayView gradient = gradients[x];
    for (std::size_t j = 0; j < columns; ++j) result.set_flat(row * columns + j, gradient.flat(j));
  }
  return result;
}

std::int64_t common_rows(const std::vector<Var>& after, const std::vector<Var>& before) {
  if (after.empty() || before.empty()) throw ShapeError("step_jacobian: no state was given after or before the step");
  for (const std::vector<Var>* states : {&after, &before})
    for (const Var& state : *states)
      if (state.shape().rank() != 2 || state.shape()[0] != after[0].shape()[0])
        throw ShapeError(fmt::format("step_jacobian: a state has shape {}, expected ({}, units) as the first{}",
                                     to_string(state.shape()), after[0].shape().rank() > 0 ? after[0].shape()[0] : 0,
                                     "  " + state.tape().where(state.id())));
  return after[0].shape()[0];
}

std::int64_t units(const std::vector<Var>& states) {
  std::int64_t sum = 0;
  for (const Var& state : states) sum += state.shape()[1];
  return sum;
}

}  // namespace

Array jacobian(Var y, Var x, const std::vector<Var>& held) {
  return by_rows(y, x, x.shape(), {.also = {x}, .until = held});
}

Array jacobian(Var y, const Parameter& x, const std::vector<Var>& held) {
  return by_rows(y, x, x.shape(), {.until = held});
}

Array step_jacobian(const std::vector<Var>& after, const std::vector<Var>& before, const std::vector<Var>& held) {
  const std::int64_t batch = common_rows(after, before), rows = units(after), columns = units(before);
  Array result({batch, rows, columns}, after[0].dtype());
  BackwardOptions options{.until = before};
  options.until.insert(options.until.end(), held.begin(), held.end());
  std::int64_t first_row = 0;
  for (const Var& y : after) {
    const std::int64_t n = y.shape()[1];
    for (std::int64_t i = 0; y.node().tracked && i < n; ++i) {
      options.cotangent = Array(y.shape(), y.dtype());  // row i for all sequences at once
      for (std::int64_t b = 0; b < batch; ++b) options.cotangent->set_flat(static_cast<std::size_t>(b * n + i), 1);
      const Gradients gradients = backward(y, options);
      std::int64_t first_column = 0;
      for (const Var& x : before) {
        const std::int64_t m = x.shape()[1];
        if (gradients.contains(x))
          for (std::int64_t b = 0; b < batch; ++b)
            for (std::int64_t j = 0; j < m; ++j)
              result.set_flat(static_cast<std::size_t>((b * rows + first_row + i) * columns + first_column + j),
                              gradients[x].at({b, j}));
        first_column += m;
      }
    }
    first_row += n;
  }
  return result;
}

}  // namespace unroll
