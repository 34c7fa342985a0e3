#pragma once

#include "random_program.hpp"

#include <unroll/core/tape/tape.hpp>

#include <functional>
#include <optional>
#include <utility>

// The operations of which random programs are made: how a call of each is drawn, the shape of its result, and the call.
namespace unroll::test {

// A program that is being drawn. It is run as it grows, so that large values are squashed before they grow further.
class Draft {
 public:
  explicit Draft(Generator& generator) : random(generator) {}

  Generator& random;

  bool chance(double probability) { return random.uniform() < probability; }
  // A number from low to high.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  // An axis of so many, counted from either end.
  std::int64_t axis(std::size_t rank);
  std::int64_t extent();
  std::vector<std::int64_t> indices(std::int64_t count, std::int64_t below);

  const Shape& shape(std::size_t value) const { return lines_[value].shape; }
  // A value whose shape fits, mostly the latest result; a new input of the other shape where there is none, and sometimes.
  std::size_t pick(const std::function<bool(const Shape&)>& fits, const Shape& otherwise);
  std::size_t pick();                   // of any shape
  std::size_t pick(std::size_t ranks);  // with at least so many axes
  std::size_t like(const Shape& shape);
  // A value that broadcasts with this shape.
  std::size_t beside(const Shape& shape);
  std::size_t input(const Shape& shape);

  // Appends an operation whose line has its operands and attributes; does nothing where these do not fit or the result is too large.
  void append(Line line);
  std::size_t size() const { return lines_.size(); }
  std::vector<Line> take() { return std::move(lines_); }

 private:
  std::vector<Line> lines_;
  Tape tape_;
  std::vector<Var> values_;
  std::vector<bool> large_;  // to be squashed, and not to be picked
};

using Shapes = std::span<const Shape>;
using Vars = std::span<const Var>;

struct Operation {
  std::string_view text;  // its name, for name(operands, attributes); or a formula in which {} stands for an operand
  // Draws operands and attributes.
  std::function<void(Draft&, Line&)> draw;
  // NumPy's rule for the shape of the result, written a second time; nothing where the operands do not fit.
  std::function<std::optional<Shape>(const Line&, Shapes)> shape;
  std::function<Var(const Line&, Vars)> call;
  // On which side of its kinks it stands; no function where it is smooth.
  std::function<Var(const Line&, Vars)> sides = {};
};

const std::vector<Operation>& program_operations();
// Of those, a bounded smooth one.
const Operation& squashing_operation();

}  // namespace unroll::test
