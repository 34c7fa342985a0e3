#include <unroll/core/check/objective.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <cmath>
#include <cstring>

#include <fmt/format.h>

namespace unroll::detail {

Array random_like(const Shape& shape, DType dtype, Generator& generator) {
  Array array(shape, dtype);
  for (std::size_t i = 0; i < array.size(); ++i) array.set_flat(i, generator.normal());
  return array;
}

double cost(const Tape& tape) {
  constexpr double of_a_node = 200;
  double total = 0;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (!tape[id].op->is_leaf()) total += of_a_node + static_cast<double>(tape[id].value.size());
  return total;
}

Objective::Recorded Objective::record_result(Tape& tape) {
  Generator generator(options_.seed);  // the same cotangent and direction at every evaluation
  const Var y = program_.record(tape);
  if (&y.tape() != &tape) throw TapeError("gradcheck: the program must record on the tape it is given");
  const Array u =
      y.shape().size() == 1 ? Array::filled(y.shape(), 1, y.dtype()) : random_like(y.shape(), y.dtype(), generator);
  if (options_.order == 1) return {y, u};
  const Var loss = sum(y * tape.constant(u));
  std::vector<Var> directional{tape.constant(Array({1}, y.dtype()))};
  if (loss.node().tracked) {
    const Gradients first = backward(loss, {.create_graph = true});
    for (const CheckedLeaf& leaf : program_.leaves) {
      const Array direction = random_like(leaf.parameter.shape(), leaf.parameter.dtype(), generator);
      if (!first.contains(leaf.parameter)) continue;
      const Var term = first.var(tape.use(leaf.parameter)) * tape.constant(direction);
      directional.push_back(reshape(term, {static_cast<std::int64_t>(term.shape().size())}));
    }
  }
  const Var result = concat(directional, 0);
  return {result, Array::filled(result.shape(), 1, y.dtype()), product(y.value().as(DType::f64), u).scale};
}

Var Objective::record(Tape& tape) {
  const Recorded recorded = record_result(tape);
  if (recorded.result.shape().size() == 1) return sum(recorded.result);
  return sum(recorded.result * tape.constant(recorded.cotangent));
}

std::vector<double> Objective::terms() {
  tape_.clear();
  const Recorded recorded = record_result(tape_);
  const ArrayView y = recorded.result.value();
  std::vector<double> terms(y.size());
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = recorded.cotangent.flat(i) * y.flat(i);
  return terms;
}

Objective::Size Objective::size() {
  tape_.clear();
  const Recorded recorded = record_result(tape_);
  return {product(recorded.result.value().as(DType::f64), recorded.cotangent).scale, recorded.beneath, cost(tape_)};
}

std::vector<Array> Objective::gradients() {
  tape_.clear();
  if (options_.gradients) {
    const std::vector<Array> given = options_.gradients(record_result(tape_).cotangent);
    if (given.size() != leaves().size())
      throw Error(
          fmt::format("gradcheck: option gradients gave {} arrays for {} leaves", given.size(), leaves().size()));
    std::vector<Array> result;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Parameter& p = leaves()[i].parameter;
      if (given[i].shape() != p.shape())
        throw ShapeError(fmt::format("gradcheck: option gradients gave shape {} for {}, expected {}",
                                     to_string(given[i].shape()), p.name(), to_string(p.shape())));
      result.push_back(given[i].as(DType::f64));
    }
    return result;
  }
  const Var objective = record(tape_);
  std::optional<Gradients> computed;
  if (objective.node().tracked) computed = backward(objective);
  std::vector<Array> result;
  for (const CheckedLeaf& leaf : leaves()) {
    const Parameter& p = leaf.parameter;
    result.push_back(computed && computed->contains(p) ? (*computed)[p].as(DType::f64) : Array(p.shape(), DType::f64));
  }
  return result;
}

std::vector<bool> Objective::uses() {
  tape_.clear();
  record(tape_);
  std::vector<bool> used;
  for (const CheckedLeaf& leaf : leaves()) used.push_back(tape_.find(leaf.parameter) != no_node);
  return used;
}

Objective::Directional Objective::forward(std::size_t leaf, const Array& direction) {
  tape_.clear();
  const Recorded recorded = record_result(tape_);
  const Parameter& p = leaves()[leaf].parameter;
  if (tape_.find(p) == no_node) return {};
  const Var moved = jvp(recorded.result, {{tape_.use(p), direction.as(p.dtype())}});
  return product(moved.value().as(DType::f64), recorded.cotangent);
}

Objective::Directional Objective::product(const Array& gradient, const Array& direction) {
  Directional result;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double term = gradient.flat(i) * direction.flat(i);
    result.value += term;
    result.scale += std::abs(term);
  }
  return result;
}

void MovedLeaf::move(const Array& direction, double offset) {
  Array& value = parameter_.mutable_value();
  for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, before_.flat(i) + offset * direction.flat(i));
}

void MovedLeaf::restore() {
  Array& value = parameter_.mutable_value();
  if (value.size() > 0) std::memcpy(value.data(), before_.data(), value.size() * size_of(value.dtype()));
}

}  // namespace unroll::detail
