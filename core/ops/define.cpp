#include <unroll/core/ops/define.hpp>

#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/ops/pointwise.hpp>

#include <cmath>
#include <deque>

namespace unroll {

namespace {

struct Registry {
  std::deque<Op> ops;  // references stay valid as it grows
  std::vector<const Op*> list;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

const Op& define(Op op) {
  Registry& r = registry();
  r.list.push_back(&r.ops.emplace_back(std::move(op)));
  return *r.list.back();
}

std::span<const Op* const> all_ops() {
  // Naming something of each family keeps a linker from leaving a family out that a program does not call.
  for (const auto& family : families) (void)family();
  return registry().list;
}

Shape broadcast_shape(const Call& call) {
  Shape shape = call.shape(0);
  for (std::size_t i = 1; i < call.inputs.size(); ++i)
    if (call.shape(i) != shape) shape = broadcast(shape, call.shape(i));
  return shape;
}

Array spread(Shape shape, double low, double high, int variant) {
  Array array(std::move(shape), DType::f64);
  // multiples of the golden ratio modulo 1: never close to each other, and to the bounds only slowly
  for (std::size_t i = 0; i < array.size(); ++i) {
    const double position = std::fmod((static_cast<double>(i) + 1 + 0.37 * variant) * 0.6180339887498949, 1.0);
    array.set_flat(i, low + (high - low) * position);
  }
  return array;
}

std::vector<Sample> unary_samples(Var (*f)(Var), double low, double high) {
  const auto call = [f](std::span<const Var> x) { return f(x[0]); };
  return {{{spread({2, 3}, low, high)}, call},
          {{spread({}, low, high, 1)}, call},
          {{spread({2, 1, 4}, low, high, 2)}, call}};
}

std::vector<Sample> binary_samples(Var (*f)(Var, Var), double low_a, double high_a, double low_b, double high_b) {
  const auto call = [f](std::span<const Var> x) { return f(x[0], x[1]); };
  const auto sample = [&](Shape a, Shape b) {
    return Sample{{spread(a, low_a, high_a), spread(b, low_b, high_b, 1)}, call};
  };
  return {sample({2, 3}, {2, 3}), sample({2, 3}, {3}), sample({2, 1}, {1, 3}), sample({}, {2, 2}),
          sample({3, 1, 2}, {4, 1})};
}

Var tangent_or_zeros(const Jvp& j, std::size_t i) {
  if (!j.t[i].empty()) return j.t[i];
  return j.x[i].tape().constant(Array(j.x[i].shape(), j.x[i].dtype()));
}

Var linear_jvp(const Jvp& j) {
  std::vector<Var> tangents(j.x.size());
  for (std::size_t i = 0; i < tangents.size(); ++i) tangents[i] = tangent_or_zeros(j, i);
  return apply(j.op, tangents, j.attributes);
}

}  // namespace unroll
