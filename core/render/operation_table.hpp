#pragma once

#include <unroll/core/tape/op.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace unroll {

// One application of an operation as mathematics, from the texts of its operands.
Symbol formula(const Op& op, std::span<const Symbol> operands, const Attributes& attributes);

// The derivative of an operation by one input, as mathematics: operand x, or a, b, c; result y. "1 - y * y" for tanh.
// Operations with constants take those of their first sample (x^2.5 for pow). "by operations" where the rule is written in
// operations, "none" where nothing flows through. Throws Error if the operation has no such input.
std::string derivative_text(const Op& op, std::size_t input);

// Every operation of the library in alphabetical order, a line each: name, number of inputs, formula, derivatives.
std::string operation_table();

}  // namespace unroll
