#include <unroll/examples/zoo/zoo.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

// The answers. Whoever wants to hunt reads the other files first.
namespace unroll::zoo {

namespace {

Animal animal(std::string name, Specimen (*specimen)(), Cause cause, std::string fault) {
  std::string file = name;
  std::replace(file.begin(), file.end(), '-', '_');
  return {std::move(name), std::move(fault), cause, fmt::format("examples/zoo/{}.cpp", file), specimen};
}

}  // namespace

const std::vector<Animal>& zoo() {
  static const std::vector<Animal> all{
      animal(
          "tanh-unit", tanh_unit, Cause::derivative_factor,
          "The derivative of tanh is taken as 1 - a^2, with what goes in, where it is 1 - h^2, with what comes out."),
      animal("recurrent-product", recurrent_product, Cause::transposed,
             "The adjoint of h_(t-1) is d W_h, where it is d W_h^T: the weight is square, so the shapes fit."),
      animal("square-rnn", square_rnn, Cause::transposed,
             "The gradient of W_x is d^T x, where it is x^T d: as many inputs as hidden units, so the shapes fit."),
      animal("concatenated-rnn", concatenated_rnn, Cause::batch_term,
             "The gradient of b is the first row of da, where it is the sum over all rows of the batch."),
      animal(
          "elman-readout", elman_readout, Cause::factor,
          "The gradient of W_y is divided by the batch, although the adjoint that comes in has the loss's mean in it."),
      animal("minimal-rnn", minimal_rnn, Cause::time_term,
             "h_(t-1) gets an adjoint of zeros, so no gradient flows back further than one step."),
      animal("irnn", irnn, Cause::wrong_operand,
             "The gradient of W_h is h_t^T da, where it is h_(t-1)^T da: the product was with the state before."),
      animal("leaky-integrator", leaky_integrator, Cause::sign,
             "The gradient of leak has the wrong sign: dh/dk is n - h_(t-1), not h_(t-1) - n."),
      animal("multiplicative-rnn", multiplicative_rnn, Cause::wrong_operand,
             "The adjoint of h_(t-1) U_m is dm * (h_(t-1) U_m), where it is dm times the other factor, x W_m."),
      animal(
          "position-table-rnn", position_table_rnn, Cause::batch_term,
          "Rows of the batch that looked up one row of the table overwrite each other's gradient, where they add up."),
      animal(
          "memory-reader", memory_reader, Cause::derivative_factor,
          "The softmax is differentiated like a sigmoid, da * a (1 - a), where it is a * (da - sum(a da)): each score "
          "moves all weights."),
      animal("layer-norm-rnn", layer_norm_rnn, Cause::gate_term,
             "The deviation is taken as a constant: -n * mean(n dn) / s, what comes back through it, is missing."),
      animal("gru-mix", gru_mix, Cause::wrong_operand,
             "z and 1 - z have changed places: h_(t-1) gets (1 - z) dh and n gets z dh."),
      animal("reset-before-gru", reset_before_gru, Cause::derivative_factor,
             "The adjoint of h_(t-1) through the candidate lacks the factor r: it was r * h_(t-1) that met U_n."),
      animal("reset-after-gru", reset_after_gru, Cause::wrong_operand,
             "The adjoint of r is da_n * n, where it is da_n * q_n: r multiplies the product, not the candidate."),
      animal("minimal-gated-unit", minimal_gated_unit, Cause::derivative_factor,
             "The hard sigmoid has derivative 1/2 everywhere, where it has 0 beyond its corners."),
      animal("lstm-gates", lstm_gates, Cause::derivative_factor,
             "The adjoint of the output gate's sum lacks the derivative of the sigmoid, o (1 - o)."),
      animal("lstm-cell-update", lstm_cell_update, Cause::time_term,
             "c_(t-1) gets no adjoint, where it gets f * dc: nothing flows back along the cell state."),
      animal("coupled-lstm", coupled_lstm, Cause::derivative_factor,
             "c_(t-1) gets dc, where it gets f * dc: the forget gate is left out."),
      animal("four-gate-lstm", four_gate_lstm, Cause::gate_term,
             "The adjoint of h_(t-1) sums the products with three of the four blocks: that with U_o is missing."),
      animal("peephole-lstm", peephole_lstm, Cause::wrong_operand,
             "The gradient of p_o is da_o * c_(t-1), where it is da_o * c_t: the output gate sees the new memory."),
      animal("concatenated-lstm", concatenated_lstm, Cause::time_term,
             "What comes back along the cell state from the next step is overwritten by what comes through h_t, where "
             "both add up."),
      animal(
          "lstm-1997", lstm_1997, Cause::factor,
          "2 sigmoid(c) - 1 is differentiated like tanh(c), 1 - y^2, where it is tanh(c / 2) and has (1 - y^2) / 2."),
      animal("fused-sequence-rnn", fused_sequence_rnn, Cause::time_term,
             "The first state gets an adjoint of zeros: the last product of the loop over time is left out."),
      animal("one-gemm-rnn", one_gemm_rnn, Cause::factor,
             "The gradient of W_h counts twice: step by step in the loop, and once more in one big product behind it."),
      animal("independent-rnn", independent_rnn, Cause::factor,
             "The gradient of w is the mean over time, where it is the sum over all steps."),
      animal("clockwork-rnn", clockwork_rnn, Cause::wrong_operand,
             "On the way back step t has the mask of step t - 1: the loop counts from 0, the clock from 1."),
      animal(
          "bidirectional-rnn", bidirectional_rnn, Cause::time_term,
          "The adjoint of a sequence that was turned round is not turned round: gradients arrive at the wrong steps."),
      animal("compact-lstm", compact_lstm, Cause::detached,
             "c_(t-1) enters as a constant with its numbers, so no gradient flows back along the cell state."),
      animal("steady-gru", steady_gru, Cause::detached,
             "The update gate sees a detached h_(t-1), so no gradient flows back through that gate's product."),
      animal("long-sequence-rnn", long_sequence_rnn, Cause::detached,
             "Every two steps the state goes on as a constant with its numbers, so the gradient ends there."),
      animal("padded-batch-rnn", padded_batch_rnn, Cause::in_place,
             "All steps share the memory of one mask, which is overwritten: on the way back all see the mask of the "
             "last step."),
      animal("clipped-weights-rnn", clipped_weights_rnn, Cause::in_place,
             "The step writes the clipped elements into its own parameter, so the derivative of the clipping is lost."),
      animal("recurrent-dropout", recurrent_dropout, Cause::not_repeatable,
             "The backward draws a mask of its own, from a generator that runs on, where it needs the one of the "
             "forward pass."),
      animal("noisy-rnn", noisy_rnn, Cause::not_repeatable,
             "Noise is drawn anew in every run, so two runs of it are two functions, and neither has the other's "
             "derivatives."),
      animal("square-root-rnn", square_root_rnn, Cause::nonfinite,
             "The root of what is not chosen is NaN, and so is its derivative: 0 times NaN is NaN on the way back."),
  };
  return all;
}

const Animal& find(const std::string& name) {
  const auto found = std::find_if(zoo().begin(), zoo().end(), [&](const Animal& a) { return a.name == name; });
  if (found != zoo().end()) return *found;
  std::string names;
  for (const Animal& a : zoo()) names += (names.empty() ? "" : ", ") + a.name;
  throw Error(fmt::format("no animal of the zoo is named {}: there are {}", name, names));
}

}  // namespace unroll::zoo
