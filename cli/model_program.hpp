#pragma once

#include <unroll/cli/program.hpp>

namespace unroll::cli {

// Records what `render` and `list` show of a trained character model: the model on a sentence, one character a step, its loss L, the mean
// cross-entropy of the next characters in nats. The input of a step is named by its
// character, 'h', one that cannot be seen by an escape or its code point, '\n' or 'U+00A0'; y are the logits of all steps, (time, 1, characters). Throws
// FileError if options.model is no such model, Error if options.text is no text of at least two characters that it knows.
Program record_model_program(const ProgramOptions& options);

}  // namespace unroll::cli
