// Chapter 10: the GRU, out of the LSTM; two conventions for z, two places for the reset, and what each cell costs.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using course::section;
using textbook::Gate;

namespace {

constexpr DType f64 = DType::f64;

double largest_difference(const ArrayView& a, const ArrayView& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a.flat(i) - b.flat(i)));
  return result;
}

std::string line(const ArrayView& numbers, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:9.4f}", numbers.flat(i));
  return text;
}

//[ sum
Var sum_of(const Gate& gate, Var x, Var h) {
  Tape& tape = x.tape();
  const Var W = tape.use(gate.W), U = tape.use(gate.U), b = tape.use(gate.b);
  const Var from_x = matmul(x, W), from_h = matmul(h, U);
  return from_x + from_h + b;
}
//]

//[ merging
// From the LSTM to the GRU. Each line below differs from the one above in one thing.
enum class Merge { forget_and_input, and_states, and_reset };

struct MergingCell {
  textbook::GRU weights;
  Merge merged;

  std::pair<Var, LSTMState> operator()(Var x, LSTMState before) const {
    const Scope layer(x.tape(), "cell");
    const Var z = sigmoid(sum_of(weights.update, x, before.h)).named("z");
    Var seen = before.h;  // what the candidate sees of the past
    if (merged == Merge::and_reset) {
      const Var r = sigmoid(sum_of(weights.reset, x, before.h)).named("r");
      seen = r * before.h;
    }
    const Var n = tanh(sum_of(weights.candidate, x, seen)).named("n");
    const Var kept = z * before.c, admitted = (1 - z) * n;  // f became z, and i became 1 - z
    if (merged == Merge::forget_and_input) {
      const Var c = (kept + admitted).named("c"), h = tanh(c).named("h");
      return {h, {h, c}};
    }
    const Var h = (kept + admitted).named("h");  // one state is both
    return {h, {h, h}};
  }
};
//]

void out_of_the_lstm() {
  section("Out of the LSTM");
  //[ stages
  Generator generator(2);
  const textbook::GRU gru({.input = 2, .hidden = 3, .dtype = f64}, generator);
  Tape tape;
  const Var xs = tape.constant(normal({5, 1, 2}, 1, generator, f64));
  const Var zero = tape.constant(Array({1, 3}, f64));
  const auto h_after = [&](Merge merged) {
    return over_time(MergingCell{gru, merged}, xs, LSTMState{zero, zero}).state.h;
  };
  const Var one = h_after(Merge::forget_and_input), two = h_after(Merge::and_states), three = h_after(Merge::and_reset);
  const Var library = over_time(gru, xs).state.h;
  fmt::print("h_5 with z for f, 1 - z for i {}\n", line(one.value(), 3));
  fmt::print("    and c and h in one        {}\n", line(two.value(), 3));
  fmt::print("    and a reset gate          {}\n", line(three.value(), 3));
  fmt::print("    textbook::GRU             {}\n", line(library.value(), 3));
  fmt::print("the last two differ by less than 1e-12: {}\n",
             largest_difference(three.value(), library.value()) < 1e-12);
  //]

  Generator seed(3);
  const textbook::GRU small({.input = 2, .hidden = 3}, seed);
  Tape drawn;
  const Var x = drawn.constant(normal({2, 1, 2}, 1, seed));
  const auto first = map_state(small.zero_state(drawn, 1), [&](Var v) {
    const Step step(drawn, 0);
    const Scope layer(drawn, "gru");
    return drawn.input(normal(v.shape(), 0.5, seed), "h");
  });
  const auto run = over_time(small, x, first);
  const Gradients g = backward(mean(square(run.state.h)).named("L"), {.keep = Keep::all, .flows = true});
  render(drawn, "gru.svg", {.level = Level::gates, .gradients = &g, .values = ValueView::none});
}

//[ conventions
// h_t = z * h_(t-1) + (1 - z) * n   or   h_t = (1 - z) * h_(t-1) + z * n
enum class Update { keeps, admits };

struct TwoWayGRU {
  textbook::GRU weights;
  Update convention;

  std::pair<Var, Var> operator()(Var x, Var before) const {
    const Var r = sigmoid(sum_of(weights.reset, x, before)), z = sigmoid(sum_of(weights.update, x, before));
    const Var n = tanh(sum_of(weights.candidate, x, r * before));
    const Var keep = convention == Update::keeps ? z : 1 - z;
    const Var kept = keep * before, admitted = (1 - keep) * n;
    const Var h = (kept + admitted).named("h");
    return {h, h};
  }
};
//]

textbook::GRU copy_of(const textbook::GRU& gru) {
  Generator any(1);
  textbook::GRU copy(gru.options, any);
  for (std::size_t i = 0; i < copy.parameters().size(); ++i) {
    Parameter p = copy.parameters()[i];
    p.assign(gru.parameters()[i].value());
  }
  return copy;
}

void two_conventions() {
  section("Two conventions for z");
  //[ compare
  Generator generator(4);
  const textbook::GRU gru({.input = 2, .hidden = 3, .dtype = f64}, generator);
  const textbook::GRU negated = copy_of(gru);
  for (Parameter p : {negated.update.W, negated.update.U, negated.update.b}) {
    const xt::xarray<double> minus = -as_xarray<double>(p.value());
    p.assign(Array(minus));
  }
  Tape tape;
  const Var xs = tape.input(normal({6, 1, 2}, 1, generator, f64));
  const auto run = [&](const textbook::GRU& weights, Update convention) {
    return over_time(TwoWayGRU{weights, convention}, xs, tape.constant(Array({1, 3}, f64))).state;
  };
  const Var keeps = run(gru, Update::keeps), admits = run(gru, Update::admits), other = run(negated, Update::admits);
  const Var library = over_time(gru, xs).state.h;
  fmt::print("z keeps, as in this library  h_6 = {}\n", line(library.value(), 3));
  fmt::print("z keeps                      h_6 = {}\n", line(keeps.value(), 3));
  fmt::print("z admits, the same weights   h_6 = {}\n", line(admits.value(), 3));
  fmt::print("z admits, -W_z, -U_z, -b_z   h_6 = {}\n", line(other.value(), 3));
  const Gradients a = backward(sum(square(keeps))), b = backward(sum(square(other)));
  fmt::print("values differ by less than 1e-12: {}\n", largest_difference(keeps.value(), other.value()) < 1e-12);
  fmt::print("dL/dU_z is {:.4f} in one and {:.4f} in the other, at [0, 0]\n", a[gru.update.U].flat(0),
             b[negated.update.U].flat(0));
  fmt::print("dL/dx differs by less than 1e-12: {}\n", largest_difference(a[xs], b[xs]) < 1e-12);
  //]
}

// dh_30/dh_t for t = 30 .. 0, where all weights are 0 and only the bias of z is left.
std::vector<double> along_the_path(Update convention, double bias) {
  Generator generator(1);
  textbook::GRU gru({.input = 1, .hidden = 1, .dtype = f64}, generator);
  for (Parameter p : gru.parameters()) p.assign(Array(p.shape(), f64));
  gru.update.b.assign(Array({1}, {bias}));
  Tape tape;
  const Var zero = tape.constant(Array({1, 1}, f64));
  std::vector<Var> hs{tape.input(Array({1, 1}, {1.0}), "h")};
  for (int t = 1; t <= 30; ++t) hs.push_back(TwoWayGRU{gru, convention}(zero, hs.back()).second);
  const Gradients g = backward(hs.back(), {.keep = Keep::all});
  std::vector<double> derivatives;
  for (auto h = hs.rbegin(); h != hs.rend(); ++h) derivatives.push_back(g[*h].item());
  return derivatives;
}

void motorway() {
  section("The motorway of h");
  //[ jacobian
  Generator generator(5);
  const textbook::GRU gru({.input = 2, .hidden = 3, .dtype = f64}, generator);
  Tape tape;
  const Var h_1 = tape.input(normal({1, 3}, 0.5, generator, f64), "h");
  const Var h_2 = gru(tape.constant(Array({1, 2}, {0.5, -1})), {h_1}).second.h;
  Var z, n;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape.name(id) == "z") z = tape.var(id);
    if (tape.name(id) == "n") n = tape.var(id);
  }
  fmt::print("z_2                              {}\n", line(z.value(), 3));
  const Array path = step_jacobian({h_2}, {h_1}, {z, n}), all = step_jacobian({h_2}, {h_1});
  for (std::size_t i = 0; i < 3; ++i)
    fmt::print("{}{:9.4f}{:9.4f}{:9.4f}\n",
               i == 0 ? "dh_2/dh_1 with z and n held      " : "                                 ", path.flat(3 * i),
               path.flat(3 * i + 1), path.flat(3 * i + 2));
  for (std::size_t i = 0; i < 3; ++i)
    fmt::print("{}{:9.4f}{:9.4f}{:9.4f}\n",
               i == 0 ? "dh_2/dh_1 in all                 " : "                                 ", all.flat(3 * i),
               all.flat(3 * i + 1), all.flat(3 * i + 2));
  //]

  section("A bias that opens or shuts");
  const std::vector<double> keeps = along_the_path(Update::keeps, 3), zero = along_the_path(Update::keeps, 0),
                            admits = along_the_path(Update::admits, 3);
  fmt::print("  T   b_z = 0    b_z = 3, z keeps   b_z = 3, z admits\n");
  for (const std::size_t T : {1, 2, 5, 10, 20, 30})
    fmt::print(" {:2}   {:.2e}   {:16.2e}   {:17.2e}\n", T, zero[T], keeps[T], admits[T]);
  std::vector<double> Ts;
  for (int T = 0; T <= 30; ++T) Ts.push_back(T);
  draw({.title = "dh_T/dh_0 with all weights 0: one bias, two conventions",
        .x_label = "steps T",
        .y_label = "dh_T/dh_0",
        .log_y = true,
        .series = {{"b_z = 0", Ts, zero}, {"b_z = 3, z keeps", Ts, keeps}, {"b_z = 3, z admits", Ts, admits}}},
       "bias.svg");
}

void two_places_for_the_reset() {
  section("Before or after the product");
  //[ reset
  // The candidate's part from the past, (r * h) U or r * (h U), with r from its own sum.
  Generator generator(6);
  Tape tape;
  const Var h = tape.constant(normal({1, 3}, 1, generator, f64)), U = tape.constant(normal({3, 3}, 1, generator, f64));
  for (const bool equal : {true, false}) {
    const Var r = tape.constant(equal ? Array({1, 3}, {0.3, 0.3, 0.3}) : Array({1, 3}, {0.1, 0.5, 0.9}));
    const Var before = matmul(r * h, U), after = r * matmul(h, U);
    fmt::print("r = {}   (r * h) U = {}   r * (h U) = {}\n", line(r.value(), 3), line(before.value(), 3),
               line(after.value(), 3));
  }
  //]

  section("The second bias");
  //[ biases
  for (const Reset reset : {Reset::before, Reset::after}) {
    const GRU gru({.input = 1, .hidden = 10, .reset = reset}, generator);
    fmt::print("reset {}: {} parameters:", reset == Reset::before ? "before" : "after", gru.parameter_count());
    for (const Parameter& p : gru.parameters()) fmt::print(" {} {}", p.name(), to_string(p.shape()));
    fmt::print("\n");
  }
  //]
}

//[ cost
// What one step costs, read from the tape: nodes of t = 2, and products of two numbers in them.
template <class Cell> std::pair<std::size_t, std::int64_t> cost_of(const Cell& cell, std::int64_t input) {
  Tape tape;
  over_time(cell, tape.constant(Array({3, 1, input})));
  std::size_t nodes = 0;
  std::int64_t products = 0;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const Node& node = tape[id];
    if (node.place.step != 2 || tape.name(id) == "x") continue;
    ++nodes;
    const std::int64_t numbers = static_cast<std::int64_t>(node.value.size());
    if (node.op->name == "matmul") products += numbers * tape[tape.inputs(id)[1]].value.shape[0];
    if (node.op->name == "mul") products += numbers;
  }
  return {nodes, products};
}
//]

void what_a_step_costs() {
  section("What a step costs");
  Generator generator(7);
  const std::int64_t I = 100, H = 100;
  const auto rnn = cost_of(textbook::RNN({.input = I, .hidden = H}, generator), I);
  const auto gru = cost_of(textbook::GRU({.input = I, .hidden = H}, generator), I);
  const auto lstm = cost_of(textbook::LSTM({.input = I, .hidden = H}, generator), I);
  fmt::print("cell   nodes   multiplications   / RNN\n");
  const auto row = [&](const char* name, const std::pair<std::size_t, std::int64_t>& cost) {
    fmt::print("{:5} {:6} {:17} {:7.2f}\n", name, cost.first, cost.second,
               static_cast<double>(cost.second) / static_cast<double>(rnn.second));
  };
  row("RNN", rnn);
  row("GRU", gru);
  row("LSTM", lstm);
}

// Was the first of 20 numbers positive? The other 19 are noise. Gives the loss after every update.
template <class Cell> std::vector<double> losses_of(const Cell& cell, std::int64_t hidden, double* right) {
  constexpr std::int64_t T = 20, batch = 32;
  Generator generator(9);
  const Linear readout({.input = hidden, .output = 2, .dtype = f64}, generator);
  std::vector<Parameter> parameters = cell.parameters();
  parameters.insert(parameters.end(), readout.parameters().begin(), readout.parameters().end());
  Adam adam(parameters, {.learning_rate = 0.01});
  std::vector<std::int64_t> targets(batch);
  const auto logits_of = [&](Tape& tape) {
    const Array xs = normal({T, batch, 1}, 1, generator, f64);
    for (std::size_t b = 0; b < batch; ++b) targets[b] = xs.flat(b) > 0 ? 1 : 0;
    return readout(over_time(cell, tape.constant(xs)).state.h);
  };
  std::vector<double> losses;
  fit([&](Tape& tape, std::int64_t) { return cross_entropy(logits_of(tape), targets); }, adam,
      {.updates = 300, .clip = 1, .callbacks = {[&](const FitState& state) {
                                    losses.push_back(state.mean_loss);
                                    return true;
                                  }}});
  *right = 0;
  for (int i = 0; i < 20; ++i) {
    Tape tape;
    const std::vector<std::int64_t> answers = likeliest(logits_of(tape).value());
    for (std::size_t b = 0; b < batch; ++b) *right += answers[b] == targets[b] ? 1.0 / (20 * batch) : 0;
  }
  return losses;
}

void one_small_task() {
  section("One small task");
  constexpr std::size_t cells = 4, seeds = 3;
  std::vector<double> losses[cells];
  double right[cells][seeds];
  for (std::size_t seed = 0; seed < seeds; ++seed) {
    const auto fresh = [&] { return Generator(seed + 1); };
    //[ four
    Generator g1 = fresh(), g2 = fresh(), g3 = fresh(), g4 = fresh();  // of one seed
    const RNN rnn({.input = 1, .hidden = 16, .dtype = f64}, g1);
    const GRU gru({.input = 1, .hidden = 16, .dtype = f64}, g2);  // b_z = 0: z begins near 0.5
    GRU open({.input = 1, .hidden = 16, .dtype = f64}, g3);
    for (std::size_t j = 16; j < 32; ++j) open.b.mutable_value().set_flat(j, 1);  // b_z = 1: the second block
    const LSTM lstm({.input = 1, .hidden = 16, .dtype = f64}, g4);                // b_f = 1
    //]
    const std::vector<double> now[cells] = {losses_of(rnn, 16, &right[0][seed]), losses_of(gru, 16, &right[1][seed]),
                                            losses_of(open, 16, &right[2][seed]), losses_of(lstm, 16, &right[3][seed])};
    if (seed == 0) std::copy(now, now + cells, losses);
  }
  const char* names[cells] = {"RNN", "GRU, b_z = 0", "GRU, b_z = 1", "LSTM, b_f = 1"};
  fmt::print("               right of 640 new sequences, after 300 updates\n");
  for (std::size_t cell = 0; cell < cells; ++cell) {
    fmt::print("{:13}", names[cell]);
    for (std::size_t seed = 0; seed < seeds; ++seed)
      fmt::print("   seed {}: {:3.0f} %", seed + 1, 100 * right[cell][seed]);
    fmt::print("\n");
  }
  std::vector<double> updates;
  for (std::size_t u = 1; u <= losses[0].size(); ++u) updates.push_back(static_cast<double>(u));
  Plot plot{
      .title = "Was the first of 20 numbers positive? (seed 1)", .x_label = "update", .y_label = "loss (moving mean)"};
  for (std::size_t cell = 0; cell < cells; ++cell) plot.series.push_back({names[cell], updates, losses[cell]});
  draw(plot, "task.svg");
}

}  // namespace

int main() {
  out_of_the_lstm();
  two_conventions();
  motorway();
  two_places_for_the_reset();
  what_a_step_costs();
  one_small_task();
}
