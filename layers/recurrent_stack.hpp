#pragma once

#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/rnn.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace unroll {

enum class CellKind { rnn, lstm, gru };

const char* to_string(CellKind kind);
// By its name in any case; nothing for another word.
std::optional<CellKind> cell_kind(std::string_view name);

struct RecurrentStackOptions {
  CellKind cell = CellKind::lstm;
  std::int64_t input = 0, hidden = 0, layers = 1;
  Reset reset = Reset::before;  // GRU
  DType dtype = DType::f32;
};

// Recurrent layers one above the other: what the first puts out at a step is what the second sees at that step, and so on. A stack is a
// cell itself, so over_time() unrolls it. A single layer is named lstm (rnn, gru), several lstm1, lstm2, ... from below.
class RecurrentStack : public Module {
 public:
  // One for each layer, from below; c is empty in an RNN or a GRU.
  using State = std::vector<LSTMState>;

  RecurrentStack(const RecurrentStackOptions& options, Generator& generator);

  std::pair<Var, State> operator()(Var x, const State& before) const;
  State zero_state(Tape& tape, std::int64_t batch) const;

  RecurrentStackOptions options;

 private:
  using Layer = std::variant<RNN, LSTM, GRU>;
  std::vector<Layer> layers_;
};

}  // namespace unroll
