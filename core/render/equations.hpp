#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>

namespace unroll {

// The tape as mathematics: the forward program, and the adjoints where a backward pass was recorded (create_graph), in the
// order of computation, with a heading for each time step and layer.
//
//   c_2 = f_2 * c_1 + i_2 * g_2               a node that was named "c" at step 2
//   df_2 = dc_2 * c_1                         dX stands for dL/dX
//   delta_f_2 = df_2 * f_2 * (1 - f_2)        delta_X for the derivative by an expression inside of X
//   dW_f = x_2^T delta_f_2 + x_1^T delta_f_1  in the order in which the sweep adds: BPTT's sum over time
//
// What has no name is written where it is used; if it is used more than once and is not short, or if the line would become
// too long, it has a line of its own under the name of its operation ("add_2"). Scalar constants are numbers; a product
// without a sign is a matrix product. A few rules make the text shorter than the program, and none changes its meaning:
// 1 * x is x, x * x is x^2, (A^T)^T is A, and what a pointwise operation broadcasts is not written as broadcast.
std::string equations(const Tape& tape);

}  // namespace unroll
