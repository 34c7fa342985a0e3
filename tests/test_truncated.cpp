#include "bptt_by_hand.hpp"

#include <unroll/core/check/gradient_bias.hpp>
#include <unroll/core/grad/cuts.hpp>
#include <unroll/core/render/listing.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/truncated.hpp>

#include <cmath>
#include <regex>

namespace unroll::test {

namespace {

// Truncated BPTT of the tanh RNN as Williams and Peng give it, in plain loops: one forward pass over the whole sequence; then, for each window, a
// backward pass from its end over k2 steps, into which only the losses of its own k1 steps are fed.
std::map<std::string, Array> truncated_by_hand(const RNN& layer, const Problem& p, std::size_t k1, std::size_t k2) {
  using namespace by_hand;
  Sheet s(p);
  const Matrix W_x(layer.W_x.value()), W_h(layer.W_h.value());
  const Vector bias = vector_of(layer.b.value());
  Matrix dW_x(s.I, s.H), dW_h(s.H, s.H);
  Vector db(s.H);
  for (std::size_t b = 0; b < s.B; ++b) {
    std::vector<Vector> h{row(p.h0, 0, b)};
    for (std::size_t t = 1; t <= s.T; ++t) {
      Vector a = bias;
      add_product(a, row(p.x, t - 1, b), W_x);
      add_product(a, h[t - 1], W_h);
      for (double& v : a) v = std::tanh(v);
      h.push_back(a);
    }
    for (std::size_t begin = 0; begin < s.T; begin += k1) {
      const std::size_t end = std::min(begin + k1, s.T);
      const std::size_t back_to = k1 == k2 ? begin : end > k2 ? end - k2 : 0;
      Vector dh(s.H);
      for (std::size_t t = end; t > back_to; --t) {
        if (t > begin) add_to(dh, row(p.d_output, t - 1, b));
        Vector da(s.H), dx(s.I), dh_before(s.H);
        for (std::size_t k = 0; k < s.H; ++k) da[k] = dh[k] * (1 - h[t][k] * h[t][k]);
        add_to(db, da);
        add_product_backward(da, row(p.x, t - 1, b), W_x, dx, dW_x);
        add_product_backward(da, h[t - 1], W_h, dh_before, dW_h);
        add_to(dx, row(s.dx, t - 1, b));
        set_row(s.dx, t - 1, b, dx);
        dh = dh_before;
      }
      if (back_to > 0) continue;
      add_to(dh, row(s.dh0, 0, b));
      set_row(s.dh0, 0, b, dh);
    }
  }
  return {{"x", s.dx},
          {"h0", s.dh0},
          {"W_x", array_of(layer.W_x.shape(), dW_x.elements)},
          {"W_h", array_of(layer.W_h.shape(), dW_h.elements)},
          {"b", array_of(layer.b.shape(), db)}};
}

LSTM small_lstm() {
  Generator generator(3);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  randomize(layer, generator);
  return layer;
}

// The loss of the last output of an LSTM over T random steps, truncated.
Var last_output_loss(Tape& tape, const LSTM& lstm, std::int64_t T, Truncation truncation) {
  Generator generator(5);
  const Var x = tape.constant(random_array({T, 1, 2}, generator), "x");
  const auto sequence = over_time(lstm, x, lstm.zero_state(tape, 1), {.truncate = truncation});
  return mean(square(sequence.outputs.back())).named("loss");
}

}  // namespace

TEST_CASE("truncated BPTT: the gradients of an RNN are those of windows by hand") {
  Generator generator(21);
  const RNN layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  randomize(layer, generator);
  const struct {
    std::int64_t T, k1, k2;
  } cases[] = {{8, 4, 4}, {7, 2, 2}, {6, 1, 1},  {7, 2, 3}, {7, 1, 4},
               {9, 4, 5}, {7, 3, 7}, {10, 4, 9}, {5, 7, 9}, {1, 1, 1}};
  for (const auto& c : cases) {
    const std::int64_t T = c.T, k1 = c.k1, k2 = c.k2;
    INFO("T ", T, ", k1 ", k1, ", k2 ", k2);
    const Problem p = random_problem(T, 2, 2, 3, false, generator);
    const auto expected = truncated_by_hand(layer, p, static_cast<std::size_t>(k1), static_cast<std::size_t>(k2));
    Tape tape;
    const Var x = tape.input(p.x), h0 = tape.input(p.h0, "h");
    const auto sequence = over_time(layer, x, HiddenState{h0}, {.truncate = Truncation{.k1 = k1, .k2 = k2}});
    CHECK(sequence.outputs.size() == static_cast<std::size_t>(T));
    CHECK(sequence.state.h == sequence.outputs.back());
    const Gradients g = backward(sum(sequence.stacked() * tape.constant(p.d_output)));
    CHECK(close(g[x], expected.at("x"), 1e-13, 1e-12));
    CHECK(close(g[h0], expected.at("h0"), 1e-13, 1e-12));
    for (const Parameter& w : layer.parameters()) {
      INFO(w.name());
      CHECK(close(g[w], expected.at(short_name(w)), 1e-13, 1e-12));
    }
  }
}

TEST_CASE("truncated BPTT: with k2 from T on it is full BPTT node by node and bit by bit") {
  for_each_layer(2, 3, [](const auto& packed, const auto&, const std::string&) {
    Generator generator(1);
    const Array xs = random_array({7, 2, 2}, generator);
    const auto record = [&](Tape& tape, std::optional<Truncation> truncation = {}) {
      const Var x = tape.input(xs, "x");
      const auto sequence = over_time(packed, x, packed.zero_state(tape, 2), OverTimeOptions{.truncate = truncation});
      return mean(square(sequence.stacked()));
    };
    Tape full;
    const Gradients expected = backward(record(full));
    const Truncation truncations[] = {{.k1 = 1, .k2 = 7}, {.k1 = 3, .k2 = 9}, {.k1 = 7, .k2 = 7}, {.k1 = 50, .k2 = 60}};
    for (const Truncation& truncation : truncations) {
      INFO("k1 ", truncation.k1, ", k2 ", truncation.k2);
      Tape tape;
      const Gradients found = backward(record(tape, truncation));
      CHECK(listing(tape) == listing(full));
      for (const Parameter& w : packed.parameters()) CHECK(same_bits(found[w], expected[w]));
    }
  });
}

TEST_CASE("truncated BPTT: outputs and the last state are those of the whole sequence to the bit") {
  const LSTM lstm = small_lstm();
  Generator generator(2);
  const Array xs = random_array({9, 2, 2}, generator);
  Tape tape;
  const Var x = tape.constant(xs);
  const auto whole = over_time(lstm, x, lstm.zero_state(tape, 2));
  for (const Truncation truncation : {Truncation{2, 2}, Truncation{2, 3}, Truncation{1, 5}, Truncation{4, 4}}) {
    INFO("k1 ", truncation.k1, ", k2 ", truncation.k2);
    const auto cut = over_time(lstm, x, lstm.zero_state(tape, 2), {.truncate = truncation});
    for (std::size_t t = 0; t < 9; ++t) CHECK(same_bits(cut.outputs[t].value(), whole.outputs[t].value()));
    CHECK(same_bits(cut.state.c.value(), whole.state.c.value()));
  }
}

TEST_CASE("truncated BPTT: a warm-up drops what the first pass dropped where the generator is named") {
  const LSTM lstm = small_lstm();
  Generator data(2);
  const Array xs = random_array({9, 2, 2}, data);
  std::vector<Array> outputs;
  std::vector<double> next;
  for (const std::optional<Truncation>& truncation :
       {std::optional<Truncation>{}, std::optional(Truncation{2, 2}), std::optional(Truncation{2, 5})}) {
    Generator noise(7);
    const auto cell = [&](Var x, const LSTMState& before) { return lstm(dropout(x, 0.5, noise), before); };
    Tape tape;
    const Var x = tape.constant(xs);
    outputs.push_back(over_time(cell, x, lstm.zero_state(tape, 2), {.truncate = truncation, .generators = {&noise}})
                          .stacked()
                          .value()
                          .copy());
    next.push_back(noise.uniform());
  }
  for (const std::size_t i : {1U, 2U}) {
    CHECK(same_bits(outputs[i], outputs[0]));
    CHECK(next[i] == next[0]);
  }
}

TEST_CASE("truncated BPTT: a loss at the end alone has the gradient of the last k2 steps") {
  const LSTM lstm = small_lstm();
  for (const Truncation truncation : {Truncation{3, 3}, Truncation{1, 5}, Truncation{3, 7}}) {
    INFO("k1 ", truncation.k1, ", k2 ", truncation.k2);
    Generator generator(4);
    const Array xs = random_array({9, 1, 2}, generator);
    Tape tape;
    const Var x = tape.constant(xs);
    const Gradients found =
        backward(sum(over_time(lstm, x, lstm.zero_state(tape, 1), {.truncate = truncation}).outputs.back()));

    Tape before, after;
    const auto first = over_time(lstm, slice(before.constant(xs), 0, 0, 9 - truncation.k2), lstm.zero_state(before, 1));
    const auto last = over_time(lstm, slice(after.constant(xs), 0, 9 - truncation.k2, 9),
                                resumed(lstm.zero_state(after, 1), carried(first.state)));
    const Gradients expected = backward(sum(last.outputs.back()));
    for (const Parameter& w : lstm.parameters()) CHECK(same_bits(found[w], expected[w]));
  }
}

TEST_CASE("truncated BPTT: no gradient is computed for an initial state that is cut off") {
  const LSTM lstm = small_lstm();
  const auto gradient_of_h0 = [&](Truncation truncation) {
    Generator generator(6);
    Tape tape;
    const Var x = tape.constant(random_array({6, 1, 2}, generator));
    const LSTMState initial{tape.input(random_array({1, 3}, generator), "h"),
                            tape.input(random_array({1, 3}, generator), "c")};
    const auto sequence = over_time(lstm, x, initial, {.truncate = truncation});
    const Gradients g = backward(sum(sequence.outputs.back()));
    return g.norm(initial.h) + g.norm(initial.c);
  };
  CHECK_THROWS_WITH_AS(gradient_of_h0({2, 2}),
                       "no gradient was computed for h [node 1]: the loss does not depend on it", GradientError);
  CHECK_THROWS_AS(gradient_of_h0({2, 5}), GradientError);
  CHECK(gradient_of_h0({2, 6}) > 0);
}

TEST_CASE("truncated BPTT: the bias of a linear recurrence is the share of the steps that are cut off") {
  // h_t = w h_(t-1) + x_t with x = 1, 0, 0, ... and L = h_T = w^(T-1). Of dL/dw = (T-1) w^(T-2), each step from the second on
  // contributes w^(T-2), so k2 steps give k2 / (T-1) of it.
  const Parameter w("w", Array({1, 1}, {0.9}));
  const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
    const Var next = matmul(h, x.tape().use(w)) + x;
    return {next, next};
  };
  constexpr int T = 12;
  const auto gradients = [&](std::int64_t k2) {
    Tape tape;
    std::vector<Var> xs;
    for (int t = 1; t <= T; ++t) xs.push_back(tape.constant(Array({1, 1}, {t == 1 ? 1.0 : 0.0})));
    return backward(
        over_time(cell, xs, tape.constant(Array({1, 1}, DType::f64)), {.truncate = Truncation{1, k2}}).outputs.back());
  };
  const Gradients full = gradients(T);
  CHECK(full[w].item() == doctest::Approx((T - 1) * std::pow(0.9, T - 2)));
  for (const int k2 : {1, 2, 5, 11, 12}) {
    const GradientBias bias = gradient_bias(gradients(k2), full, std::vector{w});
    CHECK(bias.all.relative_error == doctest::Approx(1 - std::min(1.0, k2 / (T - 1.0))));
    CHECK(bias.all.cosine == doctest::Approx(1));
  }
}

TEST_CASE("truncated BPTT: any form of state is cut part by part and the cuts can be listed") {
  const LSTM lstm = small_lstm();
  {
    Tape tape;
    last_output_loss(tape, lstm, 5, {2, 2});
    std::vector<std::string> found;
    for (const Cut& cut : cuts(tape)) {
      CHECK(tape[cut.node].op->name == "detach");
      CHECK(tape.inputs(cut.node)[0] == cut.of);
      CHECK(tape.name(cut.node) == cut.name);
      CHECK(tape[cut.node].place.step == cut.step);
      found.push_back(cut.layer + " " + cut.name + "_" + std::to_string(cut.step));
    }
    CHECK(found == std::vector<std::string>{"lstm h_2", "lstm c_2", "lstm h_4", "lstm c_4"});
    CHECK(tape.place == Place{});
  }
  Tape tape;
  Generator generator(1);
  const RecurrentStack stack({.cell = CellKind::gru, .input = 2, .hidden = 3, .layers = 2, .dtype = DType::f64},
                             generator);
  const Var x = tape.constant(random_array({5, 1, 2}, generator), "x");
  over_time(stack, x, stack.zero_state(tape, 1),
            {.truncate = Truncation{2, 3}});  // windows 1-2, 3-4 from step 1, 5 from step 2
  std::vector<std::string> found;
  for (const Cut& cut : cuts(tape)) found.push_back(cut.layer + " " + std::to_string(cut.step));
  CHECK(found == std::vector<std::string>{"gru1 1", "gru2 1", "gru1 2", "gru2 2"});
}

TEST_CASE("truncated BPTT: a detach of what needs no gradient or belongs to no step is no cut") {
  Tape tape;
  const Var h = tape.input(Array({2}, {1, 2}));
  detach(square(h));
  {
    const Step step(tape, 1);
    detach(tape.constant(Array({2}, {1, 2})));
    detach(square(h));
  }
  REQUIRE(cuts(tape).size() == 1);
  CHECK(cuts(tape)[0].node == tape.last());
}

TEST_CASE("truncated BPTT: a detach that a rule records in a backward pass is no cut") {
  // y = x, and on the way back as if the derivative were a number that x determines
  static const Op straight{.name = "straight",
                           .shape = [](const Call& c) { return c.shape(0); },
                           .view =
                               [](const Call& c, ArrayView& out, Arena&) {
                                 out = *c.inputs[0];
                                 return true;
                               },
                           .vjp = [](Vjp& v) { v.give(0, v.g * detach(exp(v.x[0]))); }};
  Tape tape;
  const Var h = tape.input(Array::scalar(2));
  Var y;
  {
    const Step step(tape, 1);
    y = apply(straight, {square(h)});
  }
  const Gradients gradients = backward(y, {.create_graph = true});
  CHECK(gradients[h].item() == doctest::Approx(4 * std::exp(4.0)).epsilon(1e-12));
  std::size_t detached = 0;
  for (NodeId id = 0; id < tape.size(); ++id) detached += tape[id].op->name == "detach";
  CHECK(detached == 1);
  CHECK(cuts(tape).empty());
}

TEST_CASE("truncated BPTT: impossible windows are refused") {
  const LSTM lstm = small_lstm();
  Tape tape;
  CHECK_THROWS_WITH_AS(last_output_loss(tape, lstm, 4, {0, 3}),
                       "over_time: a truncation with k1 = 0, k2 = 3: both are numbers of time steps, at least 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(last_output_loss(tape, lstm, 4, {2, -1}),
                       "over_time: a truncation with k1 = 2, k2 = -1: both are numbers of time steps, at least 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      last_output_loss(tape, lstm, 4, {3, 2}),
      "over_time: a truncation with k1 = 3, k2 = 2: k2 is below k1, so that some losses would reach no "
      "step at all",
      ShapeError);
  const auto largest = std::numeric_limits<std::int64_t>::max();
  CHECK_NOTHROW(last_output_loss(tape, lstm, 4, {largest, largest}));
}

TEST_CASE("truncated BPTT: the listing marks what is cut") {
  Generator generator(3);
  const RNN rnn({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const Var x = tape.constant(random_array({5, 1, 2}, generator), "x");
  over_time(rnn, x, rnn.zero_state(tape, 1), {.truncate = Truncation{2, 3}});
  CHECK(matches_golden("truncated.txt", listing(tape)));
}

TEST_CASE("truncated BPTT: the drawing marks what is cut") {
  Tape tape;
  last_output_loss(tape, small_lstm(), 3, {2, 2});
  std::string text = render(tape, {.format = Format::dot});
  // positions and sizes come from the fonts of the machine
  text = std::regex_replace(text, std::regex(R"re((, )?(pos|lp|bb)="[^"]*"(, )?)re"), ", ");
  text = std::regex_replace(text, std::regex(R"re(\b(width|height)=[0-9.]+, )re"), "");
  CHECK(matches_golden("truncated.dot", text));
}

TEST_CASE("drawing: a detach between steps is a cut line and any other one a box") {
  const auto count = [](const std::string& text, const std::string& what) {
    int found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  const auto drawn = [](const auto& between) {
    Tape tape;
    Var h = tape.input(Array({2}, {1, 2}), "h");
    for (int t = 1; t <= 3; ++t) {
      const Step step(tape, t);
      h = between(tanh(h).named("h"), t);
    }
    mean(h).named("loss");
    return render(tape, {.format = Format::dot});
  };
  // a program's own truncation, recorded inside the step
  const std::string line = drawn([](Var h, int t) { return t == 2 ? detach(h) : h; });
  CHECK(count(line, "✂ cut") == 1);
  CHECK(count(line, "label=<detach") == 0);
  // read by its own step, read after time, and read by nobody
  for (const std::string& box : {drawn([](Var h, int t) { return t == 2 ? tanh(detach(h)).named("h") : h; }),
                                 drawn([](Var h, int t) { return t == 3 ? detach(h) : h; }), drawn([](Var h, int t) {
                                   if (t == 2) detach(h);
                                   return h;
                                 })}) {
    CHECK(count(box, "✂ cut") == 0);
    CHECK(count(box, "label=<detach") == 1);
  }
}

}  // namespace unroll::test
