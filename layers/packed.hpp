#pragma once

#include <unroll/layers/over_time.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

// Packing: sequences of different lengths sorted by length, so that those which run at a step are the first rows and only these are computed.
// Sequences that are padded instead (OverTimeOptions::lengths) give the same and cost the steps behind their ends as well.
namespace unroll {

// Sequences sorted by length, the longest first.
struct PackedSequence {
  // At step t, one row for each sequence that runs, the longest first: (running, feature).
  std::vector<Var> steps;
  // The place in the batch of each row: order[0] is that of the longest. Equal lengths keep their order.
  std::vector<std::int64_t> order;
};

// Packs inputs (time, batch, feature), or one (batch, feature) for each step; what stands behind the end of a sequence is never looked at. Steps
// beyond the longest are dropped. Throws ShapeError for a length that is not in 1 .. time, or a wrong number of them.
PackedSequence pack(Var xs, std::span<const std::int64_t> lengths);
PackedSequence pack(const std::vector<Var>& xs, std::span<const std::int64_t> lengths);

// Back to the order of the batch: (batch, feature) for each step, 0 behind the end of a sequence.
std::vector<Var> unpack(const PackedSequence& packed);

// What a recurrence over packed sequences leaves: packed outputs, and the state after the last step of each sequence, in the order of the batch.
template <class State> struct PackedResult {
  PackedSequence outputs;  // in the order of the inputs
  State state;             // in the order of the batch
};

namespace detail {

// Throws for options that packing has instead.
void require_packable(const PackedSequence& xs, const OverTimeOptions& options);
// The rows of a state's part in another order; throws ShapeError, unless it has one for each.
Var reordered(Var part, std::span<const std::int64_t> order);
std::vector<std::int64_t> inverse(std::span<const std::int64_t> order);

// f of equal parts of two states.
template <class State, class F> State zipped(State a, const State& b, const F& f) {
  std::vector<Var> first = state_vars(a);
  const std::vector<Var> second = state_vars(b);
  if (first.size() != second.size()) fail_state_parts(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = f(first[i], second[i]);
  return with_vars(std::move(a), first);
}

}  // namespace detail

// Unrolls a cell over packed sequences from a state in the order of the batch; with `reverse`, each from its own last step. Throws Error for
// a mask or lengths among the options, ShapeError for a state of another batch.
template <class Cell, class State>
requires CellOf<Cell, State> PackedResult<State> over_time(const Cell& cell, const PackedSequence& xs, State state,
                                                           const OverTimeOptions& options = {}) {
  detail::require_packable(xs, options);
  const auto rows = [](Var v, std::int64_t from, std::int64_t to) { return slice(v, 0, from, to); };
  const auto joined = [](Var above, Var below) {
    return concat({above, below}, 0).named(above.tape().name(above.id()));
  };
  const std::size_t T = xs.steps.size();
  const auto running = [&](std::size_t t) { return xs.steps[t - 1].shape()[0]; };

  // Rows 0 .. n - 1 of the state run. Forward, the others have finished and wait in `finished` for the end; in reverse, they have not begun yet.
  std::int64_t n = static_cast<std::int64_t>(xs.order.size());
  {
    const Step step(xs.steps[0].tape(), 0);
    state = map_state(std::move(state), [&](Var v) { return detail::reordered(v, xs.order); });
  }
  std::vector<State> finished;
  const State initial = state;
  if (options.reverse) {
    n = running(T);
    state = map_state(std::move(state), [&](Var v) { return rows(v, 0, n); });
  }
  PackedResult<State> result{{std::vector<Var>(T), xs.order}, {}};
  for (std::size_t i = 0; i < T; ++i) {
    const std::size_t t = options.reverse ? T - i : i + 1;
    const Var x = xs.steps[t - 1];
    const Step step(x.tape(), static_cast<std::int64_t>(t));
    const std::int64_t before = std::exchange(n, running(t));
    if (n < before) {
      finished.push_back(map_state(state, [&](Var v) { return rows(v, n, before); }));
      state = map_state(std::move(state), [&](Var v) { return rows(v, 0, n); });
    } else if (n > before) {
      state = detail::zipped(std::move(state), initial,
                             [&](Var v, Var first) { return joined(v, rows(first, before, n)); });
    }
    auto [output, next] = cell(x, state);
    result.outputs.steps[t - 1] = output;
    state = std::move(next);
  }
  for (std::size_t i = finished.size(); i-- > 0;) state = detail::zipped(std::move(state), finished[i], joined);
  const std::vector<std::int64_t> back = detail::inverse(xs.order);
  result.state = map_state(std::move(state), [&](Var v) { return detail::reordered(v, back); });
  return result;
}

// From a zero state, for cells that know theirs.
template <HasZeroState Cell>
auto over_time(const Cell& cell, const PackedSequence& xs, const OverTimeOptions& options = {}) {
  detail::require_packable(xs, options);
  return over_time(cell, xs, cell.zero_state(xs.steps[0].tape(), static_cast<std::int64_t>(xs.order.size())), options);
}

}  // namespace unroll
