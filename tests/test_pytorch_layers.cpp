#include "layers_support.hpp"

#include <unroll/layers/gru.hpp>
#include <unroll/layers/textbook.hpp>

#include <nlohmann/json.hpp>

// Values and gradients of PyTorch's layers in float64, from tests/fixtures (see the README there).

namespace unroll::test {

namespace {

using nlohmann::json;

Array optional_tensor(const json& file, const std::string& name) {
  return file.contains(name) ? tensor(file.at(name)) : Array();
}

Problem problem_of(const json& file) {
  return {tensor(file.at("x")),        tensor(file.at("h0")),    optional_tensor(file, "c0"),
          tensor(file.at("d_output")), tensor(file.at("d_h_n")), optional_tensor(file, "d_c_n")};
}

Array transposed(const Array& a) {
  Array result({a.shape()[1], a.shape()[0]}, a.dtype());
  for (std::int64_t i = 0; i < a.shape()[0]; ++i)
    for (std::int64_t j = 0; j < a.shape()[1]; ++j)
      result.set_flat(static_cast<std::size_t>(j * a.shape()[0] + i), a.at({i, j}));
  return result;
}

Array added(const Array& a, const Array& b) {
  Array result = a.copy();
  for (std::size_t i = 0; i < a.size(); ++i) result.set_flat(i, a.flat(i) + b.flat(i));
  return result;
}

Solution solution_of(const json& file) {
  Solution s{tensor(file.at("output")), tensor(file.at("h_n")), optional_tensor(file, "c_n"), {}};
  for (const std::string name : {"x", "h0", "c0"})
    if (file.contains(name)) s.gradients[name] = tensor(file.at("grad_" + name));
  return s;
}

// torch.nn.RNN and LSTM: weights are transposed, and each of the two biases, which are only ever added, has the
// gradient of our one.
void take_one_bias(const json& file, Parameter W_x, Parameter W_h, Parameter b, Solution& expected) {
  W_x.assign(transposed(tensor(file.at("weight_ih_l0"))));
  W_h.assign(transposed(tensor(file.at("weight_hh_l0"))));
  b.assign(added(tensor(file.at("bias_ih_l0")), tensor(file.at("bias_hh_l0"))));
  expected.gradients["W_x"] = transposed(tensor(file.at("grad_weight_ih_l0")));
  expected.gradients["W_h"] = transposed(tensor(file.at("grad_weight_hh_l0")));
  expected.gradients["b"] = tensor(file.at("grad_bias_ih_l0"));
  REQUIRE(close(tensor(file.at("grad_bias_hh_l0")), expected.gradients["b"], 1e-14, 1e-13));
}

// Files under our names.
void take_by_name(const json& file, const Module& layer, Solution& expected) {
  for (Parameter p : layer.parameters()) {
    p.assign(tensor(file.at(short_name(p))));
    expected.gradients[short_name(p)] = tensor(file.at("grad_" + short_name(p)));
  }
}

// Both forms of a layer; the textbook form takes its weights from the packed one.
template <class Textbook, class Packed>
void check_both(const Packed& packed, const json& file, const Solution& expected, const std::string& gates) {
  REQUIRE(expected.gradients.size() == packed.parameters().size() + (file.contains("c0") ? 3 : 2));
  const Problem problem = problem_of(file);
  SUBCASE("packed") { check_equal(solve(packed, problem), expected, gates); }
  SUBCASE("textbook") {
    const Textbook textbook(packed);
    const Solution found = solve(textbook, problem);
    CHECK(found.gradients.size() == textbook.parameters().size() + (file.contains("c0") ? 3 : 2));
    check_equal(found, expected, gates);
  }
}

void check_rnn(const std::string& name, Activation activation) {
  const json file = fixture(name);
  Generator generator(1);
  const RNN layer(
      {.input = file.at("input"), .hidden = file.at("hidden"), .activation = activation, .dtype = DType::f64},
      generator);
  Solution expected = solution_of(file);
  take_one_bias(file, layer.W_x, layer.W_h, layer.b, expected);
  check_both<textbook::RNN>(layer, file, expected, "");
}

}  // namespace

TEST_CASE("the tanh RNN has the values and gradients of torch.nn.RNN") { check_rnn("rnn_tanh.json", Activation::tanh); }

TEST_CASE("the relu RNN has the values and gradients of torch.nn.RNN") { check_rnn("rnn_relu.json", Activation::relu); }

TEST_CASE("the LSTM has the values and gradients of torch.nn.LSTM") {
  const json file = fixture("lstm.json");
  Generator generator(1);
  const LSTM layer({.input = file.at("input"), .hidden = file.at("hidden"), .dtype = DType::f64}, generator);
  Solution expected = solution_of(file);
  take_one_bias(file, layer.W_x, layer.W_h, layer.b, expected);
  check_both<textbook::LSTM>(layer, file, expected, "ifgo");
}

TEST_CASE("the LSTM with peepholes has the values and gradients of PyTorch's autograd") {
  const json file = fixture("lstm_peephole.json");
  Generator generator(1);
  const LSTM layer({.input = file.at("input"), .hidden = file.at("hidden"), .peepholes = true, .dtype = DType::f64},
                   generator);
  Solution expected = solution_of(file);
  take_by_name(file, layer, expected);
  check_both<textbook::LSTM>(layer, file, expected, "ifgo");
}

TEST_CASE("the GRU with the reset after the product has the values and gradients of torch.nn.GRU") {
  const json file = fixture("gru.json");
  Generator generator(1);
  const GRU layer({.input = file.at("input"), .hidden = file.at("hidden"), .reset = Reset::after, .dtype = DType::f64},
                  generator);
  Solution expected = solution_of(file);
  Parameter W_x = layer.W_x, W_h = layer.W_h, b = layer.b, b_h = layer.b_h;
  W_x.assign(transposed(tensor(file.at("weight_ih_l0"))));
  W_h.assign(transposed(tensor(file.at("weight_hh_l0"))));
  b.assign(tensor(file.at("bias_ih_l0")));
  b_h.assign(tensor(file.at("bias_hh_l0")));
  expected.gradients["W_x"] = transposed(tensor(file.at("grad_weight_ih_l0")));
  expected.gradients["W_h"] = transposed(tensor(file.at("grad_weight_hh_l0")));
  expected.gradients["b"] = tensor(file.at("grad_bias_ih_l0"));
  expected.gradients["b_h"] = tensor(file.at("grad_bias_hh_l0"));
  check_both<textbook::GRU>(layer, file, expected, "rzn");
}

TEST_CASE("the GRU with the reset before the product has the values and gradients of PyTorch's autograd") {
  const json file = fixture("gru_reset_before.json");
  Generator generator(1);
  const GRU layer({.input = file.at("input"), .hidden = file.at("hidden"), .reset = Reset::before, .dtype = DType::f64},
                  generator);
  Solution expected = solution_of(file);
  take_by_name(file, layer, expected);
  check_both<textbook::GRU>(layer, file, expected, "rzn");
}

}  // namespace unroll::test
