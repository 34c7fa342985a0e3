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

// Which cell.
enum class CellKind {
  rnn,   // RNN
  lstm,  // LSTM
  gru    // GRU
};

// "rnn", "lstm" or "gru".
const char* to_string(CellKind kind);
// By its name in any case; nothing for another word.
std::optional<CellKind> cell_kind(std::string_view name);

// What equal layers, one above the other, are made of.
struct RecurrentStackOptions {
  CellKind cell = CellKind::lstm;                  // of every layer
  std::int64_t input = 0, hidden = 0, layers = 1;  // features of x, units of a layer, layers
  Reset reset = Reset::before;                     // GRU
  bool layer_norm = false;                         // as in the options of the cell
  std::int64_t projection = 0;                     // LSTM; 0: none
  double dropout = 0;                              // as in StackOptions
  bool residual = false;                           // as in StackOptions
  DType dtype = DType::f32;                        // of the parameters
};

// Equal layers one above the other. A single layer is named lstm (rnn, gru), several lstm1, lstm2, ... from below. Throws ShapeError for an option
// that is out of its range, Error for one that this kind of cell has not.
class RecurrentStack : public Stack {
 public:
  // Layers drawn from the generator, from below.
  RecurrentStack(const RecurrentStackOptions& options, Generator& generator);

  RecurrentStackOptions options;  // as given
};

// Bidirectional layers of one kind, with layers named lstm1_forward, lstm1_backward, lstm2_forward, ... from below (a single one
// lstm_forward and lstm_backward). Throws as RecurrentStack does, and Error for `residual`.
Bidirectional bidirectional(const RecurrentStackOptions& options, Generator& generator);

}  // namespace unroll
