#pragma once

#include "layers_support.hpp"

#include <nlohmann/json.hpp>

// Layers of PyTorch's from a fixture (tests/fixtures/README.md): their weights, gradients and states as we have them.
namespace unroll::test {

using nlohmann::json;

inline Array optional_tensor(const json& file, const std::string& name) {
  return file.contains(name) ? tensor(file.at(name)) : Array();
}

// A matrix of torch.nn's, which is the transpose of ours.
inline Array transposed(const Array& a) {
  Tape tape;
  return transpose(tape.constant(a)).value().copy();
}

inline Array added(const Array& a, const Array& b) {
  Tape tape;
  const Var left = tape.constant(a), right = tape.constant(b);
  return add(left, right).value().copy();
}

// The letters of a cell's gates in the order of their blocks.
inline std::string gates_of(const std::string& cell) {
  return std::map<std::string, std::string>{{"rnn", ""}, {"lstm", "ifgo"}, {"gru", "rzn"}}.at(cell);
}

// What the file names the layer of a parameter: _l1_reverse for lstm2_backward.W_x, and nothing where it has one layer under our names.
inline std::string suffix_of(const json& file, const Parameter& p) {
  if (file.contains("W_x")) return "";
  const std::string layer = p.name().substr(0, p.name().find('.'));
  const std::size_t digit = layer.find_first_of("123456789");
  const int index = digit == std::string::npos ? 0 : layer[digit] - '1';
  return "_l" + std::to_string(index) + (layer.ends_with("_backward") ? "_reverse" : "");
}

// The weights of a layer by our names, or with the prefix grad_ the gradients by them.
inline std::map<std::string, Array> layer_arrays(const json& file, const std::string& prefix,
                                                 const std::string& suffix) {
  static const std::map<std::string, std::string> torch_names{
      {"W_x", "weight_ih"}, {"W_h", "weight_hh"}, {"W_p", "weight_hr"}, {"b", "bias_ih"}, {"b_h", "bias_hh"}};
  std::map<std::string, Array> arrays;
  for (const std::string ours : {"W_x", "W_h", "b", "b_h", "p_i", "p_f", "p_o", "g", "g_x", "g_h", "g_c", "b_c"})
    if (const std::string name = prefix + ours + suffix; file.contains(name)) arrays[ours] = tensor(file.at(name));
  for (const auto& [ours, theirs] : torch_names)
    if (const std::string name = prefix + theirs + suffix; file.contains(name)) {
      const Array array = tensor(file.at(name));
      arrays[ours] = array.rank() == 2 ? transposed(array) : array;
    }
  return arrays;
}

// Gives layers of either form, packed or textbook, the weights of the file; returns its gradients by them, in the order of the parameters.
// RNN and LSTM have one bias where torch.nn has two, which are only ever added: each of those has the gradient of ours.
inline std::vector<Array> take(const json& file, const Module& layers, const std::string& cell) {
  std::vector<Array> expected;
  for (Parameter p : layers.parameters()) {
    const std::string suffix = suffix_of(file, p);
    auto weights = layer_arrays(file, "", suffix), gradients = layer_arrays(file, "grad_", suffix);
    if (cell != "gru" && weights.contains("b_h")) {
      weights["b"] = added(weights.at("b"), weights.at("b_h"));
      REQUIRE(close(gradients.at("b_h"), gradients.at("b"), 1e-14, 1e-13));
    }
    p.assign(packed_entry(weights, short_name(p), gates_of(cell)));
    expected.push_back(packed_entry(gradients, short_name(p), gates_of(cell)));
  }
  return expected;
}

// The states of all layers in our order, h and then c of each, from PyTorch's (layers x directions, batch, units). None where the file has none.
inline std::vector<Array> states(const json& file, const std::string& h, const std::string& c) {
  std::vector<Array> all;
  const Array hs = optional_tensor(file, h), cs = optional_tensor(file, c);
  const std::size_t count = hs.rank() == 3 ? static_cast<std::size_t>(hs.shape()[0]) : 0;
  for (std::size_t i = 0; i < count; ++i)
    for (const Array* from : {&hs, &cs})
      if (from->rank() == 3) {
        const Shape one{from->shape()[1], from->shape()[2]};
        const std::size_t size = one.size();
        all.push_back(Array(one, from->span<double>().subspan(i * size, size)));
      }
  return all;
}

// A file of one layer with states of one layer: what is asked and what is found; the layer takes its weights.
inline Problem problem_of(const json& file) {
  return {tensor(file.at("x")),        tensor(file.at("h0")),    optional_tensor(file, "c0"),
          tensor(file.at("d_output")), tensor(file.at("d_h_n")), optional_tensor(file, "d_c_n")};
}

inline Solution take_solution(const json& file, const Module& layer, const std::string& cell) {
  Solution s{tensor(file.at("output")), tensor(file.at("h_n")), optional_tensor(file, "c_n"), {}};
  for (const std::string name : {"x", "h0", "c0"})
    if (file.contains(name)) s.gradients[name] = tensor(file.at("grad_" + name));
  const std::vector<Array> gradients = take(file, layer, cell);
  for (std::size_t i = 0; i < gradients.size(); ++i) s.gradients[short_name(layer.parameters()[i])] = gradients[i];
  return s;
}

}  // namespace unroll::test
