// Grades the exercises of chapter 11: counts against layers that are built, weights against outputs that PyTorch computed.

#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>
#include <string>
#include <vector>

using namespace unroll;
using namespace unroll::course;

namespace {

struct CountMistake {
  std::int64_t value;
  std::string hint;
};

void expect_count(std::int64_t got, std::size_t wanted, const std::vector<CountMistake>& mistakes,
                  const std::string& otherwise) {
  std::vector<NumberMistake> numbers;
  for (const auto& [value, hint] : mistakes)
    if (value != static_cast<std::int64_t>(wanted)) numbers.push_back({static_cast<double>(value), hint});
  expect_equal(static_cast<double>(got), static_cast<double>(wanted), numbers, otherwise, 1e-12);
}

const std::string no_bias = "The biases are missing: every block has a vector b.";
const std::string no_recurrent =
    "The weights from h are missing: every block has a second matrix, U, of hidden by hidden.";

void grade_rnn() {
  Generator generator(1);
  for (const auto& [m, n] : {std::pair<std::int64_t, std::int64_t>{1, 10}, {3, 5}, {7, 2}})
    expect_count(rnn_parameters(m, n), RNN({.input = m, .hidden = n}, generator).parameter_count(),
                 {{(m + n) * n, no_bias},
                  {(m + 1) * n, no_recurrent},
                  {(n + 1) * n, "The weights from x are missing."},
                  {(m + n + 2) * n, "One bias too many: that is PyTorch's count. This library has one."},
                  {(m + n + 1) * n + n + 1, "A readout is counted here: that is a layer of its own."},
                  {(m + n) * n + 1, "The bias is a vector: one number for each unit."}},
                 "An RNN has W, from x to h, U, from h to h, and b.");
}

void grade_lstm() {
  Generator generator(1);
  const std::int64_t m = 3, n = 5;
  const std::int64_t plain = static_cast<std::int64_t>(LSTM({.input = m, .hidden = n}, generator).parameter_count());
  expect_count(lstm_parameters({.input = m, .hidden = n}), static_cast<std::size_t>(plain),
               {{4 * (m + n) * n, no_bias},
                {4 * (m + 1) * n, no_recurrent},
                {3 * (m + n + 1) * n, "Three blocks: the candidate has weights of its own, too."},
                {(m + n + 1) * n, "This is one block. An LSTM has three gates and a candidate."},
                {4 * (m + n + 2) * n, "Two biases where one is asked for."}},
               "An LSTM is four blocks, each as large as an RNN.");
  expect_count(lstm_parameters({.input = 1, .hidden = 10, .steps = 3}),
               LSTM({.input = 1, .hidden = 10}, generator).parameter_count(),
               {{3 * 480, "Three time steps do not make three layers: all steps share one set of weights."},
                {4 * (3 + 10 + 1) * 10,
                 "The three time steps were taken for three inputs. The input of a step has one feature."}},
               "The number of time steps must not matter.");
  // PyTorch's arrays for 1 -> 10: (40, 1), (40, 10), (40), (40)
  expect_count(lstm_parameters({.input = 1, .hidden = 10, .biases = 2}), 40 + 400 + 40 + 40,
               {{480, "The second bias is missing: 4 * hidden numbers more."},
                {490, "The second bias has a vector for each of the four blocks."}},
               "With two biases, PyTorch's four arrays have 520 numbers.");
  expect_count(lstm_parameters({.input = m, .hidden = n, .peepholes = true}),
               LSTM({.input = m, .hidden = n, .peepholes = true}, generator).parameter_count(),
               {{plain, "The peepholes are missing."},
                {plain + 4 * n, "Four peepholes: the candidate has none."},
                {plain + 3 * n * n, "A peephole is a vector, not a matrix: it multiplies c elementwise."},
                {plain + 3, "A peephole is a vector: one number for each unit."}},
               "Peepholes add p_i, p_f and p_o.");
  const std::int64_t p = 2;
  expect_count(
      lstm_parameters({.input = m, .hidden = n, .projection = p}),
      LSTM({.input = m, .hidden = n, .projection = p}, generator).parameter_count(),
      {{plain, "The projection is missing."},
       {plain + n * p,
        "The projection matrix is there. But what comes back as h now has `projection` units: how many rows has U?"},
       {4 * (m + p + 1) * n, "U is smaller, and that is right. The matrix of the projection itself is missing."},
       {4 * (m + p + 1) * p + n * p, "Only h is narrow. The gates and c still have `hidden` units."}},
      "With a projection h has `projection` units, and a matrix (hidden, projection) makes it.");
}

void grade_gru() {
  Generator generator(1);
  for (const auto& [m, n] : {std::pair<std::int64_t, std::int64_t>{1, 10}, {4, 3}})
    for (const std::int64_t biases : {1, 2}) {
      const Reset reset = biases == 1 ? Reset::before : Reset::after;
      expect_count(gru_parameters(m, n, biases),
                   GRU({.input = m, .hidden = n, .reset = reset}, generator).parameter_count(),
                   {{3 * (m + n) * n, no_bias},
                    {3 * (m + biases) * n, no_recurrent},
                    {4 * (m + n + biases) * n, "Four blocks are an LSTM. Which ones has a GRU?"},
                    {2 * (m + n + biases) * n, "Two gates, but the candidate has weights of its own, too."},
                    {3 * (m + n + 1) * n, "The second bias is missing: 3 * hidden numbers more."},
                    {3 * (m + n + 1) * n + n,
                     "Only the candidate's second bias is counted. PyTorch and Keras store one for all three blocks."}},
                   "A GRU has three blocks.");
    }
}

// The rows of the blocks in another order.
Array rows_in_order(const Array& weight, const std::vector<std::size_t>& from) {
  Array result(weight.shape(), weight.dtype());
  const std::size_t block = weight.size() / 4;
  for (std::size_t k = 0; k < 4; ++k)
    for (std::size_t j = 0; j < block; ++j) result.set_flat(k * block + j, weight.flat(from[k] * block + j));
  return result;
}

void grade_onnx() {
  // Two units, K = 2; the tens say the block of PyTorch's order: i 10, f 20, g 30, o 40.
  const Array weight({8, 2}, {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44});
  const Array wanted({8, 2}, {11, 12, 13, 14, 41, 42, 43, 44, 21, 22, 23, 24, 31, 32, 33, 34});
  expect_equal("the weight", to_onnx(weight), wanted,
               {{weight, "Nothing has moved: the blocks still stand in the order i f g o."},
                {rows_in_order(weight, {0, 2, 3, 1}),
                 "The blocks went the wrong way: this is what would turn ONNX's order into PyTorch's. For each place "
                 "in i o f c, ask where PyTorch has it."},
                {rows_in_order(weight, {0, 1, 3, 2}),
                 "This is i f o g. ONNX's order is i o f c: the output gate stands second."},
                {Array({8, 2}, {11, 12, 41, 42, 21, 22, 31, 32, 13, 14, 43, 44, 23, 24, 33, 34}),
                 "Single rows have moved. A block is `hidden` rows."}},
               "i stays, then comes o, then f, then c, which PyTorch calls g.");
}

void grade_from_pytorch() {
  const PyTorchLSTM theirs;
  const LSTM yours = from_pytorch(theirs);
  expect_shape("W_x", yours.W_x.value(), {2, 12}, "The layer has another form than asked for.");
  Generator any(1);
  const auto outputs = [&](const LSTM& layer) {
    Tape tape;
    const LSTMState before{tape.constant(theirs.h0), tape.constant(theirs.c0)};
    return over_time(layer, time_steps(tape.constant(theirs.x)), before).stacked().value().copy();
  };
  // The same layer with one thing wrong, as a right one is put together here from PyTorch's arrays.
  const auto turned = [](const Array& a, const std::vector<std::size_t>& order) {
    const Array rows = rows_in_order(a, order);
    const xt::xarray<double> t = xt::transpose(as_xarray<double>(rows));
    return Array(t);
  };
  const auto with = [&](const std::vector<std::size_t>& order, double b_ih, double b_hh, bool turn = true) {
    LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, any);
    layer.W_x.assign(turn ? turned(theirs.weight_ih_l0, order) : theirs.weight_ih_l0.reshaped({2, 12}));
    layer.W_h.assign(turn ? turned(theirs.weight_hh_l0, order) : theirs.weight_hh_l0.reshaped({3, 12}));
    Array b({12}, DType::f64);
    const Array ih = rows_in_order(theirs.bias_ih_l0, order), hh = rows_in_order(theirs.bias_hh_l0, order);
    for (std::size_t i = 0; i < 12; ++i) b.set_flat(i, b_ih * ih.flat(i) + b_hh * hh.flat(i));
    layer.b.assign(b);
    return outputs(layer);
  };
  const std::vector<std::size_t> same{0, 1, 2, 3};
  const std::string one = "Only one of the two biases has come over. PyTorch adds both.";
  expect_equal(
      "the outputs of four steps", outputs(yours), theirs.output,
      {{with(same, 1, 0), one},
       {with(same, 0, 1), one},
       {with(same, 0, 0), "The biases are missing. PyTorch adds both."},
       {with(same, 0.5, 0.5), "This is the mean of the two biases. PyTorch adds them."},
       {with(same, 1, 1, false),
        "The numbers were poured in row by row. PyTorch has a row for each unit, this library a column: transpose."},
       {with({0, 3, 1, 2}, 1, 1),
        "The blocks are in ONNX's order. PyTorch's and this library's order are the same, i f g o: only rows become "
        "columns."}},
      "PyTorch, with the same weights and inputs, gives other outputs.", 1e-10);
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "11 · How many parameters?");
  grading.task("an RNN", grade_rnn);
  grading.task("an LSTM with options", grade_lstm);
  grading.task("a GRU", grade_gru);
  grading.task("from PyTorch's order to ONNX's", grade_onnx);
  grading.task("PyTorch's weights in this library", grade_from_pytorch);
  return grading.finish();
}
