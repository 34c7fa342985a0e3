#pragma once

#include "layers_support.hpp"

#include <unroll/layers/encoder_decoder.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/rnn.hpp>

// Small models from sequence to sequence, with random weights in float64.
namespace unroll::test {

inline LSTM small_lstm(Generator& generator, const std::string& name = "lstm") {
  return LSTM({.input = 3, .hidden = 3, .name = name, .dtype = DType::f64}, generator);
}

// Four symbols, 0 of them the start and 1 the end, from a vector (batch, 4), without attention.
inline Decoder small_decoder(Generator& generator) {
  const Decoder decoder({.vocabulary = 4, .embedding = 3, .context = 4, .dtype = DType::f64}, small_lstm(generator),
                        generator);
  for (Parameter p : decoder.parameters()) p.assign(normal(p.shape(), 1.5, generator, DType::f64));
  return decoder;
}

}  // namespace unroll::test
