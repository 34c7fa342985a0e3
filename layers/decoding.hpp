#pragma once

#include <unroll/layers/decoder.hpp>

#include <cstdint>
#include <vector>

namespace unroll {

// What a decoder has said.
struct Decoded {
  Symbols symbols;             // without the end symbol
  bool ended = false;          // with the end symbol; false: the limit came first
  double log_probability = 0;  // natural, of all its symbols, the end symbol included
  double score = 0;            // what answers are ranked by: log_probability / length_penalty
  // The attention weights of each step, the last one (of the end symbol) included: one number for each position of the source. Empty without attention.
  std::vector<std::vector<double>> attention;
};

// How greedy decoding ends.
struct GreedyOptions {
  std::int64_t most_symbols = 100;  // where a sequence is cut off; the end symbol counts
};

// Takes the likeliest symbol at every step, the first of equals: one answer for each sequence of the batch. Recorded on the tape of the start. Throws Error if
// the decoder's answers are not finite numbers.
std::vector<Decoded> greedy(const Decoder& decoder, const DecoderStart& start, const GreedyOptions& options = {});

// How a beam search goes, and when it ends.
struct BeamOptions {
  std::int64_t width = 4;           // how many unfinished sequences are followed
  std::int64_t n_best = 1;          // how many answers are wanted, at most `width`
  double length_normalisation = 0;  // alpha: 0 ranks by the log-probability alone, which prefers short answers
  std::int64_t most_symbols = 100;  // as in GreedyOptions
};

// ((5 + symbols) / 6)^alpha, by which a log-probability is divided; the end symbol counts (Wu et al. 2016, equation 14).
double length_penalty(std::int64_t symbols, double alpha);

// Beam search (Sutskever, Vinyals and Le 2014): from all continuations of the sequences that are followed, those `width` of the greatest log-probability go on;
// those of them that end become answers. It stops when no sequence that is followed can still overtake the answers wanted. Of equals, the continuation of the
// better sequence comes first, and then the smaller symbol. For a start of one sequence; width 1 gives what greedy() gives.
//
// The best answers, best first; at most `n_best`, fewer if fewer have ended. If none has, the best sequences at the limit. Throws Error for
// options that are not as above, a start of several sequences, or answers that are not finite numbers.
std::vector<Decoded> beam(const Decoder& decoder, const DecoderStart& start, const BeamOptions& options = {});

}  // namespace unroll
