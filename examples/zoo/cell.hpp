#pragma once

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/examples/zoo/zoo.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/rnn.hpp>

#include <string>
#include <utility>
#include <vector>

// What the cells of the zoo have in common. There is no fault in this file.
namespace unroll::zoo {

struct Sizes {
  std::int64_t input = 2, hidden = 3;
};

// Parameters in float64, drawn one after the other from a generator of one seed: no zeros, biases too.
class Cell : public Module {
 public:
  Sizes options;

 protected:
  Cell(std::string name, Sizes sizes) : Module(std::move(name)), options(sizes) {}
  // A parameter named "rnn.W_h", with elements of deviation 0.7.
  Parameter weight(const std::string& letter, Shape shape) {
    return add(letter, normal(std::move(shape), 0.7, generator_, DType::f64));
  }

 private:
  Generator generator_{2};
};

// A cell whose state is h, (batch, hidden).
class HiddenCell : public Cell {
 public:
  using State = HiddenState;
  State zero_state(Tape& tape, std::int64_t batch) const {
    return zero_hidden_state(tape, name(), batch, options.hidden, DType::f64);
  }

 protected:
  using Cell::Cell;
};

// A cell whose state is h and c, both (batch, hidden).
class MemoryCell : public Cell {
 public:
  using State = LSTMState;
  State zero_state(Tape& tape, std::int64_t batch) const {
    return zero_lstm_state(tape, name(), batch, options.hidden, options.hidden, DType::f64);
  }

 protected:
  using Cell::Cell;
};

// The parameters of a packed cell on a tape.
struct Weights {
  Var W_x, W_h, b;
};

// A cell with W_x (input, blocks * hidden), W_h (hidden, blocks * hidden) and b (blocks * hidden): the gates stand side by side.
template <class StateCell, int blocks> class PackedCell : public StateCell {
 public:
  const Parameter W_x = this->weight("W_x", {this->options.input, width()});
  const Parameter W_h = this->weight("W_h", {this->options.hidden, width()});
  const Parameter b = this->weight("b", {width()});

 protected:
  using StateCell::StateCell;
  std::int64_t width() const { return blocks * this->options.hidden; }
  Weights weights(Tape& tape) const { return {tape.use(W_x), tape.use(W_h), tape.use(b)}; }
};

struct SimpleCell : PackedCell<HiddenCell, 1> {
  SimpleCell(Sizes sizes = {}) : PackedCell("rnn", sizes) {}  // NOLINT(google-explicit-constructor)
};

// Blocks r z n.
struct GRUCell : PackedCell<HiddenCell, 3> {
  GRUCell(Sizes sizes = {}) : PackedCell("gru", sizes) {}  // NOLINT(google-explicit-constructor)
};

// Blocks i f g o.
struct LSTMCell : PackedCell<MemoryCell, 4> {
  LSTMCell(Sizes sizes = {}) : PackedCell("lstm", sizes) {}  // NOLINT(google-explicit-constructor)
};

// total + term, where a total that nothing was added to yet is empty.
inline void add_to(Var& total, Var term) { total = total.empty() ? term : total + term; }

// The steps of a sequence whose outputs are its hidden states, from all of them in one array, (time, batch, hidden).
inline Sequence<HiddenState> steps_of(Var hs) {
  std::vector<Var> outputs;
  for (std::int64_t t = 0; t < hs.shape()[0]; ++t) {
    const Step step(hs.tape(), t + 1);
    outputs.push_back(select(hs, 0, t));
  }
  return {outputs, {outputs.back()}};
}

// Any cell, or layer that sees the whole sequence, as one of the zoo.
template <class AnyKind> Specimen specimen(const AnyKind& cell) {
  return {.parameters = cell.parameters(),
          .input = cell.options.input,
          .zero_state = [cell](Tape& tape, std::int64_t batch) { return state_vars(cell.zero_state(tape, batch)); },
          .unrolled = [cell](Var x, std::span<const Var> state) -> Sequence<std::vector<Var>> {
            const auto form = cell.zero_state(x.tape(), x.shape()[1]);
            auto [outputs, last] = over_time(cell, x, with_vars(form, state));
            return {outputs, state_vars(last)};
          },
          .check = [cell](const LayerCheckOptions& options) { return gradcheck(cell, options); }};
}

}  // namespace unroll::zoo
