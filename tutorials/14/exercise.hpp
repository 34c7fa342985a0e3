#pragma once

#include "../course.hpp"

#include <unroll/core/ops/ops.hpp>

#include <cstdint>
#include <string>
#include <vector>

// The exercises of chapter 14: which steps count, and what goes in.

// For the shapes "one-to-one", "one-to-many", "many-to-one", "encoder-decoder" and "synchronised", with so many symbols that are read and answers that are asked for:
// one number for each time step, 1 where the step has a loss and 0 where it has none. The first answer of one-to-many is asked for at step 1, where x is
// read; a decoder begins at the step after the last x.
std::vector<int> loss_mask(const std::string& shape, int inputs, int answers);

// What a decoder reads while it is trained with teacher forcing: the right answers, one step late. `go` is the symbol that says "begin".
std::vector<std::int64_t> decoder_inputs(const std::vector<std::int64_t>& targets, std::int64_t go);

// The output of each sequence at its own last step: outputs (time, batch, feature) -> (batch, feature). Sequence b has lengths[b] steps; what stands behind
// them is padding. Recorded on the tape of `outputs`, so that gradients flow.
unroll::Var last_own_outputs(unroll::Var outputs, const std::vector<std::int64_t>& lengths);

// The mean of the losses of all steps that are not padding: losses[t][b] of sequence b at step t (from 0). Where there is padding, a loss may be anything.
double mean_loss(const std::vector<std::vector<double>>& losses, const std::vector<std::int64_t>& lengths);
