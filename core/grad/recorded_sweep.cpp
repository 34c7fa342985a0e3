#include <unroll/core/grad/sweep.hpp>

#include <unroll/core/ops/ops.hpp>

#include <map>
#include <vector>

namespace unroll::detail {

namespace {

std::vector<Var> operands(Tape& tape, NodeId id) {
  std::vector<Var> result;
  for (NodeId input : tape.inputs(id)) result.push_back(tape.var(input));
  return result;
}

// Adjoints are Vars, rules record what they compute, and adding up is an operation like any other.
class RecordedSweep {
 public:
  RecordedSweep(Tape& tape, NodeId loss, const BackwardOptions& options)
      : tape_(tape), loss_(loss), until_(options.until), flows_(options.flows), adjoints_(loss + std::size_t{1}) {}

  Gradients run(const Array& cotangent) {
    Gradients result(tape_, true);
    {
      const AtForwardNode here(tape_, loss_, false);
      adjoints_[loss_] = tape_.constant(cotangent);
    }
    sweep(loss_, 0);
    for (NodeId id = loss_ + 1; id-- > 0;) {
      if (adjoints_[id].empty()) continue;
      const NodeId adjoint = adjoints_[id].id();
      result.add({id, tape_[adjoint].value, nullptr, adjoint},
                 tape_[id].op == &parameter_op() ? tape_.parameter(id) : nullptr);
    }
    if (flows_) result.set_flows(tape_, flows());
    return result;
  }

 private:
  class Rule final : public Vjp {
   public:
    Rule(RecordedSweep& sweep, NodeId id, const std::vector<Var>& inputs) : sweep_(sweep) {
      x = inputs;
      y = sweep.tape_.var(id);
      g = sweep.adjoints_[id];
      attributes = sweep.tape_[id].attributes;
    }
    bool needs(std::size_t i) const override { return x[i].node().tracked; }
    void give(std::size_t i, Var contribution) override {
      if (!needs(i)) return;
      require_fitting(sweep_.tape_, y.id(), i, x[i].node(), contribution.node());
      sweep_.add(x[i], contribution);
    }

   private:
    RecordedSweep& sweep_;
  };

  // Hands on all adjoints from one node down to another.
  void sweep(NodeId from, NodeId to) {
    for (NodeId id = from + 1; id-- > to;) {
      if (adjoints_[id].empty()) continue;
      tape_.mutable_node(id).adjoint = adjoints_[id].id();
      if (tape_[id].op->is_leaf() || until_.contains(id)) continue;
      if (tape_[id].op->replay)
        replay(id);
      else
        hand_on(id);
    }
  }

  // A part of the program that was not kept (checkpoint): from here on the tape holds it, recorded again.
  void replay(NodeId id) {
    current_ = id;
    const auto begin = static_cast<NodeId>(tape_.size());
    const std::vector<Var> results = tape_[id].op->replay(tape_, id);
    const auto end = static_cast<NodeId>(tape_.size());
    adjoints_.resize(std::max(tape_.size(), adjoints_.size()));
    around_.push_back({begin, tape_[id].place.step});
    std::int64_t position = 0;
    for (const Var& result : results) {
      const auto n = static_cast<std::int64_t>(result.shape().size());
      const AtForwardNode here(tape_, result.id(), false);
      const Var part = reshape(slice(adjoints_[id], 0, position, position + n), result.shape());
      position += n;
      if (result.node().tracked) add(result, part);
    }
    if (end > begin) sweep(end - 1, begin);  // a part may hand its inputs through and record nothing
    around_.pop_back();
  }

  void hand_on(NodeId id) {
    current_ = id;
    const AtForwardNode here(tape_, id, false);
    const Op& op = *tape_[id].op;
    const std::vector<Var> x = operands(tape_, id);
    Rule rule(*this, id, x);
    if (!op.is_pointwise()) return op.vjp(rule);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (rule.needs(i)) rule.give(i, op.pointwise.recorded(i, rule.g, x, rule.y, rule.attributes.reals.data()));
  }

  void add(Var input, Var contribution) {
    if (contribution.shape() != input.shape())  // the one place where broadcasting is undone
      contribution = sum_to(contribution, input.shape());
    if (flows_) parts_[input.id()][reading_step(input.id())].push_back(contribution);
    Var& adjoint = adjoints_[input.id()];
    if (adjoint.empty()) {
      adjoint = contribution;
      return;
    }
    // adding up belongs to the input; for a parameter, which has no time step, to the step that contributes
    const std::int32_t step = tape_.place.step;
    const AtForwardNode here(tape_, input.id(), false);
    if (tape_.place.step == no_step) tape_.place.step = step;
    adjoint = unroll::add(adjoint, contribution);
  }

  // The step at which an input is read now: for one from outside of a part that is recorded again, that of its checkpoint.
  std::int32_t reading_step(NodeId input) const {
    std::int32_t step = tape_[current_].place.step;
    for (std::size_t i = around_.size(); i-- > 0 && input < around_[i].begin;) step = around_[i].step;
    return step;
  }

  Gradients::Flows flows() const {
    Gradients::Flows norms;
    for (const auto& [id, steps] : parts_)
      for (const auto& [step, contributions] : steps) norms[id][step] = norm_of_sum(contributions);
    return norms;
  }

  static double norm_of_sum(const std::vector<Var>& terms) {
    if (terms.size() == 1) return norm(terms[0].value());
    Array sum(terms[0].shape(), DType::f64);
    for (const Var& term : terms)
      for (std::size_t i = 0; i < sum.size(); ++i) sum.set_flat(i, sum.flat(i) + term.value().flat(i));
    return norm(sum);
  }

  struct Around {
    NodeId begin;  // the first node of the part
    std::int32_t step;
  };

  Tape& tape_;
  NodeId loss_;
  NodeSet until_;
  bool flows_;
  std::vector<Var> adjoints_;
  std::map<NodeId, std::map<std::int64_t, std::vector<Var>>>
      parts_;                   // what was given, by node and step; only for flows
  NodeId current_ = no_node;    // the node that is handing on
  std::vector<Around> around_;  // parts that are being swept, outermost first
};

}  // namespace

Gradients sweep_recorded(Tape& tape, NodeId loss, const Array& cotangent, const BackwardOptions& options) {
  return RecordedSweep(tape, loss, options).run(cotangent);
}

}  // namespace unroll::detail
