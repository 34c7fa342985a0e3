#pragma once

#include <unroll/core/tape/node.hpp>

#include <string_view>

namespace unroll {

class Tape;

namespace detail {

// A tape's entry in a process-wide list of life signs (not of tapes: no operation looks anything up here). It outlives the tape, so
// that a Var can find out that its tape is gone. The generation changes when the tape is cleared or destroyed.
struct LifeSign {
  Tape* tape = nullptr;
  std::uint32_t generation = 0;
};

}  // namespace detail

// A handle to one node of one tape: what a program computes with. Copying it copies the handle. A default-constructed Var is
// empty; every use of an empty Var, or of one whose tape was cleared or destroyed, throws TapeError.
class Var {
 public:
  Var() = default;
  // A handle to a node of the tape with this life sign: Tape::var() gives one.
  Var(detail::LifeSign* life, NodeId id) : life_(life), generation_(life->generation), id_(id) {}

  // Whether it is default-constructed.
  bool empty() const { return life_ == nullptr; }
  // Whether its tape is still there and has not been cleared.
  bool alive() const { return life_ && life_->generation == generation_; }
  // The tape that it was recorded on.
  Tape& tape() const {
    if (!alive()) fail();
    return *life_->tape;
  }
  // The index of its node.
  NodeId id() const { return id_; }

  // The node itself, valid until the tape is cleared or destroyed.
  const Node& node() const;
  // Of its value.
  Shape shape() const { return node().value.shape; }
  // Of its value.
  DType dtype() const { return node().value.dtype; }
  // The elements, without a copy; valid until the tape is cleared or destroyed.
  ArrayView value() const { return node().value; }
  // The only element, as a double; throws ShapeError if there is more than one.
  double item() const { return value().item(); }

  // Gives the node a name, as in the equation: listings and drawings say name_t at step t. Returns the same Var.
  Var named(std::string_view name) const;

  // The same node of the same tape.
  friend bool operator==(const Var&, const Var&) = default;

 private:
  [[noreturn]] void fail() const;

  detail::LifeSign* life_ = nullptr;
  std::uint32_t generation_ = 0;
  NodeId id_ = no_node;
};

}  // namespace unroll
