#include "exercise.hpp"

#include <algorithm>
#include <cmath>

// ---- 1. characters

std::u32string vocabulary_of(const std::string& text) {
  std::u32string characters = unroll::decode_utf8(text);
  std::sort(characters.begin(), characters.end());
  characters.erase(std::unique(characters.begin(), characters.end()), characters.end());
  return characters;
}

Symbols encode(const std::string& text, const std::u32string& vocabulary) {
  Symbols symbols;
  for (const char32_t character : unroll::decode_utf8(text))
    symbols.push_back(static_cast<std::int64_t>(vocabulary.find(character)));
  return symbols;
}

std::string decode(const Symbols& symbols, const std::u32string& vocabulary) {
  std::u32string characters;
  for (const std::int64_t symbol : symbols) characters += vocabulary[static_cast<std::size_t>(symbol)];
  return unroll::encode_utf8(characters);
}

// ---- 2. windows

Window window(const Symbols& stream, std::size_t index, std::size_t steps) {
  const std::size_t begin = index * steps, end = std::min(begin + steps, stream.size() - 1);
  Window result;
  for (std::size_t i = begin; i < end; ++i) {
    result.inputs.push_back(stream[i]);
    result.targets.push_back(stream[i + 1]);
  }
  return result;
}

// ---- 3. bits

double bits_per_character(const std::vector<double>& nats, const std::vector<std::size_t>& characters) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < nats.size(); ++i) {
    const auto weight = static_cast<double>(characters[i]);
    sum += weight * nats[i];
    count += weight;
  }
  return sum / count / std::log(2.0);
}

// ---- 4. sampling

std::vector<double> probabilities(const std::vector<double>& logits, double temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double sum = 0;
  for (const double logit : logits) sum += p.emplace_back(std::exp((logit - largest) / temperature));
  for (double& one : p) one /= sum;
  return p;
}

std::int64_t draw(const std::vector<double>& p, double u) {
  std::size_t i = 0;
  while (i + 1 < p.size() && u >= p[i]) u -= p[i++];
  return static_cast<std::int64_t>(i);
}
