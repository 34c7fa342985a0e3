#pragma once

#include <unroll/core/ops/ops.hpp>

namespace unroll {

// What is added to the variance, so that equal elements do not divide by 0.
inline constexpr double layer_norm_epsilon = 1e-5;

// x with mean 0 and variance 1 along its last axis: (x - mean) / sqrt(variance + epsilon), the variance over all elements.
Var normalized(Var x, double epsilon = layer_norm_epsilon);

// Layer normalisation (Ba, Kiros and Hinton 2016): normalized(x) * gain + bias, where gain and bias have the extent of the last axis.
Var layer_norm(Var x, Var gain, Var bias, double epsilon = layer_norm_epsilon);

}  // namespace unroll
