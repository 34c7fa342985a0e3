#pragma once

#include <unroll/core/grad/gradients.hpp>

namespace unroll {

// Clipping limits the gradients of the parameters before an optimiser's step. All return the Euclidean norm of all of them together, as it was
// before; NaN or infinity in it means that some gradient is not finite, and then nothing is changed. Gradients that are nodes of
// the tape (create_graph) cannot be clipped: GradientError.

// That norm alone. Recorded gradients have one, too.
double gradient_norm(const Gradients& gradients);

// Scales all gradients by limit / norm if the norm is above the limit (Pascanu, Mikolov and Bengio 2013).
double clip_by_norm(Gradients& gradients, double limit);

// Moves every element into [-limit, limit].
double clip_by_value(Gradients& gradients, double limit);

}  // namespace unroll
