#pragma once

#include <unroll/core/array/array.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace unroll {

// A named array that outlives tapes: a weight. A Parameter is a handle; copies are the same parameter, so that weights can be shared
// ("tied") by copying. On one tape it is one node however often it is used, which is why BPTT sums its gradient over time.
class Parameter {
 public:
  Parameter() = default;
  // A new parameter with a copy of the elements. A layer's are named "layer.weight".
  Parameter(std::string name, Array value) : state_(std::make_shared<State>(State{std::move(name), value.copy(), 0})) {}

  // A default-constructed handle, such as a peephole of a layer without peepholes. Every use of it throws Error.
  bool empty() const { return state_ == nullptr; }

  // As listings, saves and messages say it.
  const std::string& name() const { return state().name; }
  // The elements, for reading: an Array shares its memory when it is copied, so take copy() before writing into it.
  const Array& value() const { return state().value; }
  // Shape, dtype and number of its elements:
  const Shape& shape() const { return state().value.shape(); }
  DType dtype() const { return state().value.dtype(); }
  std::size_t size() const { return state().value.size(); }

  // The elements for writing (an optimiser's step, a perturbation). Counts as a change: the backward pass of a tape that
  // recorded the old elements is then refused.
  Array& mutable_value() {
    ++state().version;
    return state().value;
  }
  // Copies the elements of an array of the same shape; throws ShapeError for another shape. The dtype is converted.
  void assign(const ArrayView& value);

  // How often it was changed: tapes compare it.
  std::uint64_t version() const { return state().version; }
  // Equal for all copies of a handle, different for other parameters; nullptr if it is empty.
  const void* identity() const { return state_.get(); }
  // What keeps the elements alive.
  const std::shared_ptr<void> owner() const { return state_; }

  friend bool operator==(const Parameter& a, const Parameter& b) { return a.state_ == b.state_; }

 private:
  struct State {
    std::string name;
    Array value;
    std::uint64_t version;
  };
  State& state() const {
    if (!state_)
      throw Error(
          "an empty Parameter was used: it was default-constructed, as the peepholes of a layer without them are");
    return *state_;
  }

  std::shared_ptr<State> state_;
};

}  // namespace unroll
