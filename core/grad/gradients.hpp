#pragma once

#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace unroll {

// The result of a backward pass: the gradients as values of their own, not as state in the parameters. Unless the backward pass was
// recorded (then they are nodes of the tape, and go with it), they stay valid when the
// tape is cleared or destroyed (then they are found by Parameter only). They belong to the
// tape's thread, because they share its buffers. Looking up what was not computed throws GradientError, which
// is not the same as a gradient of zero.
class Gradients {
 public:
  // None yet, of a tape; `all`: whether those of every node will come. backward() makes and fills it.
  Gradients(Tape& tape, bool all);
  ~Gradients();
  Gradients(Gradients&&) noexcept = default;
  Gradients& operator=(Gradients&& other) noexcept;
  Gradients(const Gradients&) = delete;
  Gradients& operator=(const Gradients&) = delete;

  // Whether there is a gradient by a node or a parameter.
  bool contains(const Var& x) const { return find(x) != nullptr; }
  bool contains(const Parameter& parameter) const { return by_parameter_.contains(parameter.identity()); }
  // Whether BackwardOptions::by_step kept anything of a parameter.
  bool has_contributions(const Parameter& parameter) const { return by_step_.contains(parameter.identity()); }

  // The gradient by a node or a parameter, in its shape and dtype; valid as long as these Gradients.
  ArrayView operator[](const Var& x) const;
  ArrayView operator[](const Parameter& parameter) const;

  // The gradient as a node of the tape, where the backward pass was recorded (create_graph): it can be computed with, drawn, and
  // differentiated again.
  Var var(const Var& x) const;

  // The part of a parameter's gradient that comes from its uses at one time step: the gradient is the sum of them (BPTT). Kept for the parameters
  // in BackwardOptions::by_step only. no_step stands for uses outside of time.
  ArrayView contribution(const Parameter& parameter, std::int64_t step) const;
  // The steps from which there is one, ascending; no_step is the lowest number.
  std::vector<std::int64_t> contribution_steps(const Parameter& parameter) const;

  // The Euclidean norm of the part of dL/dx that comes back from the readers of x at one time step (no_step: those outside of time). For the state
  // h_t, flow(h_t, t + 1) is what the next step sends back, flow(h_t, t) what the output and the loss of its own step do; as arrays the parts add up to
  // dL/dx, their norms do not. There is one for every step that sends anything back, at every node on the way to which another step than its own does:
  // states, and parameters and inputs outside of time; else nullopt (what comes from the own step alone is the gradient). A checkpoint reads
  // at its own step, whatever steps its part has, and what it sends into the part comes from its step; but for a parameter in
  // BackwardOptions::by_step, flow is |contribution|, which tells the steps of a part apart. Throws GradientError without BackwardOptions::flows.
  std::optional<double> flow(const Var& x, std::int64_t step) const;
  // Whether BackwardOptions::flows was set.
  bool has_flows() const { return flows_.has_value(); }

  // The Euclidean norm of one gradient.
  double norm(const Var& x) const;
  double norm(const Parameter& parameter) const;

  // ---- for optimisers and clipping

  // One gradient, and where it stands.
  struct Entry {
    NodeId node = no_node;      // by which the gradient is
    ArrayView value;            // the elements
    void* data = nullptr;       // for writing; nullptr where the gradient is a node of the tape
    NodeId recorded = no_node;  // the node of the gradient, where the backward pass was recorded
  };
  // Every gradient that belongs to a parameter.
  std::vector<Entry> parameter_entries() const;

  // ---- for the sweep

  // Adds the gradient by a node, or by a parameter and its node; nodes come in descending order.
  void add(Entry entry, const Parameter* parameter);
  // Adds what comes from one time step.
  void add_contribution(const Parameter& parameter, std::int64_t step, Entry entry);
  // Norms by node and step; of nodes that get something from their own step alone, none is kept.
  using Flows = std::map<NodeId, std::map<std::int64_t, double>>;
  // Adds what BackwardOptions::flows measured.
  void set_flows(const Tape& tape, Flows flows);

 private:
  const Entry* find(const Var& x) const;
  // Throws TapeError for a Var of another recording.
  void require_of_this_recording(const Var& x) const;
  // Throws TapeError if these gradients are nodes of a recording that is gone.
  void require_alive() const;
  void release();

  std::shared_ptr<Pool> pool_;
  detail::LifeSign* life_;
  std::uint32_t generation_;
  bool all_;
  std::vector<Entry> entries_;
  struct ParameterEntry {
    Parameter parameter;  // kept, so that no other parameter can take its identity
    std::size_t position;
  };
  std::unordered_map<const void*, ParameterEntry> by_parameter_;
  std::unordered_map<const void*, std::map<std::int64_t, Entry>> by_step_;
  std::optional<Flows> flows_;
};

// The Euclidean norm of any array, summed in double precision.
double norm(const ArrayView& array);

}  // namespace unroll
