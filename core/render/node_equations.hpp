#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>
#include <vector>

namespace unroll {

// What every node of a tape computes, one text for each, in the order of the tape: "f_2 = sigmoid(x_2 W_f + h_1 U_f + b_f)". Unlike in
// `equations` (core/render/equations.hpp), each node has its text, and nothing is simplified. An operand is called by its name (Names); the adjoint of
// h_2 is dh_2 (and dh_2(part) while something is still to be added, dW(to t = 3) after the sweep has passed step 3), that of an expression inside of f_2 is
// delta_f_2, the tangent is h_2'. What has no name is written where it is used while it is short, and is called by its operation otherwise ("add_2").
// The text of a node without a name is the expression alone, of a constant its number, of other leaves "". Long lists are shortened with dots.
std::vector<std::string> node_equations(const Tape& tape);

}  // namespace unroll
