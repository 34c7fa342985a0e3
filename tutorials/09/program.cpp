// Chapter 9: an LSTM, built out of an RNN one gate at a time, and the way of its cell state, measured.

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

//[ sum
// What every part of an LSTM begins with: x W + h U + b, with weights of its own.
Var sum_of(const Gate& gate, Var x, Var h) {
  Tape& tape = x.tape();
  const Var W = tape.use(gate.W), U = tape.use(gate.U), b = tape.use(gate.b);
  const Var from_x = matmul(x, W), from_h = matmul(h, U);
  return from_x + from_h + b;
}
//]

//[ cell
struct GrowingCell {
  textbook::LSTM weights;
  bool input_gate = false, forget_gate = false, output_gate = false;

  std::pair<Var, LSTMState> operator()(Var x, LSTMState before) const {
    const Scope layer(x.tape(), "lstm");
    const auto gate = [&](const char* part, const char* letter, const Gate& own) {
      const Scope scope(x.tape(), part);
      return sigmoid(sum_of(own, x, before.h)).named(letter);
    };
    const auto candidate = [&] {
      const Scope scope(x.tape(), "candidate");
      return tanh(sum_of(weights.candidate, x, before.h)).named("g");
    };
    Var kept = before.c, admitted = candidate();
    if (input_gate) admitted = gate("input gate", "i", weights.input) * admitted;
    if (forget_gate) kept = gate("forget gate", "f", weights.forget) * kept;
    const Var c = (kept + admitted).named("c");
    Var shown = tanh(c);
    if (output_gate) shown = gate("output gate", "o", weights.output) * shown;
    const Var h = shown.named("h");
    return {h, {h, c}};
  }
};
//]

// The weights of one gate of a cell with three inputs and one unit, without a part for h.
void set(Gate gate, std::initializer_list<double> W, double b) {
  gate.W.assign(Array({3, 1}, W));
  gate.U.assign(Array({1, 1}, f64));
  gate.b.assign(Array({1}, {b}));
}

//[ latch
// x = (value, write, read). A mark of 1 opens a gate, and without it the gate is shut: sigmoid(10) = 0.99995, sigmoid(-10) = 0.00005.
textbook::LSTM latch() {
  Generator generator(1);
  textbook::LSTM lstm({.input = 3, .hidden = 1, .dtype = f64}, generator);
  set(lstm.candidate, {3, 0, 0}, 0);  // g = tanh(3 value)
  set(lstm.input, {0, 20, 0}, -10);   // i: 1 at a write mark, else 0
  set(lstm.forget, {0, -20, 0}, 10);  // f: 0 at a write mark, else 1
  set(lstm.output, {0, 0, 20}, -10);  // o: 1 at a read mark, else 0
  return lstm;
}
//]

const std::vector<std::vector<double>> marked_values = {{1, 1, 0},    {0.3, 0, 0}, {-0.6, 0, 0}, {0.4, 0, 1},
                                                        {-0.5, 0, 0}, {0.8, 0, 0}, {-0.5, 1, 0}, {0.7, 0, 0},
                                                        {0.9, 0, 0},  {0.2, 0, 0}, {-0.3, 0, 1}, {0.6, 0, 0}};

Array row(const std::vector<double>& numbers) {
  return Array({1, static_cast<std::int64_t>(numbers.size())}, std::span(numbers));
}

std::vector<Var> inputs_of(Tape& tape, const std::vector<std::vector<double>>& sequence) {
  std::vector<Var> xs;
  for (std::size_t t = 0; t < sequence.size(); ++t) {
    const Step step(tape, static_cast<std::int64_t>(t) + 1);
    xs.push_back(tape.constant(row(sequence[t]), "x"));
  }
  return xs;
}

// h or c of a cell after every step of the marked values.
std::vector<double> track(const GrowingCell& cell, bool hidden = false) {
  Tape tape;
  LSTMState state = cell.weights.zero_state(tape, 1);
  std::vector<double> numbers;
  for (const Var x : inputs_of(tape, marked_values)) {
    state = cell(x, state).second;
    const double number = (hidden ? state.h : state.c).item();
    numbers.push_back(std::abs(number) < 5e-4 ? 0 : number);  // not "-0.000"
  }
  return numbers;
}

void one_gate_at_a_time() {
  section("One gate at a time");
  //[ stages
  const textbook::LSTM weights = latch();
  const GrowingCell sum{weights}, with_i{weights, true}, with_f{weights, true, true}, whole{weights, true, true, true};
  //]
  // An RNN with a unit that holds its value as well as it can: h = tanh(2 value + 2 h).
  std::vector<double> rnn;
  double h = 0;
  for (const std::vector<double>& x : marked_values) rnn.push_back(h = std::tanh(2 * x[0] + 2 * h));
  const std::vector<double> c1 = track(sum), c2 = track(with_i), c3 = track(with_f), h4 = track(whole, true);
  fmt::print("  t  value  write  read |  RNN: h   c + g   c + i g   f c + i g | o tanh(c)\n");
  for (std::size_t t = 0; t < marked_values.size(); ++t) {
    const std::vector<double>& x = marked_values[t];
    fmt::print(" {:2}  {:5.1f}  {:5}  {:4} | {:7.3f}  {:6.3f}  {:8.3f}  {:10.3f} | {:9.3f}\n", t + 1, x[0], x[1], x[2],
               rnn[t], c1[t], c2[t], c3[t], h4[t]);
  }

  std::vector<double> steps(marked_values.size());
  for (std::size_t t = 0; t < steps.size(); ++t) steps[t] = static_cast<double>(t + 1);
  draw({.title = "What each stage remembers (written: 1 at t = 1, -0.5 at t = 7)",
        .x_label = "time step t",
        .y_label = "state",
        .y_range = std::pair{-1.5, 4.5},
        .series = {{"RNN: h", steps, rnn},
                   {"c + g", steps, c1},
                   {"c + i g", steps, c2},
                   {"f c + i g", steps, c3},
                   {"h = o tanh(c)", steps, h4}}},
       "stages.svg");

  // The stages, drawn over two steps.
  const auto draw_stage = [](const GrowingCell& cell, const std::string& file, const std::string& title) {
    Tape tape;
    over_time(cell, inputs_of(tape, {{1, 1, 0}, {0, 0, 1}}), cell.weights.zero_state(tape, 1));
    render(tape, file, {.level = Level::gates, .values = ValueView::none, .title = title});
  };
  draw_stage(sum, "stage-1.svg", "A state that is added to");
  draw_stage(with_i, "stage-2.svg", "With an input gate");
  draw_stage(with_f, "stage-3.svg", "With input and forget gate");
  draw_stage(whole, "stage-4.svg", "The LSTM");
}

double largest_difference(const ArrayView& a, const ArrayView& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a.flat(i) - b.flat(i)));
  return result;
}

void one_bit_thirty_steps() {
  section("One bit, thirty steps");
  //[ thirty
  const textbook::LSTM lstm = latch();
  Generator noise(3);
  Tape tape;
  const Var write = tape.input(Array({1, 3}, {1, 1, 0}), "x");  // value 1, with a write mark
  const LSTMState one = lstm(write, lstm.zero_state(tape, 1)).second;
  fmt::print("c after step 1:  {:.4f}\n", one.c.item());
  LSTMState state = one;
  for (int t = 2; t <= 30; ++t) {
    const double read = t == 30 ? 1 : 0;
    state = lstm(tape.constant(Array({1, 3}, {noise.uniform(-1, 1), 0, read}), "x"), state).second;
    if (t % 10 == 0) fmt::print("c after step {}: {:.4f}\n", t, state.c.item());
  }
  fmt::print("h after step 30: {:.4f}\n", state.h.item());
  fmt::print("dc_30/dc_1:      {:.4f}\n", backward(state.c, {.also = {one.c}})[one.c].item());
  //]
}

void three_gates_and_a_candidate() {
  section("Three gates and a candidate");
  Generator generator(2);
  const textbook::LSTM lstm({.input = 3, .hidden = 4, .dtype = f64}, generator);
  Tape tape;
  over_time(lstm, tape.constant(normal({1000, 1, 3}, 2, generator, f64)));
  fmt::print("part  function  smallest  largest   in 4000 values\n");
  for (const char* letter : {"f", "i", "o", "g"}) {
    double low = 1, high = -1;
    std::string_view function;
    for (NodeId id = 0; id < tape.size(); ++id) {
      if (tape.name(id) != letter) continue;
      function = tape[id].op->name;
      for (std::size_t j = 0; j < 4; ++j) {
        low = std::min(low, tape[id].value.flat(j));
        high = std::max(high, tape[id].value.flat(j));
      }
    }
    fmt::print("{:4}  {:8}  {:8.3f}  {:7.3f}\n", letter, function, low, high);
  }

  section("A part held at 0");
  // One unit, one step from c = 0.8, with everything open; then one part is held at 0 by its bias.
  const auto step = [](const char* zero) {
    Generator seed(1);
    textbook::LSTM unit({.input = 1, .hidden = 1, .dtype = f64}, seed);
    for (Parameter p : unit.parameters()) p.assign(Array(p.shape(), f64));
    for (Gate gate : {unit.forget, unit.input, unit.output}) gate.b.assign(Array({1}, {40.0}));
    unit.candidate.b.assign(Array({1}, {std::atanh(0.5)}));  // g = 0.5
    const std::string part = zero;
    if (part == "f") unit.forget.b.assign(Array({1}, {-40.0}));
    if (part == "i") unit.input.b.assign(Array({1}, {-40.0}));
    if (part == "o") unit.output.b.assign(Array({1}, {-40.0}));
    if (part == "g") unit.candidate.b.assign(Array({1}, {0.0}));
    Tape scratch;
    const Var x = scratch.constant(Array({1, 1}, f64)), c = scratch.constant(Array({1, 1}, {0.8}));
    const LSTMState after = unit(x, {x, c}).second;
    fmt::print("{:9} c = {:.4f}   h = {:.4f}\n", zero, after.c.item(), after.h.item());
  };
  for (const char* part : {"nothing", "f", "i", "o", "g"}) step(part);
}

//[ path
// dc_50/dc_t for t = 49, 48 .. 0, of an LSTM all of whose weights are 0: only the forget bias is left.
std::vector<double> along_the_path(double forget_bias) {
  Generator generator(1);
  const textbook::LSTM lstm({.input = 1, .hidden = 1, .forget_bias = forget_bias, .dtype = f64}, generator);
  for (Parameter p : lstm.parameters())
    if (p.shape().rank() == 2) p.assign(Array(p.shape(), f64));
  Tape tape;
  const Var zero = tape.constant(Array({1, 1}, f64));
  LSTMState state{zero, tape.input(Array({1, 1}, {1.0}), "c")};
  std::vector<Var> cs;
  for (int t = 1; t <= 50; ++t) {
    cs.insert(cs.begin(), state.c);
    state = lstm(zero, state).second;
  }
  const Gradients g = backward(state.c, {.keep = Keep::all});
  std::vector<double> derivatives;
  for (const Var c : cs) derivatives.push_back(g[c].item());
  return derivatives;
}
//]

void motorway() {
  section("The motorway");
  const std::vector<double> closed = along_the_path(0), one = along_the_path(1), three = along_the_path(3);
  const double f1 = 1 / (1 + std::exp(-1)), f3 = 1 / (1 + std::exp(-3));
  fmt::print("         forget bias 0           forget bias 1           forget bias 3\n");
  fmt::print("  T   measured   0.5^T      measured   {:.4f}^T   measured   {:.4f}^T\n", f1, f3);
  for (const int T : {1, 2, 3, 5, 10, 20, 30, 40, 50}) {
    const std::size_t i = static_cast<std::size_t>(T - 1);
    fmt::print(" {:2}   {:.2e}   {:.2e}   {:.2e}   {:.2e}   {:.2e}   {:.2e}\n", T, closed[i], std::pow(0.5, T), one[i],
               std::pow(f1, T), three[i], std::pow(f3, T));
  }
  std::vector<double> Ts;
  for (int T = 1; T <= 50; ++T) Ts.push_back(T);
  draw({.title = "Along c, with all weights 0: the product of the forget gates",
        .x_label = "steps T",
        .y_label = "dc_T/dc_0",
        .log_y = true,
        .series = {{"bias 0: 0.5^T", Ts, closed}, {"bias 1: 0.7311^T", Ts, one}, {"bias 3: 0.9526^T", Ts, three}}},
       "powers.svg");
}

// The newest value on the tape that has this name.
Var newest(const Tape& tape, const std::string& name) {
  for (NodeId id = tape.last();; --id)
    if (tape.name(id) == name) return tape.var(id);
}

std::string line(const ArrayView& numbers, std::size_t from, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:8.4f}", numbers.flat(from + i));
  return text;
}

void print_matrix(const std::string& title, const ArrayView& matrix, std::size_t n) {
  fmt::print("{}\n", title);
  for (std::size_t i = 0; i < n; ++i) fmt::print("{}\n", line(matrix, i * n, n));
}

void side_roads() {
  section("The motorway and the local road");
  //[ jacobians
  Generator generator(5);
  const textbook::LSTM lstm({.input = 2, .hidden = 3, .dtype = f64}, generator);
  Tape tape;
  const LSTMState one = lstm(tape.constant(Array({1, 2}, {0.5, -1})), lstm.zero_state(tape, 1)).second;
  const LSTMState two = lstm(tape.constant(Array({1, 2}, {1, 0.3})), one).second;
  fmt::print("f_2\n{}\n", line(newest(tape, "f").value(), 0, 3));
  print_matrix("dc_2/dc_1 with h_1 held: the motorway", step_jacobian({two.c}, {one.c}, {one.h}), 3);
  print_matrix("dc_2/dc_1 in all, through h_1 as well", step_jacobian({two.c}, {one.c}), 3);
  //]
}

// |dL/dh_t| or |dL/dc_t| for t = 0 .. 30, where L is the sum of h_30.
template <class Cell> std::vector<double> flow_of(const Cell& cell, bool cell_state) {
  Generator generator(8);
  Tape tape;
  auto state = map_state(cell.zero_state(tape, 1), [&](Var v) { return tape.input(Array(v.shape(), f64)); });
  std::vector<Var> track{state_vars(state)[cell_state ? 1 : 0]};
  for (int t = 1; t <= 30; ++t) {
    state = cell(tape.constant(normal({1, 4}, 1, generator, f64)), state).second;
    track.push_back(state_vars(state)[cell_state ? 1 : 0]);
  }
  const Gradients g = backward(sum(state.h), {.keep = Keep::all});
  std::vector<double> norms;
  for (const Var v : track) norms.push_back(g.norm(v));
  return norms;
}

void over_thirty_steps() {
  section("Over thirty steps");
  Generator generator(4);
  const RNN rnn({.input = 4, .hidden = 16, .dtype = f64}, generator);
  const LSTM zero({.input = 4, .hidden = 16, .forget_bias = 0, .dtype = f64}, generator);
  const LSTM one({.input = 4, .hidden = 16, .dtype = f64}, generator);
  const LSTM three({.input = 4, .hidden = 16, .forget_bias = 3, .dtype = f64}, generator);
  const std::vector<double> h = flow_of(rnn, false), c0 = flow_of(zero, true), c1 = flow_of(one, true),
                            h1 = flow_of(one, false), c3 = flow_of(three, true);
  fmt::print("  t   RNN dL/dh   LSTM bias 0 dL/dc   bias 1 dL/dc   bias 1 dL/dh   bias 3 dL/dc\n");
  for (const std::size_t t : {30, 25, 20, 15, 10, 5, 0})
    fmt::print(" {:2}   {:9.1e}   {:17.1e}   {:12.1e}   {:12.1e}   {:12.1e}\n", t, h[t], c0[t], c1[t], h1[t], c3[t]);
  std::vector<double> ts;
  for (int t = 0; t <= 30; ++t) ts.push_back(t);
  draw({.title = "What arrives of the gradient of L = sum of h_30",
        .x_label = "time step t",
        .y_label = "norm",
        .log_y = true,
        .series = {{"RNN, h", ts, h},
                   {"LSTM, c, bias 0", ts, c0},
                   {"LSTM, c, bias 1", ts, c1},
                   {"LSTM, h, bias 1", ts, h1},
                   {"LSTM, c, bias 3", ts, c3}}},
       "flow.svg");

  // The picture at the head of the page.
  Generator seed(3);
  const textbook::LSTM lstm({.input = 2, .hidden = 3}, seed);
  Tape tape;
  const Var x = tape.constant(normal({2, 1, 2}, 1, seed));
  const auto before = map_state(lstm.zero_state(tape, 1), [&](Var v) {
    const Step step(tape, 0);
    const Scope layer(tape, "lstm");
    return tape.input(normal(v.shape(), 0.5, seed), tape.name(v.id()));
  });
  const Var loss = mean(square(over_time(lstm, x, before).state.h)).named("L");
  const Gradients g = backward(loss, {.keep = Keep::all, .flows = true});
  render(tape, "motorway.svg", {.level = Level::gates, .gradients = &g, .values = ValueView::none});
}

void one_product_or_eight() {
  section("One product or eight");
  //[ packed
  Generator generator(6);
  const LSTM packed({.input = 3, .hidden = 4, .dtype = f64}, generator);
  const textbook::LSTM apart(packed);  // copies of the same weights, cut into blocks
  Tape tape;
  const Var x = tape.input(normal({5, 2, 3}, 1, generator, f64), "x");
  const Var h_packed = over_time(packed, x).stacked(), h_apart = over_time(apart, x).stacked();
  const Gradients g_packed = backward(sum(square(h_packed))), g_apart = backward(sum(square(h_apart)));
  fmt::print("packed and textbook, 5 steps: h differs by less than 1e-12: {}, dL/dx: {}\n",
             largest_difference(h_packed.value(), h_apart.value()) < 1e-12,
             largest_difference(g_packed[x], g_apart[x]) < 1e-12);
  //]

  section("Side by side");
  //[ concatenated
  const Var h = tape.constant(normal({1, 100}, 1, generator, f64)),
            x_t = tape.constant(normal({1, 100}, 1, generator, f64));
  const Var U = tape.constant(normal({100, 100}, 0.1, generator, f64)),
            W = tape.constant(normal({100, 100}, 0.1, generator, f64));
  const Var both = concat({h, x_t}, 1), weights = concat({U, W}, 0);
  const Var once = matmul(both, weights), from_h = matmul(h, U), from_x = matmul(x_t, W);
  fmt::print("[h, x] {} times {} gives {}\n", to_string(both.shape()), to_string(weights.shape()),
             to_string(once.shape()));
  fmt::print("first numbers, one product:   {}\n", line(once.value(), 0, 5));
  fmt::print("first numbers, two products:  {}\n", line((from_h + from_x).value(), 0, 5));
  fmt::print("largest difference below 1e-13: {}\n",
             largest_difference(once.value(), (from_h + from_x).value()) < 1e-13);
  //]
}

void peepholes() {
  section("Peepholes");
  for (const bool peep : {false, true}) {
    Generator generator(5);
    const textbook::LSTM lstm({.input = 2, .hidden = 3, .peepholes = peep, .dtype = f64}, generator);
    if (peep)
      for (Parameter p : {lstm.p_i, lstm.p_f, lstm.p_o}) p.assign(Array({3}, {1.0, 1.0, 1.0}));
    fmt::print("{} peepholes, {} parameters\n", peep ? "with" : "without", lstm.parameter_count());
    for (const double content : {0.0, 2.0}) {
      Tape tape;
      const Var h = tape.constant(Array({1, 3}, f64)), c = tape.input(Array::filled({1, 3}, content, f64));
      const LSTMState after = lstm(tape.constant(Array({1, 2}, {0.5, -1})), {h, c}).second;
      fmt::print("  c_0 = {}: f_1 = {}   diagonal of dc_1/dc_0 = ", content, line(newest(tape, "f").value(), 0, 3));
      const Array J = step_jacobian({after.c}, {c});
      fmt::print("{:8.4f}{:8.4f}{:8.4f}\n", J.flat(0), J.flat(4), J.flat(8));
    }
  }
}

}  // namespace

int main() {
  one_gate_at_a_time();
  one_bit_thirty_steps();
  three_gates_and_a_candidate();
  motorway();
  side_roads();
  over_thirty_steps();
  one_product_or_eight();
  peepholes();
}
