#include "exercise.hpp"

using unroll::Var;
using unroll::course::hole;

// ---- 1. which steps count

std::vector<int> loss_mask(const std::string& shape, int inputs, int answers) {
  (void)shape, (void)inputs, (void)answers;
  // How many steps does each shape have? At which of them is something asked for?
  return hole("a 1 for every step with a loss, and a 0 for the others");
}

// ---- 2. teacher forcing

std::vector<std::int64_t> decoder_inputs(const std::vector<std::int64_t>& targets, std::int64_t go) {
  (void)targets, (void)go;
  return hole("what the decoder reads at each of its steps");
}

// ---- 3. padded sequences

Var last_own_outputs(Var outputs, const std::vector<std::int64_t>& lengths) {
  (void)outputs, (void)lengths;
  // select(x, axis, index) takes one position of an axis and removes the axis; stack(parts) puts arrays of one shape side by side.
  return hole("one row for each sequence: its output at its own last step");
}

double mean_loss(const std::vector<std::vector<double>>& losses, const std::vector<std::int64_t>& lengths) {
  (void)losses, (void)lengths;
  return hole("the mean over the steps that are no padding");
}
