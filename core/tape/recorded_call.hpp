#pragma once

#include <unroll/core/tape/op.hpp>
#include <unroll/core/tape/tape.hpp>

#include <array>
#include <memory>

namespace unroll {

// A list that needs no allocation for the usual few operands.
template <class T> class FewOrMany {
 public:
  explicit FewOrMany(std::size_t n) : size_(n) {
    if (n > few_.size()) many_ = std::make_unique<T[]>(n);
  }
  T* data() { return many_ ? many_.get() : few_.data(); }
  const T* data() const { return many_ ? many_.get() : few_.data(); }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  std::span<T> span() { return {data(), size_}; }

 private:
  std::size_t size_;
  std::array<T, 6> few_;
  std::unique_ptr<T[]> many_;
};

// The operands of a recorded node.
class RecordedCall {
 public:
  RecordedCall(const Tape& tape, NodeId id)
      : views_(tape.inputs(id).size()), call_{views_.span(), tape[id].attributes} {
    const auto inputs = tape.inputs(id);
    for (std::size_t i = 0; i < inputs.size(); ++i) views_[i] = &tape[inputs[i]].value;
  }
  RecordedCall(const RecordedCall&) = delete;
  RecordedCall& operator=(const RecordedCall&) = delete;

  const Call& operator*() const { return call_; }
  const Call* operator->() const { return &call_; }

 private:
  FewOrMany<const ArrayView*> views_;
  Call call_;
};

}  // namespace unroll
