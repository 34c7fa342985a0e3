// Chapter 11: where every number in a recurrent layer is, and why three systems count three totals.

#include <unroll/unroll.hpp>

#include "../course.hpp"
#include "blocks.hpp"
#include "pytorch.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

constexpr DType f64 = DType::f64;

double largest_difference(const ArrayView& a, const ArrayView& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a.flat(i) - b.flat(i)));
  return result;
}

void block_by_block() {
  section("Block by block");
  //[ blocks
  Generator generator(1);
  const auto print = [](const char* cell, const Module& layer) {
    fmt::print("{}\n", cell);
    for (const Parameter& p : layer.parameters())
      fmt::print("  {:9} {:9} {:4}\n", p.name(), to_string(p.shape()), p.size());
    fmt::print("  {:19} {:4}\n", "in all", layer.parameter_count());
  };
  print("RNN, 1 -> 10", textbook::RNN({.input = 1, .hidden = 10}, generator));
  print("LSTM, 1 -> 10", textbook::LSTM({.input = 1, .hidden = 10}, generator));
  print("GRU, 1 -> 10", textbook::GRU({.input = 1, .hidden = 10}, generator));
  //]
}

//[ formulas
std::int64_t rnn(std::int64_t in, std::int64_t out) { return ((in + 1) + out) * out; }
std::int64_t lstm(std::int64_t in, std::int64_t d) { return 4 * ((in + 1) * d + d * d); }
std::int64_t gru(std::int64_t m, std::int64_t n) { return 3 * (n * n + n * m + n); }
//]

void formulas() {
  section("The formulas");
  Generator generator(1);
  fmt::print("  in -> out     RNN           LSTM            GRU       formula and layer agree\n");
  for (const auto& [in, out] : {std::pair{1, 10}, {3, 10}, {10, 10}, {28, 128}, {100, 100}}) {
    const bool agree =
        RNN({.input = in, .hidden = out}, generator).parameter_count() == static_cast<std::size_t>(rnn(in, out)) &&
        LSTM({.input = in, .hidden = out}, generator).parameter_count() == static_cast<std::size_t>(lstm(in, out)) &&
        GRU({.input = in, .hidden = out}, generator).parameter_count() == static_cast<std::size_t>(gru(in, out));
    fmt::print(" {:3} -> {:3}  {:7}  {:13}  {:13}       {}\n", in, out, rnn(in, out), lstm(in, out), gru(in, out),
               agree);
  }
}

void time_steps() {
  section("Time steps do not count");
  //[ steps
  Generator generator(1);
  const LSTM layer({.input = 1, .hidden = 10}, generator);
  fmt::print(" steps   nodes on the tape   weights on the tape   numbers in them\n");
  for (const std::int64_t T : {3, 30, 300}) {
    Tape tape;
    over_time(layer, tape.constant(Array({T, 1, 1})));
    std::size_t weights = 0, numbers = 0;
    for (NodeId id = 0; id < tape.size(); ++id)
      if (const Parameter* p = tape.parameter(id)) ++weights, numbers += p->size();
    fmt::print("{:6} {:19} {:21} {:17}\n", T, tape.size(), weights, numbers);
  }
  //]
  Tape tape;
  Generator seed(2);
  const RNN small({.input = 1, .hidden = 10}, seed);
  over_time(small, tape.constant(Array({3, 1, 1})));
  render(tape, "shared.svg", {.level = Level::gates, .parameters = ParameterView::nodes, .values = ValueView::shapes});
}

//[ systems
struct Layout {
  std::string cell, system;
  std::vector<std::pair<std::string, Shape>> arrays;
};

// The arrays of each system for 1 -> 10, in its own names and shapes.
const std::vector<Layout> layouts = {
    {"RNN", "unroll, Keras", {{"kernel", {1, 10}}, {"recurrent", {10, 10}}, {"bias", {10}}}},
    {"RNN", "PyTorch", {{"ih", {10, 1}}, {"hh", {10, 10}}, {"b_ih", {10}}, {"b_hh", {10}}}},
    {"LSTM", "unroll, Keras", {{"kernel", {1, 40}}, {"recurrent", {10, 40}}, {"bias", {40}}}},
    {"LSTM", "TensorFlow 1", {{"kernel", {11, 40}}, {"bias", {40}}}},  // x and h side by side, 1 + 10
    {"LSTM", "PyTorch", {{"ih", {40, 1}}, {"hh", {40, 10}}, {"b_ih", {40}}, {"b_hh", {40}}}},
    {"LSTM", "ONNX", {{"W", {1, 40, 1}}, {"R", {1, 40, 10}}, {"B", {1, 80}}}},
    {"GRU", "unroll, reset before", {{"W_x", {1, 30}}, {"W_h", {10, 30}}, {"b", {30}}}},
    {"GRU", "unroll, reset after", {{"W_x", {1, 30}}, {"W_h", {10, 30}}, {"b", {30}}, {"b_h", {30}}}},
    {"GRU", "Keras", {{"kernel", {1, 30}}, {"recurrent", {10, 30}}, {"bias", {2, 30}}}},
    {"GRU", "PyTorch", {{"ih", {30, 1}}, {"hh", {30, 10}}, {"b_ih", {30}}, {"b_hh", {30}}}}};
//]

void three_systems() {
  section("Three systems");
  for (const Layout& layout : layouts) {
    std::size_t total = 0;
    std::string arrays;
    for (const auto& [name, shape] : layout.arrays) {
      total += shape.size();
      arrays += fmt::format(" {} {}", name, to_string(shape));
    }
    fmt::print("{:4}  {:20} {:4}  {}\n", layout.cell, layout.system, total, arrays);
  }
}

void options() {
  section("What else counts");
  //[ options
  Generator generator(1);
  const auto row = [](const char* what, const Module& layer) {
    fmt::print("{:47} {:5}\n", what, layer.parameter_count());
  };
  row("LSTM, 1 -> 10", LSTM({.input = 1, .hidden = 10}, generator));
  row("with peepholes: + 3 * 10", LSTM({.input = 1, .hidden = 10, .peepholes = true}, generator));
  row("with layer normalisation: + 10 * 10", LSTM({.input = 1, .hidden = 10, .layer_norm = true}, generator));
  row("h projected to 4: 4 (2 * 10 + 4 * 10) + 10 * 4", LSTM({.input = 1, .hidden = 10, .projection = 4}, generator));
  row("two layers: + 4 (11 * 10 + 10 * 10)", RecurrentStack({.input = 1, .hidden = 10, .layers = 2}, generator));
  row("both directions: twice", bidirectional({.input = 1, .hidden = 10}, generator));
  row("both, two layers: the second sees 20", bidirectional({.input = 1, .hidden = 10, .layers = 2}, generator));
  row("a readout 10 -> 1 is a layer of its own", Linear({.input = 10, .output = 1}, generator));
  //]
}

//[ convert
// The last axis holds one block for each letter of `from`; gives the blocks in the order of `to`.
Array reordered(const Array& blocks, std::string_view from, std::string_view to) {
  const std::size_t columns = static_cast<std::size_t>(blocks.shape()[blocks.rank() - 1]), H = columns / from.size();
  Array result(blocks.shape(), f64);
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    const std::size_t column = at % columns, there = from.find(to[column / H]);
    result.set_flat(at, blocks.flat(at - column + there * H + column % H));
  }
  return result;
}

// PyTorch computes x W^T: a row for each unit of each gate. Here, as in Keras, it is a column.
Array transposed(const Array& weight) {
  const xt::xarray<double> turned = xt::transpose(as_xarray<double>(weight));
  return Array(turned);
}

Array sum_of(const Array& a, const Array& b) {
  const xt::xarray<double> both = as_xarray<double>(a) + as_xarray<double>(b);
  return Array(both);
}

LSTM from_pytorch(const PyTorchLSTM& theirs, std::string_view order) {
  Generator any(1);
  LSTM layer({.input = 2, .hidden = 3, .dtype = f64}, any);
  layer.W_x.assign(reordered(transposed(theirs.weight_ih_l0), order, "ifgo"));
  layer.W_h.assign(reordered(transposed(theirs.weight_hh_l0), order, "ifgo"));
  layer.b.assign(reordered(sum_of(theirs.bias_ih_l0, theirs.bias_hh_l0), order, "ifgo"));
  return layer;
}
//]

void from_there_to_here() {
  section("PyTorch's weights, here");
  //[ compare
  const PyTorchLSTM theirs;
  for (const char* order : {"ifgo", "iofg"}) {
    const LSTM layer = from_pytorch(theirs, order);
    Tape tape;
    const LSTMState before{tape.constant(theirs.h0), tape.constant(theirs.c0)};
    const auto run = over_time(layer, tape.constant(theirs.x), before);
    const Array outputs = run.stacked().value().copy();
    const double difference = largest_difference(outputs, theirs.output);
    fmt::print("blocks read as {}: {} parameters\n", order, layer.parameter_count());
    fmt::print("  PyTorch, h_4: {:9.6f} {:9.6f} {:9.6f}\n", theirs.output.flat(9), theirs.output.flat(10),
               theirs.output.flat(11));
    fmt::print("  unroll,  h_4: {:9.6f} {:9.6f} {:9.6f}\n", outputs.flat(9), outputs.flat(10), outputs.flat(11));
    fmt::print("  all four steps agree to 1e-12: {}\n", difference < 1e-12);
  }
  //]

  BlockPicture(4, 10).draw({{"unroll", "x W, order i f g o", "ifgo", 1, false},
                            {"Keras", "x W, order i f c o", "ifco", 1, false},
                            {"PyTorch", "x W^T, i f g o", "ifgo", 2, true},
                            {"ONNX", "x W^T, i o f c", "iofc", 2, true}},
                           "blocks.svg");
}

//[ second
// What an update does to the sum b_ih + b_hh: two equal gradients, so two equal steps.
void two_biases() {
  section("Two biases for one");
  const Parameter b_ih("b_ih", Array({1}, {0.3})), b_hh("b_hh", Array({1}, {-0.1})), b("b", Array({1}, {0.2}));
  SGD two({b_ih, b_hh}, {.learning_rate = 0.1}), one({b}, {.learning_rate = 0.1});
  fmt::print("update   b_ih + b_hh        b   dL/db_ih  dL/db_hh   dL/db\n");
  for (int update = 1; update <= 3; ++update) {
    Tape tape;
    const auto loss = [&](Var bias) { return sum(square(tanh(bias + 0.5))); };
    const Gradients g = backward(loss(tape.use(b_ih) + tape.use(b_hh))), h = backward(loss(tape.use(b)));
    const double d_ih = g[b_ih].item(), d_hh = g[b_hh].item(), d = h[b].item();
    two.step(g);
    one.step(h);
    fmt::print("{:6} {:13.4f} {:8.4f} {:10.4f} {:9.4f} {:7.4f}\n", update, b_ih.value().item() + b_hh.value().item(),
               b.value().item(), d_ih, d_hh, d);
  }
}
//]

}  // namespace

int main() {
  block_by_block();
  formulas();
  time_steps();
  three_systems();
  two_biases();
  options();
  from_there_to_here();
}
