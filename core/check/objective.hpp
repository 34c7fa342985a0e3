#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/check/gradcheck.hpp>

#include <functional>
#include <optional>
#include <vector>

// The program under test as a function of numbers.
namespace unroll::detail {

// Normal numbers.
Array random_like(const Shape& shape, DType dtype, Generator& generator);

// What recording a tape costs, in elements: those of its results, and as much for each node as 200 of them.
double cost(const Tape& tape);

class Objective {
 public:
  // Keeps references: both must live as long.
  Objective(const CheckedProgram& program, const GradcheckOptions& options) : program_(program), options_(options) {}

  const std::vector<CheckedLeaf>& leaves() const { return program_.leaves; }

  // The summands u_k y_k of the objective, for the present values of the leaves. Apart, so that what does not change drops out of a difference.
  std::vector<double> terms();
  struct Size {
    double terms = 0;  // the sum of the absolute summands
    double beneath =
        0;  // with order 2 that of the number that was differentiated to get them, whose rounding errors they have
    double computed = 0;  // what one run costs, in elements
  };
  Size size();
  // The gradient by each leaf, in float64; zeros where the objective does not depend on it.
  std::vector<Array> gradients();
  // Whether the objective is made from a leaf at all.
  std::vector<bool> uses();
  // The derivative along one direction of one leaf, by forward mode; and the sum of the absolute terms that it is made of.
  struct Directional {
    double value = 0, scale = 0;
  };
  Directional forward(std::size_t leaf, const Array& direction);
  // <gradient, direction> with the gradient of one leaf.
  static Directional product(const Array& gradient, const Array& direction);

  // Records the objective, a single number, on a cleared tape of the caller.
  Var record(Tape& tape);

 private:
  struct Recorded {
    Var result;          // y, or the products that the directional derivative is the sum of
    Array cotangent;     // u, or ones
    double beneath = 0;  // with order 2, the sum of |u_k y_k|
  };
  Recorded record_result(Tape& tape);

  const CheckedProgram& program_;
  const GradcheckOptions& options_;
  Tape tape_;
};

// While it lives, entries of a leaf are elsewhere; afterwards they are what they were.
class MovedLeaf {
 public:
  explicit MovedLeaf(Parameter parameter) : parameter_(std::move(parameter)), before_(parameter_.value().copy()) {}
  ~MovedLeaf() { restore(); }
  MovedLeaf(const MovedLeaf&) = delete;
  MovedLeaf& operator=(const MovedLeaf&) = delete;

  double at(std::size_t position) const { return before_.flat(position); }
  void move(std::size_t position, double offset) {
    parameter_.mutable_value().set_flat(position, at(position) + offset);
  }
  void move(const Array& direction, double offset);
  void restore();

 private:
  Parameter parameter_;
  Array before_;
};

}  // namespace unroll::detail
