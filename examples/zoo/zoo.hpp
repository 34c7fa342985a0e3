#pragma once

#include <unroll/layers/gradcheck.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

// The zoo of gradient bugs: recurrent cells, each with one fault on its way back, of the kinds that frameworks and home-made networks have had. README.md
// says how to hunt them.
namespace unroll::zoo {

// A cell with its parameters, of any type: what a check or a closer look runs.
struct Specimen {
  std::vector<Parameter> parameters;  // in float64, none of them 0
  std::int64_t input;                 // features of x
  // The Vars of its first state, for so many rows.
  std::function<std::vector<Var>(Tape& tape, std::int64_t batch)> zero_state;
  // From x (time, batch, input) and the Vars of a first state: the outputs of the steps, each (batch, features), and the last state.
  std::function<Sequence<std::vector<Var>>(Var x, std::span<const Var> state)> unrolled;
  // gradcheck() of the cell itself.
  std::function<GradcheckReport(const LayerCheckOptions& options)> check;
};

struct Animal {
  std::string name;        // "minimal-rnn"
  std::string fault;       // what is wrong, in one sentence: the answer
  Cause cause;             // its kind, as the diagnosis gives it
  std::string source;      // "examples/zoo/minimal_rnn.cpp"
  Specimen (*specimen)();  // a new one at every call, because some change as they run

  GradcheckReport check(const LayerCheckOptions& options = {}) const { return specimen().check(options); }
};

// In the order in which they are best hunted: from a few lines to whole sequences, and last the faults of no single line.
const std::vector<Animal>& zoo();

// The animal of this name. Throws Error, which lists the names, if there is none.
const Animal& find(const std::string& name);

// ---- one file each

Specimen tanh_unit();
Specimen recurrent_product();
Specimen square_rnn();
Specimen concatenated_rnn();
Specimen elman_readout();
Specimen minimal_rnn();
Specimen irnn();
Specimen leaky_integrator();
Specimen multiplicative_rnn();
Specimen position_table_rnn();
Specimen memory_reader();
Specimen layer_norm_rnn();
Specimen gru_mix();
Specimen reset_before_gru();
Specimen reset_after_gru();
Specimen minimal_gated_unit();
Specimen lstm_gates();
Specimen lstm_cell_update();
Specimen coupled_lstm();
Specimen four_gate_lstm();
Specimen peephole_lstm();
Specimen concatenated_lstm();
Specimen lstm_1997();
Specimen fused_sequence_rnn();
Specimen one_gemm_rnn();
Specimen independent_rnn();
Specimen clockwork_rnn();
Specimen bidirectional_rnn();
Specimen compact_lstm();
Specimen steady_gru();
Specimen long_sequence_rnn();
Specimen padded_batch_rnn();
Specimen clipped_weights_rnn();
Specimen recurrent_dropout();
Specimen noisy_rnn();
Specimen square_root_rnn();

}  // namespace unroll::zoo
