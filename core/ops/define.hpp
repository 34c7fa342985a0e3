#pragma once

#include <unroll/core/tape/op.hpp>

#include <initializer_list>
#include <span>

// Registration, sample operands, and rules that several operations share.
namespace unroll {

// Adds an operation to all_ops(). Called once for each, by the definition itself, as the program starts.
// See docs/adding-an-operation.md.
const Op& define(Op op);

// Every operation of the library, in an order that depends on the linker. Leaves are not operations.
std::span<const Op* const> all_ops();

// Operands for samples: float64 numbers spread over [low, high] in a fixed, irregular order (`variant` chooses another one).
Array spread(Shape shape, double low, double high, int variant = 0);

// Samples of an operation of one operand: a matrix, a scalar, and rank 3.
std::vector<Sample> unary_samples(Var (*f)(Var), double low, double high);
// Samples of an operation of two operands: equal shapes, broadcasting of either side, and a scalar.
std::vector<Sample> binary_samples(Var (*f)(Var, Var), double low_a, double high_a, double low_b, double high_b);

// The forward rule of a linear operation: the operation itself, applied to the tangents.
Var linear_jvp(const Jvp& j);

// A tangent of zeros where an input has none.
Var tangent_or_zeros(const Jvp& j, std::size_t i);

}  // namespace unroll
