#pragma once

#include "../course.hpp"

#include <unroll/core/array/utf8.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The exercises of chapter 17: from a text to numbers, and from numbers to a text. unroll::decode_utf8 gives the characters (code points) of a text, and
// unroll::encode_utf8 the text of characters.

using Symbols = std::vector<std::int64_t>;

// The different characters of a text, in the order of their code points.
std::u32string vocabulary_of(const std::string& text);

// A text as symbols: the position of each character in the vocabulary; and back.
Symbols encode(const std::string& text, const std::u32string& vocabulary);
std::string decode(const Symbols& symbols, const std::u32string& vocabulary);

// Window `index` = 0, 1, ... of one stream of text: at most `steps` symbols that are seen, and as many that come next. Windows follow each other without a gap;
// the last one may be shorter, because the last symbol of the stream has no next one.
struct Window {
  Symbols inputs, targets;
};
Window window(const Symbols& stream, std::size_t index, std::size_t steps);

// Bits per character of a text that was read in windows: nats[i] is the mean cross-entropy of window i, by the natural logarithm, as the library's
// cross_entropy gives it, over characters[i] characters.
double bits_per_character(const std::vector<double>& nats, const std::vector<std::size_t>& characters);

// The probabilities with which the next symbol is drawn at a temperature above 0, from the logits of a model: softmax(logits / temperature).
std::vector<double> probabilities(const std::vector<double>& logits, double temperature);

// Draws a symbol with these probabilities. u is a random number, 0 <= u < 1: symbol 0 for u below p[0], symbol 1 for the next p[1], and so on.
std::int64_t draw(const std::vector<double>& p, double u);
