#include "exercise.hpp"

using unroll::course::hole;

// ---- 1. characters

std::u32string vocabulary_of(const std::string& text) {
  (void)text;
  // A std::string holds bytes. How many bytes has a Korean syllable?
  return hole("the different characters of the text, in order");
}

Symbols encode(const std::string& text, const std::u32string& vocabulary) {
  (void)text, (void)vocabulary;
  return hole("the position of each character in the vocabulary");
}

std::string decode(const Symbols& symbols, const std::u32string& vocabulary) {
  (void)symbols, (void)vocabulary;
  return hole("the text of the symbols");
}

// ---- 2. windows

Window window(const Symbols& stream, std::size_t index, std::size_t steps) {
  (void)stream, (void)index, (void)steps;
  // Where does window `index` begin? Where does it end at the latest, if each symbol in it must have a next one?
  return hole("the symbols that are seen, and those that come next");
}

// ---- 3. bits

double bits_per_character(const std::vector<double>& nats, const std::vector<std::size_t>& characters) {
  (void)nats, (void)characters;
  return hole("the mean over all characters, in bits");
}

// ---- 4. sampling

std::vector<double> probabilities(const std::vector<double>& logits, double temperature) {
  (void)logits, (void)temperature;
  return hole("the softmax at this temperature");
}

std::int64_t draw(const std::vector<double>& p, double u) {
  (void)p, (void)u;
  return hole("the symbol in whose part of [0, 1) u lies");
}
