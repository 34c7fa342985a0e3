#pragma once

#include <unroll/cli/commands.hpp>

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/tape.hpp>

#include <memory>

namespace unroll::cli {

// A recorded program and the gradients of its loss.
struct Program {
  std::unique_ptr<Tape> tape;
  Gradients gradients;  // of every node
};

// Records what `render` draws and `list` lists: a cell unrolled over random float64 inputs, the loss L = mean(h_T^2), where h_T is the last
// output, and its backward pass, on the tape where that was wanted. With options.model, what record_model_program does.
Program record_program(const ProgramOptions& options);

}  // namespace unroll::cli
