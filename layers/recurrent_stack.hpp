#pragma once

#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/rnn.hpp>
#include <unroll/layers/stack.hpp>

#include <optional>
#include <string>
#include <string_view>

// Layers of this library by their kind, for programs in which the kind is a choice of whoever runs them.
namespace unroll {

enum class CellKind { rnn, lstm, gru };

const char* to_string(CellKind kind);
// By its name in any case; nothing for another word.
std::optional<CellKind> cell_kind(std::string_view name);

struct RecurrentStackOptions {
  CellKind cell = CellKind::lstm;
  std::int64_t input = 0, hidden = 0, layers = 1;
  Reset reset = Reset::before;  // GRU
  bool layer_norm = false;
  std::int64_t projection = 0;  // LSTM; 0: none
  double dropout = 0;           // as in StackOptions
  bool residual = false;        // as in StackOptions
  DType dtype = DType::f32;
};

// Equal layers one above the other. A single layer is named lstm (rnn, gru), several lstm1, lstm2, ... from below. Throws ShapeError for an option
// that is out of its range, Error for one that this kind of cell has not.
class RecurrentStack : public Stack {
 public:
  RecurrentStack(const RecurrentStackOptions& options, Generator& generator);

  RecurrentStackOptions options;
};

// Bidirectional layers of one kind, with layers named lstm1_forward, lstm1_backward, lstm2_forward, ... from below (a single one
// lstm_forward and lstm_backward). Throws as RecurrentStack does, and Error for `residual`.
Bidirectional bidirectional(const RecurrentStackOptions& options, Generator& generator);

}  // namespace unroll
