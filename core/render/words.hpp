#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/program.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/render/units.hpp>

#include <string>

// What the boxes say.
namespace unroll::drawing {

class Words {
 public:
  Words(const Tape& tape, const Program& program, const RenderOptions& options, const Rows& rows, const Units& units);

  // With `widest`, what it would say with the longest numbers, so that boxes of all steps get one size.
  Text text(const Unit& unit, Look look, bool widest) const;
  // Of a state that enters a block: "h_1".
  Text port(NodeId source, bool widest) const;
  // "x 94"
  Text gap(const Moment& moment, std::int64_t steps) const;
  // A layer at one step, or folded: its name, and the states that it gives, or else what it computes.
  Text cell(const std::string& layer, const Unit& unit, const std::vector<NodeId>& states, bool widest) const;
  // "h_2 = mul [lstm, t = 2, node 41]"
  std::string tooltip(const Unit& unit) const;

 private:
  std::string step_number(std::int32_t step, bool widest) const;
  std::string name(NodeId id, bool widest) const;
  std::string equation(const Unit& unit, bool widest) const;
  void add_values(Text& text, NodeId id, bool widest) const;
  std::string gradient(NodeId id, bool widest) const;
  std::string gradients_over_time(const Unit& unit, NodeId state) const;

  const Tape& tape_;
  const Program& program_;
  const RenderOptions& options_;
  const Rows& rows_;
  const Units& units_;
  std::size_t widest_step_ = 1;
};

}  // namespace unroll::drawing
