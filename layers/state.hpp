#pragma once

#include <unroll/core/ops/ops.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// A recurrent state is whatever a cell takes and gives: a Var, a plain struct of Vars such as LSTMState, a pair, tuple, array or vector of
// states. What is done to a state as a whole (detach it, select by a mask, carry it to the next tape) is done to its Vars, one by one, in
// the order of their declaration; nothing has to be registered. Empty Vars (the c of a GRU in a stack) are left out.
namespace unroll {

namespace detail {

struct AnyField {
  template <class T> operator T() const;  // NOLINT(google-explicit-constructor): only ever asked whether it would fit
};

template <class T, class... Fields> constexpr bool fits = requires { T{Fields{}...}; };

// How many fields a plain struct has, up to six: as many as can be initialised.
template <class T> constexpr int field_count() {
  using A = AnyField;
  static_assert(!fits<T, A, A, A, A, A, A, A>, "a state has at most six fields: put some into a struct of their own");
  if constexpr (fits<T, A, A, A, A, A, A>)
    return 6;
  else if constexpr (fits<T, A, A, A, A, A>)
    return 5;
  else if constexpr (fits<T, A, A, A, A>)
    return 4;
  else if constexpr (fits<T, A, A, A>)
    return 3;
  else if constexpr (fits<T, A, A>)
    return 2;
  else
    return 1;
}

template <class T> constexpr bool is_tuple = requires { std::tuple_size<std::remove_const_t<T>>::value; };
template <class T> constexpr bool is_range = requires(T& t) {
  t.begin();
  t.end();
  t.size();
};

// Calls f(Var&) for every Var of a state (Var& or const Var&).
template <class State, class F> void visit_state(State& state, const F& f) {
  const auto each = [&](auto&... parts) { (visit_state(parts, f), ...); };
  if constexpr (std::is_same_v<std::remove_const_t<State>, Var>) {
    if (!state.empty()) f(state);
  } else if constexpr (is_range<State>) {
    for (auto& part : state) visit_state(part, f);
  } else if constexpr (is_tuple<State>) {
    std::apply(each, state);
  } else {
    static_assert(std::is_aggregate_v<State>,
                  "a recurrent state is a Var, or a struct, pair, tuple, array or vector of them");
    constexpr int n = field_count<std::remove_const_t<State>>();
    if constexpr (n == 1) {
      auto& [a] = state;
      each(a);
    } else if constexpr (n == 2) {
      auto& [a, b] = state;
      each(a, b);
    } else if constexpr (n == 3) {
      auto& [a, b, c] = state;
      each(a, b, c);
    } else if constexpr (n == 4) {
      auto& [a, b, c, d] = state;
      each(a, b, c, d);
    } else if constexpr (n == 5) {
      auto& [a, b, c, d, e] = state;
      each(a, b, c, d, e);
    } else {
      auto& [a, b, c, d, e, g] = state;
      each(a, b, c, d, e, g);
    }
  }
}

[[noreturn]] void fail_state_parts(std::size_t given, std::size_t expected);
[[noreturn]] void fail_state_shape(const Var& form, const Array& given);

}  // namespace detail

// The Vars of a state, in order.
template <class State> std::vector<Var> state_vars(const State& state) {
  std::vector<Var> vars;
  detail::visit_state(state, [&](const Var& v) { vars.push_back(v); });
  return vars;
}

// A name for each Var of a state, no two alike: its own, h or c; where several have that, with the scope before it, lstm1.h; and with its
// number where that does not tell them apart either.
std::vector<std::string> state_names(std::span<const Var> vars);
template <class State> std::vector<std::string> state_names(const State& state) {
  const std::vector<Var> vars = state_vars(state);
  return state_names(std::span<const Var>(vars));
}

// The state with each Var v replaced by f(v).
template <class State, class F> State map_state(State state, const F& f) {
  detail::visit_state(state, [&](Var& v) { v = f(v); });
  return state;
}

// A state of the same form with other Vars. Throws ShapeError if their number differs.
template <class State> State with_vars(State form, std::span<const Var> vars) {
  if (const std::size_t n = state_vars(form).size(); n != vars.size()) detail::fail_state_parts(vars.size(), n);
  std::size_t i = 0;
  detail::visit_state(form, [&](Var& v) { v = vars[i++]; });
  return form;
}

// The same numbers, through which no gradient flows: where truncated BPTT cuts.
template <class State>
requires(!std::is_same_v<State, Var>) State detach(const State& state) {
  return map_state(state, [](Var v) {
    const Var cut = unroll::detach(v);
    const std::string& name = v.tape().name(v.id());
    return name.empty() ? cut : cut.named(name);
  });
}

// A state that outlives its tape: copies of its arrays, in order.
using CarriedState = std::vector<Array>;
// The state as arrays of its own, for the next tape: resumed() puts them there.
template <class State> CarriedState carried(const State& state) {
  CarriedState arrays;
  detail::visit_state(state, [&](const Var& v) { arrays.push_back(v.value().copy()); });
  return arrays;
}

// The carried arrays as constants of a tape, at step 0, in the form of `form`, such as cell.zero_state(tape, batch), whose names they take. The
// gradient ends there. Throws ShapeError if number, shapes or dtypes differ.
template <class State> State resumed(const State& form, const CarriedState& arrays) {
  if (const std::size_t n = state_vars(form).size(); n != arrays.size()) detail::fail_state_parts(arrays.size(), n);
  std::size_t i = 0;
  return map_state(form, [&](Var v) {
    Tape& tape = v.tape();
    const Step step(tape, 0);
    const Array& array = arrays[i++];
    if (array.shape() != v.shape() || array.dtype() != v.dtype()) detail::fail_state_shape(v, array);
    return tape.constant(array, tape.name(v.id()));
  });
}

}  // namespace unroll
