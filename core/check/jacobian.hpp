#pragma once

#include <unroll/core/tape/tape.hpp>

#include <vector>

// Whole Jacobians, put together from one backward pass for each row: to look at, not to train with.
namespace unroll {

// The derivative of every element of y by every element of x (a node, or a parameter), in the shape of y followed by that of x; 0 where y does not
// depend on x. Nodes in `held` are taken as given numbers: no path through them counts. Throws as backward() does.
Array jacobian(Var y, Var x, const std::vector<Var>& held = {});
Array jacobian(Var y, const Parameter& x, const std::vector<Var>& held = {});

// The total derivative of a hidden state by a weight, through all the steps before (Pascanu, Mikolov and Bengio 2013, section 1.1): the sum over k
// of dh_t/dh_k times the immediate derivative of h_k.
inline Array total_derivative(Var h, const Parameter& W) { return jacobian(h, W); }
// The immediate derivative, with the state before (h_(t-1), and c_(t-1) where there is one) held as given.
inline Array immediate_derivative(Var h, const Parameter& W, const std::vector<Var>& before) {
  return jacobian(h, W, before);
}

// The Jacobian of one step for every sequence of a batch: derivatives of the states `after`, each (batch, n), by those `before`, each (batch, m), as
// (batch, sum of n, sum of m): of {h_t} by {h_(t-1)}, or of the whole state {h_t, c_t} by {h_(t-1), c_(t-1)}. `before` and `held` are taken as given,
// so that with held = {c_(t-1)} the first is dh_t/dh_(t-1) alone. Throws ShapeError for states that are not matrices with equally many rows.
Array step_jacobian(const std::vector<Var>& after, const std::vector<Var>& before, const std::vector<Var>& held = {});

}  // namespace unroll
