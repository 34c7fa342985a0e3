#pragma once

#include <unroll/core/check/faults.hpp>
#include <unroll/core/check/program_map.hpp>
#include <unroll/core/ops/ops.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unroll::detail {

// Lists the single faults of a recorded program. What flows along the edges of a fault may be asked for when this is gone, as long as the tape is there.
class FaultSearch {
 public:
  FaultSearch(std::shared_ptr<const ProgramMap> map, const std::vector<NodeId>& leaves, std::int64_t steps,
              std::int64_t batch)
      : map_(std::move(map)), tape_(map_->tape()), leaves_(leaves), steps_(steps), batch_(batch) {}

  std::vector<Fault> run();

 private:
  using Members = ProgramMap::Members;
  struct Placed {
    Fault fault;
    bool in_a_step;
  };

  // faults.cpp: terms that are left out, scaled or transposed
  void states();
  void shown();
  void of_leaf(NodeId leaf);
  void of_edge(const Members& members, std::size_t i);
  void of_result(std::size_t inputs, const Members& members, std::size_t i, const Edges& all);
  void left_out(const std::string& what, const Edges& some, const std::string& when);
  void transposed(const Members& members, std::size_t i, const Edges& all, const std::string& what);
  void blocks(NodeId node, std::size_t i, const Edges& all);
  void normalisation();
  // function_faults.cpp: derivatives of functions, and positions
  void functions();
  void function(const Members& members, const std::string& where);
  void function_of_another(const Members& members, const Edges& all, const std::string& y);
  void positions(const std::string& what, const Edges& all);
  // operand_faults.cpp: products with another value than the right one
  void exchanged();
  void neighbours(const Members& members);
  void operands(const Members& members, std::size_t i);

  void add(Cause cause, std::string words, const Edges& edges, const EdgeHook& change);
  // f(members, i) for input i of every class of nodes.
  template <class F> void each_edge(const F& f) const {
    for (const auto& [key, members] : map_->classes())
      for (std::size_t i = 0; i < tape_.inputs(members[0]).size(); ++i)
        if (!map_->edges(members, i).empty()) f(members, i);
  }
  std::int32_t step_of(NodeId id) const { return tape_[id].place.step; }
  template <class Predicate> Edges at_steps(const Edges& all, const Predicate& wanted) const {
    Edges result;
    for (const auto& edge : all)
      if (wanted(step_of(edge.first))) result.insert(edge);
    return result;
  }
  std::pair<std::int32_t, std::int32_t> first_and_last(const Edges& all) const;
  // Constants that people forget, or multiply with twice.
  std::vector<std::pair<double, std::string>> factors() const;

  static Var nothing(const Edge&, Var, Var) { return {}; }
  static EdgeHook times(double factor) {
    return [factor](const Edge&, Var, Var contribution) { return contribution * factor; };
  }
  static Edges together(Edges a, const Edges& b) {
    a.insert(b.begin(), b.end());
    return a;
  }

  std::shared_ptr<const ProgramMap> map_;
  Tape& tape_;
  const std::vector<NodeId>& leaves_;
  std::int64_t steps_, batch_;
  std::vector<Placed> faults_;
};

}  // namespace unroll::detail
