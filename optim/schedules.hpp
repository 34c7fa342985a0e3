#pragma once

#include <functional>
#include <vector>

// Learning-rate schedules: the factor of the optimiser's learning rate at a fraction 0 <= x < 1 of the training (FitOptions::schedule).
namespace unroll::schedules {

// From the fraction of the training that is done to the factor.
using Schedule = std::function<double(double)>;

// 1 throughout.
Schedule constant();

// 1 - x: from 1 in a straight line to 0.
Schedule linear();

// (1 + cos(pi x)) / 2: from 1 to 0, slowly at both ends (Loshchilov and Hutter 2017, without restarts).
Schedule cosine();

// `factor` to the power of how many of the fractions `at` lie behind: step({0.5, 0.75}, 0.1) is 1, then 0.1, then 0.01. Throws Error for a fraction
// outside of 0 .. 1, or a factor below 0.
Schedule step(std::vector<double> at, double factor);

// From 0 in a straight line to 1 during the first `share` of the training; `then` has the rest to itself, from its 0 to its 1. Throws Error unless 0 <
// share < 1.
Schedule warm_up(double share, Schedule then = constant());

}  // namespace unroll::schedules
