#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/tape/tape.hpp>

#include <functional>
#include <string>
#include <vector>

// Laws that derivatives obey whatever is differentiated. Each is a text, empty where it holds.
namespace unroll::test {

// What a function recorded.
struct Recorded {
  std::vector<Var> leaves;  // with the values that it was given, in their order
  Var y;
  std::vector<Var> sides = {};  // arrays of whole numbers that stay as they are where the function is smooth
  std::vector<Var> cut = {};    // values through which every way from the leaves to y leads
};

// A function of several arrays, and the point at which the laws are tried: float64 numbers that float32 can hold.
struct Function {
  std::vector<Array> at;
  std::function<Recorded(Tape& tape, const std::vector<Array>& at)> record;
};

// The law of reverse and forward mode: u (J v) = (J' u) v, for an adjoint u and directions v.
std::string forward_is_transposed_reverse(const Function& f);
// The directional derivative of u f is what central differences say, where no kink lies within their step.
std::string gradient_is_central_difference(const Function& f);
// A recorded backward pass gives the gradients of an unrecorded one.
std::string recorded_is_unrecorded(const Function& f);
// The second derivative of u f along v and w is that along w and v; reverse over reverse, forward over reverse and reverse over forward
// agree on it.
std::string second_derivative_is_symmetric(const Function& f);
// Values and gradients in float32 are those in float64 but for rounding.
std::string float32_is_near_float64(const Function& f);
// Values and gradients have the same bits the second time, on a tape of its own and on a used one; and whichever gradients are kept.
std::string same_bits_again(const Function& f);
// Twice the adjoint gives twice the gradient, to the bit, and the gradients of two adjoints add up.
std::string reverse_is_linear(const Function& f);
// Going back to the cut, and from there on, gives the gradients of going back at once.
std::string chain_rule_holds_at_cut(const Function& f);
// Two ways to compute the same function have the same value and gradients, but for rounding.
std::string equal_functions(const Function& f, const Function& g);
// The same to the last digit. Only a zero may have another sign: adding zeros on the way, as the adjoints of slices do, takes it from -0.
std::string equal_digits(const Function& f, const Function& g);

// ---- for laws of one's own

// Discards arguments at which a function has values beyond what the laws reason about: shrinking leaves out what kept them small.
void require_tame(const Tape& tape);

}  // namespace unroll::test
