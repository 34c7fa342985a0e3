#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

constexpr std::int64_t T = 200;

// The mean of h_t^2 over all steps.
template <class Cell>
Var loss_over_time(Tape& tape, const Cell& cell, const Array& xs, const OverTimeOptions& options = {}) {
  return mean(square(over_time(cell, tape.constant(xs, "x"), options).stacked()));
}

double largest_difference(const Gradients& a, const Gradients& b, const std::vector<Parameter>& parameters) {
  double largest = 0;
  for (const Parameter& p : parameters)
    for (std::size_t i = 0; i < a[p].size(); ++i) largest = std::max(largest, std::abs(a[p].flat(i) - b[p].flat(i)));
  return largest;
}

// A network that sees numbers from -1 to 1, and is asked at the end for the sign of the first. How often is it right on new sequences?
double learn_sign(const AnyCell& cell, std::int64_t lag, const OverTimeOptions& options) {
  Generator data(1), weights(2);
  const Linear readout({.input = 16, .output = 2}, weights);
  std::vector<Parameter> parameters = cell.parameters();
  parameters.insert(parameters.end(), readout.parameters().begin(), readout.parameters().end());
  std::vector<std::int64_t> positive(32);
  const auto logits = [&](Tape& tape) {
    Array xs({lag + 1, 32, 1});
    for (std::size_t i = 0; i < xs.size(); ++i) xs.set_flat(i, data.uniform(-1, 1));
    for (std::size_t b = 0; b < 32; ++b) positive[b] = xs.flat(b) > 0 ? 1 : 0;
    return readout(over_time(cell, tape.constant(xs, "x"), options).outputs.back());
  };
  Adam adam(parameters, {.learning_rate = 0.01});
  fit([&](Tape& tape, std::int64_t) { return cross_entropy(logits(tape), positive); }, adam,
      {.updates = 500, .clip = 1});
  std::size_t right = 0;
  for (int round = 0; round < 8; ++round) {
    Tape tape;
    const Var answer = logits(tape);
    const auto scores = as_xtensor<float, 2>(answer.value());
    for (std::size_t b = 0; b < 32; ++b) right += (scores(b, 1) > scores(b, 0)) == (positive[b] == 1);
  }
  return 100.0 * static_cast<double>(right) / 256;
}

}  // namespace

int main() {
  Generator generator(1);
  const RNN rnn({.input = 2, .hidden = 8, .dtype = DType::f64}, generator);
  const LSTM lstm({.input = 2, .hidden = 8, .forget_bias = 3, .dtype = DType::f64}, generator);
  const Array xs = normal({T, 1, 2}, 1, generator, DType::f64);

  section("What full BPTT keeps");
  //[ keeps
  for (const std::int64_t steps : {50, 100, 200}) {
    Tape tape;
    loss_over_time(tape, lstm, normal({steps, 1, 2}, 1, generator, DType::f64));
    fmt::print("T = {:3}: {:5} nodes on the tape\n", steps, tape.size());
  }
  //]

  section("Cutting the way back");
  //[ cut
  const OverTimeOptions cut{.truncate = Truncation{.k1 = 2, .k2 = 2}};
  const Array four_steps = normal({4, 1, 2}, 1, generator, DType::f64);
  Tape whole, truncated;
  const Var loss = loss_over_time(whole, rnn, four_steps), loss_cut = loss_over_time(truncated, rnn, four_steps, cut);
  const Gradients g = backward(loss, {.keep = Keep::all, .flows = true});
  const Gradients g_cut = backward(loss_cut, {.keep = Keep::all, .flows = true});
  fmt::print("loss:        {:.6f} and {:.6f}\n", loss.item(), loss_cut.item());
  fmt::print("|dL/dW_h|:   {:.6f} and {:.6f}\n", g.norm(rnn.W_h), g_cut.norm(rnn.W_h));
  render(truncated, "truncated.svg", {.gradients = &g_cut});
  //]

  section("How wrong is it?");
  //[ bias
  Plot plot{.title = "Error of the truncated gradient, T = 200",
            .x_label = "k2, steps that a loss reaches back",
            .y_label = "relative error",
            .log_y = true,
            .id = "bias"};
  fmt::print("{:>6}{:>12}{:>12}\n", "k2", "RNN", "LSTM");
  PlotSeries of_rnn{"RNN", {}, {}}, of_lstm{"LSTM, forget bias 3", {}, {}};
  const auto error = [&](const auto& cell, std::int64_t k2) {
    Tape a, b;
    const Gradients shorter = backward(loss_over_time(a, cell, xs, {.truncate = Truncation{.k1 = 5, .k2 = k2}}));
    const Gradients full = backward(loss_over_time(b, cell, xs));
    return gradient_bias(shorter, full, cell.parameters()).all.relative_error;
  };
  for (const std::int64_t k2 : {5, 10, 20, 40, 80}) {
    of_rnn.xs.push_back(static_cast<double>(k2)), of_rnn.ys.push_back(error(rnn, k2));
    of_lstm.xs.push_back(static_cast<double>(k2)), of_lstm.ys.push_back(error(lstm, k2));
    fmt::print("{:>6}{:>12.3g}{:>12.3g}\n", k2, of_rnn.ys.back(), of_lstm.ys.back());
  }
  plot.series = {of_rnn, of_lstm};
  draw(plot, "bias.svg");
  //]

  section("What cannot be learned");
  //[ lag
  fmt::print("{:<8}{:>5}{:>18}{:>18}\n", "", "lag", "full BPTT", "k1 = k2 = 10");
  for (const std::int64_t lag : {9, 29}) {
    for (const bool gated : {false, true}) {
      const auto fresh = [&] {
        Generator seed(4);
        return gated ? AnyCell(LSTM({.input = 1, .hidden = 16, .forget_bias = 3}, seed))
                     : AnyCell(RNN({.input = 1, .hidden = 16}, seed));
      };
      const double full = learn_sign(fresh(), lag, {}),
                   part = learn_sign(fresh(), lag, {.truncate = Truncation{.k1 = 10, .k2 = 10}});
      fmt::print("{:<8}{:>5}{:>16.0f} %{:>16.0f} %\n", gated ? "LSTM" : "RNN", lag, full, part);
    }
  }
  //]

  section("Computing again");
  //[ recompute
  Tape full_tape;
  const Gradients full = backward(loss_over_time(full_tape, lstm, xs));
  fmt::print("{:<16}{:>8}{:>18}{:>22}\n", "", "nodes", "steps run again", "largest difference");
  fmt::print("{:<16}{:>8}{:>18}{:>22}\n", "full BPTT", full_tape.size(), 0, "");
  for (const auto& [name, schedule] : {std::pair{"every 50", Recompute::every(50)},
                                       {"square root", Recompute::square_root()},
                                       {"revolve, 5", Recompute::revolve(5)}}) {
    Tape tape;
    const Gradients again = backward(loss_over_time(tape, lstm, xs, {.recompute = schedule}));
    fmt::print("{:<16}{:>8}{:>18}{:>22}\n", name, tape.size(), schedule.recomputed_steps(T),
               largest_difference(again, full, lstm.parameters()));
  }
  //]

  section("Forward in time");
  //[ rtrl
  const LSTM small({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  std::vector<Array> steps;
  for (int t = 1; t <= 20; ++t) steps.push_back(normal({1, 2}, 1, generator, DType::f64));
  const auto initial = [&](Tape& tape) { return small.zero_state(tape, 1); };
  const auto step_loss = [](Var h, std::int64_t) { return mean(square(h)); };
  const RtrlResult forward = rtrl(small, steps, initial, small.parameters(), step_loss);

  Tape tape;  // the same by BPTT
  std::vector<Var> inputs, losses;
  for (const Array& x : steps) inputs.push_back(tape.constant(x, "x"));
  for (const Var h : over_time(small, inputs, initial(tape)).outputs) losses.push_back(mean(square(h)));
  const Gradients back = backward(sum(stack(losses)));
  double difference = 0;
  for (std::size_t i = 0; i < small.parameters().size(); ++i)
    for (std::size_t k = 0; k < forward.gradients[i].size(); ++k)
      difference = std::max(difference, std::abs(forward.gradients[i].flat(k) - back[small.parameters()[i]].flat(k)));
  fmt::print("the gradients agree to {:.0e}\n", difference);
  //]
}
