#include "layers_support.hpp"

#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/summary.hpp>

#include <algorithm>
#include <cmath>

// Names, numbers and first values of parameters.

namespace unroll::test {

namespace {

std::vector<std::string> names(const Module& module) {
  std::vector<std::string> result;
  for (const Parameter& p : module.parameters()) result.push_back(p.name());
  return result;
}

using Names = std::vector<std::string>;

// |Q' Q - I|, or |Q Q' - I| for a matrix wider than high.
double distance_from_orthogonal(const Array& q) {
  const std::int64_t rows = q.shape()[0], width = q.shape()[1], n = std::min(rows, width);
  double worst = 0;
  for (std::int64_t a = 0; a < n; ++a)
    for (std::int64_t b = 0; b < n; ++b) {
      double dot_product = a == b ? -1 : 0;
      for (std::int64_t k = 0; k < std::max(rows, width); ++k)
        dot_product += width > rows ? q.at({a, k}) * q.at({b, k}) : q.at({k, a}) * q.at({k, b});
      worst = std::max(worst, std::abs(dot_product));
    }
  return worst;
}

// A module of two parts, as a user would write one.
struct Model : Module {
  explicit Model(Generator& generator)
      : Module("model"),
        embedding({.vocabulary = 5, .dimension = 2}, generator),
        readout({.input = 2, .output = 5, .name = "readout"}, generator) {
    add(embedding);
    add(readout);
    scale = add("scale", Array::filled({}, 1));
  }
  Embedding embedding;
  Linear readout;
  Parameter scale;
};

}  // namespace

TEST_CASE("parameters are named layer.parameter, in a fixed order") {
  Generator generator(1);
  CHECK(names(RNN({.input = 1, .hidden = 1}, generator)) == Names{"rnn.W_x", "rnn.W_h", "rnn.b"});
  CHECK(names(LSTM({.input = 1, .hidden = 1, .name = "top"}, generator)) == Names{"top.W_x", "top.W_h", "top.b"});
  CHECK(names(LSTM({.input = 1, .hidden = 1, .peepholes = true}, generator)) ==
        Names{"lstm.W_x", "lstm.W_h", "lstm.b", "lstm.p_i", "lstm.p_f", "lstm.p_o"});
  CHECK(names(GRU({.input = 1, .hidden = 1}, generator)) == Names{"gru.W_x", "gru.W_h", "gru.b"});
  CHECK(names(GRU({.input = 1, .hidden = 1, .reset = Reset::after}, generator)) ==
        Names{"gru.W_x", "gru.W_h", "gru.b", "gru.b_h"});
  CHECK(names(textbook::GRU({.input = 1, .hidden = 1, .reset = Reset::after}, generator)) ==
        Names{"gru.W_r", "gru.U_r", "gru.b_r", "gru.W_z", "gru.U_z", "gru.b_z", "gru.W_n", "gru.U_n", "gru.b_n",
              "gru.b_hr", "gru.b_hz", "gru.b_hn"});
  CHECK(names(textbook::LSTM({.input = 1, .hidden = 1}, generator)) ==
        Names{"lstm.W_i", "lstm.U_i", "lstm.b_i", "lstm.W_f", "lstm.U_f", "lstm.b_f", "lstm.W_g", "lstm.U_g",
              "lstm.b_g", "lstm.W_o", "lstm.U_o", "lstm.b_o"});
}

TEST_CASE("layers of 10 units on 1 input have 120, 480, 360 and 390 parameters") {
  Generator generator(1);
  CHECK(RNN({.input = 1, .hidden = 10}, generator).parameter_count() == 120);
  CHECK(LSTM({.input = 1, .hidden = 10}, generator).parameter_count() == 480);
  CHECK(GRU({.input = 1, .hidden = 10, .reset = Reset::before}, generator).parameter_count() == 360);
  CHECK(GRU({.input = 1, .hidden = 10, .reset = Reset::after}, generator).parameter_count() == 390);
}

TEST_CASE("parameter counts of other sizes, in both forms") {
  Generator generator(1);
  const LSTM lstm({.input = 3, .hidden = 5}, generator),
      peephole({.input = 3, .hidden = 5, .peepholes = true}, generator);
  const GRU before({.input = 4, .hidden = 2}, generator),
      after({.input = 4, .hidden = 2, .reset = Reset::after}, generator);
  CHECK(lstm.parameter_count() == 180);
  CHECK(peephole.parameter_count() == 195);
  CHECK(before.parameter_count() == 42);
  CHECK(after.parameter_count() == 48);
  CHECK(textbook::LSTM(lstm).parameter_count() == 180);
  CHECK(textbook::LSTM(peephole).parameter_count() == 195);
  CHECK(textbook::GRU(before).parameter_count() == 42);
  CHECK(textbook::GRU(after).parameter_count() == 48);
  CHECK(LSTM({.input = 100, .hidden = 256}, generator).parameter_count() == 365'568);
  CHECK(Linear({.input = 7, .output = 3}, generator).parameter_count() == 24);
  CHECK(Embedding({.vocabulary = 7, .dimension = 3}, generator).parameter_count() == 21);
}

TEST_CASE("layer normalisation and projection add their parameters, gains at 1 and biases at 0") {
  Generator generator(1);
  const LSTM lstm({.input = 3, .hidden = 5, .layer_norm = true}, generator);
  CHECK(names(lstm) == Names{"lstm.W_x", "lstm.W_h", "lstm.b", "lstm.g_x", "lstm.g_h", "lstm.g_c", "lstm.b_c"});
  CHECK(lstm.parameter_count() == 180 + 10 * 5);
  CHECK(close(lstm.g_c.value(), Array({5}, {1, 1, 1, 1, 1}), 0, 0));
  CHECK(close(lstm.b_c.value(), Array({5}, DType::f64), 0, 0));
  const LSTM projected({.input = 3, .hidden = 5, .peepholes = true, .projection = 2}, generator);
  CHECK(names(projected) == Names{"lstm.W_x", "lstm.W_h", "lstm.b", "lstm.p_i", "lstm.p_f", "lstm.p_o", "lstm.W_p"});
  CHECK(projected.parameter_count() == 4 * (4 * 5 + 2 * 5) + 15 + 5 * 2);
  CHECK(names(RNN({.input = 1, .hidden = 1, .layer_norm = true}, generator)) ==
        Names{"rnn.W_x", "rnn.W_h", "rnn.b", "rnn.g"});
  const GRU gru({.input = 4, .hidden = 2, .reset = Reset::after, .layer_norm = true}, generator);
  CHECK(names(gru) == Names{"gru.W_x", "gru.W_h", "gru.b", "gru.b_h", "gru.g_x", "gru.g_h"});
  CHECK(gru.parameter_count() == 48 + 6 * 2);
}

TEST_CASE("a model has the parameters of its parts, and its copies share them") {
  Generator generator(1);
  const Model model(generator), copy = model;
  CHECK(names(model) == Names{"embedding.E", "readout.W", "readout.b", "model.scale"});
  CHECK(model.parameter_count() == 26);
  CHECK(copy.parameters()[3] == model.scale);
  CHECK(model.parameters()[0] == model.embedding.E);
}

TEST_CASE("input weights are uniform within Glorot's limit, for each gate by itself") {
  Generator generator(42);
  const LSTM layer({.input = 60, .hidden = 40, .dtype = DType::f64}, generator);
  const Array& W = layer.W_x.value();
  REQUIRE(W.size() == 9600);
  double largest = 0, total = 0, squares = 0;
  for (std::size_t i = 0; i < W.size(); ++i) {
    largest = std::max(largest, std::abs(W.flat(i)));
    total += W.flat(i);
    squares += W.flat(i) * W.flat(i);
  }
  // sqrt(6 / (60 + 40)) and its uniform distribution's variance, 6 / 100 / 3
  CHECK(largest <= 0.24494897427831783);
  CHECK(largest > 0.244);
  CHECK(std::abs(total / 9600) < 0.005);
  CHECK(squares / 9600 == doctest::Approx(0.02).epsilon(0.04));
}

TEST_CASE("recurrent weights are orthogonal, for each gate by itself") {
  Generator generator(42);
  const auto check = [](const Array& W, std::int64_t gates) {
    const std::int64_t H = W.shape()[0];
    for (std::int64_t k = 0; k < gates; ++k) CHECK(distance_from_orthogonal(columns(W, k * H, (k + 1) * H)) < 1e-13);
    if (gates > 1) CHECK_FALSE(close(columns(W, 0, H), columns(W, H, 2 * H), 1e-3, 0));
  };
  check(LSTM({.input = 2, .hidden = 9, .dtype = DType::f64}, generator).W_h.value(), 4);
  check(GRU({.input = 2, .hidden = 9, .dtype = DType::f64}, generator).W_h.value(), 3);
  check(RNN({.input = 2, .hidden = 9, .dtype = DType::f64}, generator).W_h.value(), 1);
  const LSTM single({.input = 2, .hidden = 9}, generator);
  CHECK(distance_from_orthogonal(columns(single.W_h.value(), 9, 18)) < 1e-6);
}

TEST_CASE("orthogonal gives orthonormal columns, or rows where it is wider than high") {
  Generator generator(1);
  CHECK(distance_from_orthogonal(orthogonal({5, 2}, generator, DType::f64)) < 1e-14);
  CHECK(distance_from_orthogonal(orthogonal({2, 5}, generator, DType::f64)) < 1e-14);
  CHECK(distance_from_orthogonal(columns(orthogonal({3, 8}, generator, DType::f64, 2), 4, 8)) < 1e-14);
  // no direction is preferred: the first element of a random orthogonal 1 x 1 matrix is +1 or -1
  int positive = 0;
  for (int i = 0; i < 100; ++i) positive += orthogonal({1, 1}, generator, DType::f64).item() > 0 ? 1 : 0;
  CHECK(positive > 20);
  CHECK(positive < 80);
}

TEST_CASE("biases start at zero, but that of the forget gate at 1 or as asked") {
  Generator generator(1);
  CHECK(close(LSTM({.input = 1, .hidden = 2}, generator).b.value(), Array({8}, {0, 0, 1, 1, 0, 0, 0, 0}), 0, 0));
  CHECK(close(LSTM({.input = 1, .hidden = 1, .forget_bias = -2.5}, generator).b.value(), Array({4}, {0, -2.5, 0, 0}), 0,
              0));
  const textbook::LSTM textbook({.input = 1, .hidden = 2}, generator);
  CHECK(close(textbook.forget.b.value(), Array({2}, {1, 1}), 0, 0));
  CHECK(close(textbook.input.b.value(), Array({2}, {0, 0}), 0, 0));
  const GRU gru({.input = 1, .hidden = 1, .reset = Reset::after}, generator);
  CHECK(close(gru.b.value(), Array({3}, {0, 0, 0}), 0, 0));
  CHECK(close(gru.b_h.value(), Array({3}, {0, 0, 0}), 0, 0));
}

TEST_CASE("equal seeds give equal weights, other seeds others") {
  const auto weights = [](std::uint64_t seed) {
    Generator generator(seed);
    const LSTM layer({.input = 3, .hidden = 4, .peepholes = true}, generator);
    std::vector<Array> all;
    for (const Parameter& p : layer.parameters()) all.push_back(p.value().copy());
    return all;
  };
  const auto first = weights(5), again = weights(5), other = weights(6);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(same_bits(first[i], again[i]));
    if (i != 2) CHECK_FALSE(close(first[i], other[i], 1e-6, 0));  // all but the bias are random
  }
}

TEST_CASE("two layers from one generator have different weights") {
  Generator generator(5);
  const RNN first({.input = 3, .hidden = 4}, generator), second({.input = 3, .hidden = 4}, generator);
  CHECK_FALSE(close(first.W_x.value(), second.W_x.value(), 1e-6, 0));
  CHECK_FALSE(close(first.W_h.value(), second.W_h.value(), 1e-6, 0));
}

TEST_CASE("weights in float32 are those in float64, rounded") {
  Generator a(5), b(5);
  const LSTM single({.input = 3, .hidden = 4}, a), full({.input = 3, .hidden = 4, .dtype = DType::f64}, b);
  CHECK(single.W_x.dtype() == DType::f32);
  for (std::size_t i = 0; i < single.parameters().size(); ++i)
    CHECK(same_bits(single.parameters()[i].value(), full.parameters()[i].value().as(DType::f32)));
}

TEST_CASE("embeddings start normal with deviation 1") {
  Generator generator(3);
  const Embedding layer({.vocabulary = 50, .dimension = 100}, generator);
  double total = 0, squares = 0;
  for (std::size_t i = 0; i < 5000; ++i) {
    total += layer.E.value().flat(i);
    squares += layer.E.value().flat(i) * layer.E.value().flat(i);
  }
  CHECK(std::abs(total / 5000) < 0.05);
  CHECK(squares / 5000 == doctest::Approx(1).epsilon(0.08));
}

TEST_CASE("summary is a table of names, shapes and counts with the total") {
  Generator generator(1);
  CHECK(summary(LSTM({.input = 1, .hidden = 10}, generator)) ==
        "parameter  shape          count\n"
        "lstm.W_x   (1, 40)           40\n"
        "lstm.W_h   (10, 40)         400\n"
        "lstm.b     (40)              40\n"
        "total                       480\n");
  CHECK(summary(GRU({.input = 1, .hidden = 10, .reset = Reset::after, .name = "a_long_layer_name"}, generator)) ==
        "parameter              shape          count\n"
        "a_long_layer_name.W_x  (1, 30)           30\n"
        "a_long_layer_name.W_h  (10, 30)         300\n"
        "a_long_layer_name.b    (30)              30\n"
        "a_long_layer_name.b_h  (30)              30\n"
        "total                                   390\n");
}

}  // namespace unroll::test
