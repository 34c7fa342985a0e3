#pragma once

#include <unroll/layers/module.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

// Any cell under one type, so that different ones stand in one list (Stack). It wraps a layer, or a lambda with a function that gives its first
// state; nothing is inherited. Copies share the parameters.
class AnyCell : public Module {
 public:
  // The Vars of the wrapped cell's own state, in order.
  using State = std::vector<Var>;

  // A layer that knows its name, its parameters and its first state.
  template <HasZeroState Cell>
  requires(!std::same_as<Cell, AnyCell> && std::derived_from<Cell, Module>)
      AnyCell(Cell cell)  // NOLINT(google-explicit-constructor): a layer goes into a list of cells as it is
      : AnyCell(
            AsItIs{}, cell.name(), cell,
            [cell](Tape& tape, std::int64_t batch) { return cell.zero_state(tape, batch); }, cell.parameters()) {}

  // A cell of one's own: cell(x, state), zero_state(tape, batch), and the parameters that it uses. `name` becomes its scope on the tape.
  template <class Cell, class ZeroState>
  AnyCell(const std::string& name, Cell cell, ZeroState zero_state, const std::vector<Parameter>& parameters = {})
      : AnyCell(
            AsItIs{}, name,
            [name, cell](Var x, const auto& before) {
              const Scope scope(x.tape(), name);
              return cell(x, before);
            },
            [name, zero_state](Tape& tape, std::int64_t batch) {
              const Scope scope(tape, name);
              const Step step(tape, 0);
              return zero_state(tape, batch);
            },
            parameters) {}

  // One step: x and the state before it -> {output, the state after it}. Throws ShapeError for a state of another number of Vars.
  std::pair<Var, State> operator()(Var x, const State& before) const { return step_(x, before); }
  // The first state of `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const { return zero_state_(tape, batch); }

 private:
  struct AsItIs {};  // a cell that enters its own scope
  template <class Cell, class ZeroState>
  AnyCell(AsItIs, const std::string& name, Cell cell, ZeroState zero_state, const std::vector<Parameter>& parameters);

  std::function<std::pair<Var, State>(Var, const State&)> step_;
  std::function<State(Tape&, std::int64_t)> zero_state_;
};

template <class Cell, class ZeroState>
AnyCell::AnyCell(AsItIs, const std::string& name, Cell cell, ZeroState zero_state,
                 const std::vector<Parameter>& parameters)
    : Module(name) {
  for (const Parameter& p : parameters) add(p);
  // The form of the cell's state: its Vars are those of a tape that is gone, and are never looked at, only replaced.
  using Own = std::decay_t<decltype(zero_state(std::declval<Tape&>(), std::int64_t{1}))>;
  static_assert(CellOf<Cell, Own>,
                "a cell is called as cell(x, state), gives {output, next state}, and its zero_state "
                "gives such a state");
  Own form;
  {
    Tape scratch;
    form = zero_state(scratch, std::int64_t{1});
  }
  step_ = [cell = std::move(cell), form = std::move(form)](Var x, const State& before) -> std::pair<Var, State> {
    auto [output, after] = cell(x, with_vars(form, before));
    return {output, state_vars(after)};
  };
  zero_state_ = [zero = std::move(zero_state)](Tape& tape, std::int64_t batch) {
    return state_vars(zero(tape, batch));
  };
}

}  // namespace unroll
