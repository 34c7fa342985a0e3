// 6 · A cell and its unrolling
#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

// ---- the weights: one input, two hidden units, two outputs

//[ weights
const Parameter W_xh("W_xh", Array({1, 2}, {0.5, -1.0}));            // (input, hidden), also called U
const Parameter W_hh("W_hh", Array({2, 2}, {0.8, 0.3, -0.4, 0.6}));  // (hidden, hidden), also called W
const Parameter b("b", Array({2}, {0.0, 0.1}));                      // (hidden)
const Parameter W_hy("W_hy", Array({2, 2}, {1.0, -1.0, 0.5, 2.0}));  // (hidden, output), also called V
const Parameter b_y("b_y", Array({2}, {0.0, 0.0}));                  // (output)
const Array sequence({3, 1, 1}, {1.0, 0.5, -1.0});                   // (time, batch, input)
//]

//[ cell
const auto cell = [](Var x, Var h) -> std::pair<Var, Var> {
  Tape& tape = x.tape();
  const Scope scope(tape, "rnn");
  const Var from_x = matmul(x, tape.use(W_xh));
  const Var from_h = matmul(h, tape.use(W_hh));
  const Var next = tanh(from_x + from_h + tape.use(b)).named("h");
  return {next, next};  // the output of the step, and the state that the next step gets
};
//]

std::string numbers(const ArrayView& a) {
  std::string text;
  for (std::size_t i = 0; i < a.size(); ++i) text += fmt::format("{:9.4f}", a.flat(i) + 0.0);
  return text;
}

double largest_difference(const ArrayView& a, const ArrayView& other) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a.flat(i) - other.flat(i)));
  return largest;
}

//[ loss
// The cell over all steps from h_0 = 0, and a loss that looks at the last state only.
Var recorded_loss(Tape& tape) {
  const Var zero = [&] {
    const Step step(tape, 0);
    return tape.constant(Array({1, 2}, DType::f64), "h");
  }();
  const auto [outputs, last] = over_time(cell, tape.constant(sequence, "xs"), zero);
  return sum(square(last)).named("L");
}
//]

void one_step() {
  section("One step");
  //[ one step
  Tape tape;
  const Var x = tape.constant(Array({1, 1}, {1.0}), "x");         // (batch, input)
  const Var h_0 = tape.constant(Array({1, 2}, {0.0, 0.0}), "h");  // (batch, hidden)
  const auto [output, h_1] = cell(x, h_0);
  fmt::print("h_1        {}\n", numbers(h_1.value()));
  fmt::print("by hand    {:9.4f}{:9.4f}\n", std::tanh(1.0 * 0.5 + 0.0), std::tanh(1.0 * -1.0 + 0.1));
  //]
}

void unrolled() {
  section("Three steps");
  //[ three steps
  Tape tape;
  const Var loss = recorded_loss(tape);
  fmt::print("{}", listing(tape));
  //]
  section("Who reads W_hh");
  //[ readers
  const NodeId shared = tape.use(W_hh).id();
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId input : tape.inputs(id))
      if (input == shared) fmt::print("t = {}: node {} reads node {}\n", tape[id].place.step, id, input);
  //]

  const Gradients gradients = backward(loss, {.keep = Keep::all, .flows = true});
  render(tape, "shared.svg",
         {.level = Level::gates,
          .parameters = ParameterView::nodes,
          .gradients = &gradients,
          .title = "One cell, three steps, one set of weights"});
  render(tape, "unrolled.svg", {.title = "The same tape, the weights in the labels"});
  render(tape, "folded.svg", {.level = Level::folded, .title = "The network before it is unrolled"});
}

void sum_over_time() {
  section("A copy for each step");
  //[ untied
  std::vector<Parameter> copies;  // W_hh of step 1, 2 and 3: equal numbers, but parameters of their own
  for (int t = 1; t <= 3; ++t) copies.emplace_back(fmt::format("W_hh at step {}", t), W_hh.value());
  Tape tape;
  Var h = tape.constant(Array({1, 2}, DType::f64), "h");
  for (int t = 1; t <= 3; ++t) {
    const Step step(tape, t);
    const Var x = tape.constant(Array({1, 1}, {sequence.flat(static_cast<std::size_t>(t - 1))}), "x");
    const Var from_x = matmul(x, tape.use(W_xh)), from_h = matmul(h, tape.use(copies[static_cast<std::size_t>(t - 1)]));
    h = tanh(from_x + from_h + tape.use(b)).named("h");
  }
  const Gradients untied = backward(sum(square(h)));
  //]

  //[ table
  Array sum_of_copies({2, 2}, DType::f64);
  for (const Parameter& copy : copies) {
    for (std::size_t i = 0; i < 4; ++i) sum_of_copies.set_flat(i, sum_of_copies.flat(i) + untied[copy].flat(i));
    fmt::print("{:<14}{}\n", copy.name(), numbers(untied[copy]));
  }
  Tape shared_tape;
  const Gradients shared = backward(recorded_loss(shared_tape), {.by_step = {W_hh}});
  fmt::print("{:<14}{}\n", "their sum", numbers(sum_of_copies));
  fmt::print("{:<14}{}\n", "W_hh, shared", numbers(shared[W_hh]));
  fmt::print("largest difference between the last two rows: {:.0e}\n", largest_difference(sum_of_copies, shared[W_hh]));
  //]

  section("Contributions");
  //[ contributions
  for (const std::int64_t t : shared.contribution_steps(W_hh)) {
    const ArrayView part = shared.contribution(W_hh, t);
    fmt::print("t = {}  {}   the copy gave the same: {}\n", t, numbers(part),
               largest_difference(part, untied[copies[static_cast<std::size_t>(t - 1)]]) < 1e-15 ? "yes" : "no");
  }
  //]

  Tape drawn;
  const Gradients all = backward(recorded_loss(drawn), {.keep = Keep::all, .by_step = {W_hh}, .flows = true});
  render(drawn, "contributions.svg",
         {.level = Level::gates,
          .gradients = &all,
          .contributions = W_hh,
          .title = "What each step adds to the gradient of W_hh"});
}

void any_length() {
  section("Any length");
  //[ any length
  Generator generator(1);
  const RNN rnn({.input = 1, .hidden = 10}, generator);
  fmt::print("{:>6}  {:>10}  {:>14}  {:>18}\n", "steps", "parameters", "nodes on tape", "last h, unit 0");
  for (const std::int64_t steps : {1, 3, 50, 1000}) {
    Tape tape;
    const auto [outputs, last] = over_time(rnn, tape.constant(Array::filled({steps, 1, 1}, 0.5), "xs"));
    fmt::print("{:>6}  {:>10}  {:>14}  {:>18.4f}\n", steps, rnn.parameter_count(), tape.size(), last.h.value().flat(0));
  }
  //]
}

void with_readout() {
  section("A readout");
  //[ readout
  const auto readout = [](Var h) {
    Tape& tape = h.tape();
    const Scope scope(tape, "readout");
    return softmax(matmul(h, tape.use(W_hy)) + tape.use(b_y)).named("y");
  };
  Tape tape;
  const Var h_0 = tape.constant(Array({1, 2}, DType::f64), "h");
  const auto [hs, last] = over_time(cell, tape.constant(sequence, "xs"), h_0);
  for (std::size_t t = 1; t <= hs.size(); ++t) {
    const Step step(tape, static_cast<std::int64_t>(t));
    fmt::print("t = {}   h_t{}   y_t{}\n", t, numbers(hs[t - 1].value()), numbers(readout(hs[t - 1]).value()));
  }
  //]
}

}  // namespace

int main() {
  one_step();
  unrolled();
  sum_over_time();
  any_length();
  with_readout();
}
