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
  Parameter(std::string name, Array value) : state_(std::make_shared<State>(State{std::move(name), value.copy(), 0})) {}

  const std::string& name() const { return state_->name; }
  const Array& value() const { return state_->value; }
  const Shape& shape() const { return state_->value.shape(); }
  DType dtype() const { return state_->value.dtype(); }
  std::size_t size() const { return state_->value.size(); }

  // The elements for writing (an optimiser's step, a perturbation). Counts as a change: the backward pass of a tape that
  // recorded the old elements is then refused.
  Array& mutable_value() {
    ++state_->version;
    return state_->value;
  }
  // Copies the elements of an array of the same shape; throws ShapeError for another shape. The dtype is converted.
  void assign(const ArrayView& value);

  std::uint64_t version() const { return state_->version; }
  const void* identity() const { return state_.get(); }
  const std::shared_ptr<void> owner() const { return state_; }

  friend bool operator==(const Parameter& a, const Parameter& b) { return a.state_ == b.state_; }

 private:
  struct State {
    std::string name;
    Array value;
    std::uint64_t version;
  };
  std::shared_ptr<State> state_;
};

}  // namespace unroll
