#pragma once

#include <unroll/cli/commands.hpp>

#include <unroll/core/tape/tape.hpp>

#include <memory>

namespace unroll::cli {

// A recorded program and its loss, without a backward pass.
struct Program {
  std::unique_ptr<Tape> tape;
  Var loss;
};

// Records what `render` draws and `list` lists: a network unrolled over random float64 inputs, and its loss L = mean(h_T^2), where h_T is the last
// output; of a bidirectional network, whose last output is the first of its way back, L is the mean over the outputs of all steps. With
// options.model, what record_model_program does. Throws Error for options that do not go together.
Program record_program(const ProgramOptions& options);

}  // namespace unroll::cli
