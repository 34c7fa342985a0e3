#pragma once

#include <unroll/layers/encoder_decoder.hpp>
#include <unroll/layers/gradcheck.hpp>

namespace unroll {

// Checks a whole float64 model from source to target: the gradients of the loss and of the logits and attention weights of every step, by every parameter, for
// random sources and targets of unequal lengths up to `steps` (and one more symbol, the end, in a target).
GradcheckReport gradcheck(const EncoderDecoder& model, const LayerCheckOptions& options);

}  // namespace unroll
