#include <unroll/layers/recurrent_stack.hpp>

#include <unroll/layers/options.hpp>

#include <array>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::array<const char*, 3> names{"rnn", "lstm", "gru"};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

AnyCell make_cell(const RecurrentStackOptions& o, std::int64_t input, const std::string& name, Generator& generator) {
  if (o.projection != 0 && o.cell != CellKind::lstm)
    throw Error(fmt::format("{}: option projection is {}, and only an lstm has one", name, o.projection));
  switch (o.cell) {
    case CellKind::rnn:
      return RNN({.input = input, .hidden = o.hidden, .layer_norm = o.layer_norm, .name = name, .dtype = o.dtype},
                 generator);
    case CellKind::gru:
      return GRU({.input = input,
                  .hidden = o.hidden,
                  .reset = o.reset,
                  .layer_norm = o.layer_norm,
                  .name = name,
                  .dtype = o.dtype},
                 generator);
    case CellKind::lstm: break;
  }
  return LSTM({.input = input,
               .hidden = o.hidden,
               .layer_norm = o.layer_norm,
               .projection = o.projection,
               .name = name,
               .dtype = o.dtype},
              generator);
}

// lstm for a single layer; lstm1, lstm2, ... for several.
std::string layer_name(const RecurrentStackOptions& o, std::int64_t layer) {
  return o.layers == 1 ? to_string(o.cell) : fmt::format("{}{}", to_string(o.cell), layer);
}

std::int64_t output(const RecurrentStackOptions& o) { return o.projection > 0 ? o.projection : o.hidden; }

std::vector<AnyCell> stacked(const RecurrentStackOptions& o, Generator& generator) {
  std::vector<AnyCell> layers;
  for (std::int64_t i = 1; i <= o.layers; ++i)
    layers.push_back(make_cell(o, i == 1 ? o.input : output(o), layer_name(o, i), generator));
  return layers;
}

}  // namespace

const char* to_string(CellKind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<CellKind> cell_kind(std::string_view name) {
  std::string wanted;
  for (char letter : name) wanted += lower(letter);
  for (CellKind kind : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    if (wanted == to_string(kind)) return kind;
  return std::nullopt;
}

RecurrentStack::RecurrentStack(const RecurrentStackOptions& o, Generator& generator)
    : Stack(stacked(o, generator), {.dropout = o.dropout, .residual = o.residual, .name = to_string(o.cell)}),
      options(o) {}

Bidirectional bidirectional(const RecurrentStackOptions& o, Generator& generator) {
  if (o.residual) throw Error(fmt::format("{}: option residual: bidirectional layers have none", to_string(o.cell)));
  std::vector<BothDirections> layers;
  for (std::int64_t i = 1; i <= o.layers; ++i) {
    const std::int64_t input = i == 1 ? o.input : 2 * output(o);
    const AnyCell forward = make_cell(o, input, layer_name(o, i) + "_forward", generator);
    const AnyCell backward = make_cell(o, input, layer_name(o, i) + "_backward", generator);
    layers.push_back({forward, backward});
  }
  return {std::move(layers), {.dropout = o.dropout, .name = to_string(o.cell)}};
}

}  // namespace unroll
