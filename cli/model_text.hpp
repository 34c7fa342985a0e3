#pragma once

#include <unroll/layers/text_streams.hpp>
#include <unroll/layers/vocabulary.hpp>

#include <string>
#include <string_view>

namespace unroll::cli {

// The characters of an argument; `what` it is, for the message: "the prompt". Throws Error if it is not UTF-8.
std::u32string argument_text(std::string_view what, const std::string& argument);

// A text of at least two characters as a model reads it to be looked at: one stream in one window, whose last character is only predicted. Throws
// Error for a shorter one and for a character that is not in the vocabulary.
TextWindow one_window(const Vocabulary& vocabulary, std::u32string_view text);

}  // namespace unroll::cli
