#include <unroll/core/render/operation_table.hpp>

#include <unroll/core/ops/define.hpp>
#include <unroll/core/render/listing.hpp>
#include <unroll/core/tape/tape.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace unroll {

Symbol formula(const Op& op, std::span<const Symbol> operands, const Attributes& attributes) {
  if (op.is_pointwise()) return op.pointwise.formula(operands, attributes.reals.data());
  if (op.formula) return op.formula(operands, attributes);
  std::string list;
  for (const Symbol& operand : operands) list += (list.empty() ? "" : ", ") + operand.text;
  for (std::int64_t value : attributes.ints) list += fmt::format(", {}", value);
  for (double value : attributes.reals) list += fmt::format(", {:.6g}", value);
  return call(op.name, Symbol{list});
}

namespace {

// An operation by itself, with the attributes and shapes of its first sample.
class Example {
 public:
  explicit Example(const Op& op) : op_(op) {
    if (!op.samples) return;
    const std::vector<Sample> samples = op.samples();
    if (samples.empty()) return;
    std::vector<Var> operands;
    for (const Array& operand : samples[0].operands) operands.push_back(tape_.input(operand));
    samples[0].call(operands);
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (tape_[id].op == &op) node_ = id;
  }

  std::size_t inputs() const {
    return node_ == no_node ? static_cast<std::size_t>(std::max(op_.arity, 1)) : tape_.inputs(node_).size();
  }

  std::vector<Symbol> operands() const {
    std::vector<Symbol> result;
    for (std::size_t i = 0; i < inputs(); ++i) {
      const Shape* shape = node_ == no_node ? nullptr : &tape_[tape_.inputs(node_)[i]].value.shape;
      result.push_back({operand_name(i), Symbol::atom, shape});
    }
    return result;
  }

  Attributes attributes() const { return node_ == no_node ? Attributes{} : tape_[node_].attributes; }

  std::string operand_name(std::size_t i) const {
    return inputs() == 1 ? "x" : std::string(1, static_cast<char>('a' + static_cast<char>(i)));
  }

  std::string derivative(std::size_t i) const {
    if (!op_.differentiable()) return "none";
    if (!op_.is_pointwise()) return "by operations";
    return op_.pointwise.derivative_formula(i, operands(), Symbol{"y"}, attributes().reals.data()).text;
  }

 private:
  const Op& op_;
  Tape tape_;
  NodeId node_ = no_node;
};

}  // namespace

std::string derivative_text(const Op& op, std::size_t input) {
  const Example example(op);
  if (input >= example.inputs())
    throw Error(
        fmt::format("derivative_text: {} has {} inputs, so none with index {}", op.name, example.inputs(), input));
  return example.derivative(input);
}

std::string operation_table() {
  std::vector<const Op*> ops(all_ops().begin(), all_ops().end());
  std::sort(ops.begin(), ops.end(), [](const Op* a, const Op* b) { return a->name < b->name; });
  std::vector<std::string> cells{"operation", "inputs", "formula", "derivative (y is the result)"};
  const std::size_t columns = cells.size();
  for (const Op* op : ops) {
    const Example example(*op);
    std::string derivatives = example.derivative(0);
    if (op->is_pointwise() && op->differentiable() && example.inputs() > 1) {
      derivatives.clear();
      for (std::size_t i = 0; i < example.inputs(); ++i)
        derivatives += fmt::format("{}by {}: {}", i ? ", " : "", example.operand_name(i), example.derivative(i));
    }
    cells.insert(cells.end(), {std::string(op->name), op->arity == any_number ? "any" : fmt::format("{}", op->arity),
                               formula(*op, example.operands(), example.attributes()).text, derivatives});
  }
  return aligned_columns(cells, columns);
}

}  // namespace unroll
