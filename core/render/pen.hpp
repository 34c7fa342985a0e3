#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/scene.hpp>

#include <string>
#include <vector>

// The gradients of a drawing, on its scale.
namespace unroll::drawing {

class Pen {
 public:
  // The scale reaches from the largest gradient of what is drawn down to the smallest, over three decades at least and twelve at most.
  Pen(const Tape& tape, const Scene& scene, const Gradients* gradients);

  bool has_gradients() const { return gradients_ != nullptr; }
  double smallest() const { return smallest_; }
  double largest() const { return largest_; }

  // |dL/dnode|
  Flow at(NodeId node) const;
  // The part of it that comes back from a time step, where the backward pass measured that (BackwardOptions::flows); or else all of it.
  Flow from(NodeId node, std::int32_t step) const;
  // "∇ 0.031", "∇ –", "∇ NaN"
  static std::string words(const Flow& flow);

 private:
  Flow on_scale(double norm) const;

  const Tape& tape_;
  const Gradients* gradients_;
  double smallest_ = 0, largest_ = 0;
};

}  // namespace unroll::drawing
