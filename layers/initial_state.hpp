#pragma once

#include <unroll/layers/module.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <string>
#include <utility>
#include <vector>

namespace unroll {

namespace detail {

// One row like those of a state's part, zero; throws ShapeError for a part that has no axis of the batch.
Array row_like(const Var& part);
// A parameter of one row for the whole batch, at step 0.
Var rows_of(Tape& tape, const Parameter& row, std::int64_t batch, const std::string& name);

}  // namespace detail

// A first state that is learned, instead of zeros: for each part of a cell's state a parameter of one row, first 0, which every sequence of
// the batch begins with.
//
//   const InitialState initial(lstm);
//   auto [outputs, last] = over_time(lstm, xs, initial(tape, batch));   // and its parameters go to the optimiser
template <class State> class InitialState : public Module {
 public:
  // For any cell or layer that knows its zero state; parameters are named initial.h, initial.c, ...
  template <HasZeroState Cell>
  explicit InitialState(const Cell& cell, std::string name = "initial") : Module(std::move(name)) {
    Tape scratch;  // the Vars of form_ outlive it: they are never looked at, only replaced
    form_ = cell.zero_state(scratch, 1);
    const std::vector<std::string> names = state_names(form_);
    for (const Var& part : state_vars(form_)) {
      rows_.push_back(add(names[rows_.size()], detail::row_like(part)));
      letters_.push_back(scratch.name(part.id()));
    }
  }

  // The state for a batch, in the form of the cell's.
  State operator()(Tape& tape, std::int64_t batch) const {
    std::vector<Var> parts;
    for (std::size_t i = 0; i < rows_.size(); ++i) parts.push_back(detail::rows_of(tape, rows_[i], batch, letters_[i]));
    return with_vars(form_, parts);
  }

 private:
  State form_;
  std::vector<Parameter> rows_;
  std::vector<std::string> letters_;  // of the cell's own state, for the tape
};

template <HasZeroState Cell>
explicit InitialState(const Cell& cell, std::string name = {})
    -> InitialState<std::decay_t<decltype(cell.zero_state(std::declval<Tape&>(), std::int64_t{1}))>>;

}  // namespace unroll
