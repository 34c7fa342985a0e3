#pragma once

#include <unroll/core/kernels/elementwise.hpp>
#include <unroll/core/tape/arena.hpp>
#include <unroll/core/tape/node.hpp>
#include <unroll/core/tape/symbol.hpp>
#include <unroll/core/tape/var.hpp>

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What an operation is (Op), and the one gate through which every operation is recorded (apply).
namespace unroll {

// The operands of one application, as the shape rule and the kernels see them.
struct Call {
  std::span<const ArrayView* const> inputs;  // the values of the operands
  const Attributes& attributes;              // the constants of the operation

  // Of operand i.
  const Shape& shape(std::size_t i) const { return inputs[i]->shape; }
  // Constant i of Attributes::ints.
  std::int64_t integer(std::size_t i) const { return attributes.ints[i]; }
  // Constant i of Attributes::reals.
  double real(std::size_t i) const { return attributes.reals[i]; }
};

// The reverse rule of an operation at work: y = f(x...), and g is the adjoint of y. The rule gives to every input that needs it
// g times the derivative of y by that input, written in operations. An adjoint that has the shape of y where the input was broadcast
// is summed down by the sweep.
class Vjp {
 public:
  virtual ~Vjp() = default;
  // Whether the gradient of input i is wanted at all.
  virtual bool needs(std::size_t i) const = 0;
  // Adds to the adjoint of input i.
  virtual void give(std::size_t i, Var contribution) = 0;

  Var g, y;                // the adjoint of the result, and the result
  std::span<const Var> x;  // the inputs
  Attributes attributes;   // the constants of the operation
};

// The forward rule at work: t[i] is the tangent of input i (an empty Var where it is zero).
struct Jvp {
  Var y;                      // the result
  std::span<const Var> x, t;  // the inputs, and their tangents
  Attributes attributes;      // the constants of the operation
  const Op& op;               // the operation itself
};

// One way to call an operation, with operands that suit it: what the contract test and the gradient checks run. The operands
// are float64; those listed in `constants` have no gradient.
struct Sample {
  std::vector<Array> operands;                    // float64
  std::function<Var(std::span<const Var>)> call;  // records the operation
  std::vector<std::size_t> constants = {};        // positions of the operands without a gradient
};

// A pointwise operation: element i of the output is f of the elements i of the inputs, after broadcasting. Made by `pointwise` from
// generic lambdas (core/ops/pointwise.hpp); everything here is an instantiation of those.
struct Pointwise {
  kernels::ForwardBlock forward[2] = {};           // [dtype]
  kernels::DerivativeBlock derivative[3][2] = {};  // [input][dtype]
  // g times the derivative by input i, recorded as operations.
  Var (*recorded)(std::size_t i, Var g, std::span<const Var> x, Var y, const double* parameters) = nullptr;
  // The formula and its derivatives as text.
  Symbol (*formula)(std::span<const Symbol> x, const double* parameters) = nullptr;
  Symbol (*derivative_formula)(std::size_t i, std::span<const Symbol> x, const Symbol& y,
                               const double* parameters) = nullptr;
};

inline constexpr int any_number = -1;  // an arity: at least one

// Everything about one operation. Definitions stand in core/ops, one place for each.
// See docs/adding-an-operation.md.
struct Op {
  std::string_view name;  // as listings say it
  int arity = 1;          // number of inputs, or any_number (at least one)

  // The shape of the result. Throws ShapeError with the reason; apply() adds operation, shapes and place.
  Shape (*shape)(const Call&) = nullptr;

  // One of three ways to compute. A pointwise formula:
  Pointwise pointwise = {};
  // a kernel that stores or adds its row-major result:
  void (*forward)(const Call&, const Shape& shape, void* out, bool accumulate) = nullptr;
  bool only_stores = false;  // the kernel ignores `accumulate`: evaluate() adds its result
  // or another look at the elements of the first input, without a copy: sets data and strides, or returns false where that is
  // impossible (then `forward` copies, which operations whose view always exists go without).
  bool (*view)(const Call&, ArrayView& out, Arena& arena) = nullptr;

  // The derivative in reverse: pointwise operations have it in `pointwise`, the others write it in operations. Without any, the operation is
  // constant to the sweeps.
  void (*vjp)(Vjp&) = nullptr;
  // The derivative forward: gives the tangent of the result.
  Var (*jvp)(const Jvp&) = nullptr;

  // Or neither: the node stands for a part of the program that was not kept (checkpoint). This records the part again and gives its results, of which
  // the node's value is the concatenation; the sweeps go through what was recorded.
  std::vector<Var> (*replay)(Tape& tape, NodeId id) = nullptr;

  // The operation as mathematics; by default name(inputs, attributes). `inputs` holds their texts.
  Symbol (*formula)(std::span<const Symbol> inputs, const Attributes&) = nullptr;

  // Calls that the tests run.
  std::vector<Sample> (*samples)() = nullptr;
  // Calls that must be refused.
  std::vector<Sample> (*refused)() = nullptr;

  // Whether it has a formula in `pointwise`.
  bool is_pointwise() const { return pointwise.forward[0] != nullptr; }
  // Whether it has no operands: inputs, constants, parameters.
  bool is_leaf() const { return arity == 0; }
  // Whether anything flows back through it.
  bool differentiable() const {
    return is_pointwise() ? pointwise.recorded != nullptr : vjp != nullptr || replay != nullptr;
  }
};

// Records one operation: finds the tape through the operands, checks that they belong together (TapeError, DTypeError), asks
// the shape rule (ShapeError), appends the node with its place, and evaluates it.
Var apply(const Op& op, std::span<const Var> operands, const Attributes& attributes = {});
Var apply(const Op& op, std::initializer_list<Var> operands, const Attributes& attributes = {});

// Evaluates into row-major memory that the caller owns: stores, or adds to what is there.
void evaluate(const Op& op, const Call& call, const Shape& shape, DType dtype, void* out, bool accumulate);

// Evaluates a node that was appended while Tape::lazy was set, if that has not happened yet.
void materialize(Tape& tape, NodeId id);

// The leaves, nodes without operands:
const Op& input_op();
const Op& constant_op();
const Op& parameter_op();

}  // namespace unroll
