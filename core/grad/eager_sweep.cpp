#include <unroll/core/grad/sweep.hpp>

#include <unroll/core/kernels/elementwise.hpp>
#include <unroll/core/kernels/reduce.hpp>
#include <unroll/core/tape/recorded_call.hpp>

#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace unroll::detail {

namespace {

// Adjoints are plain buffers, taken when the first contribution arrives and given back once their node has handed them on. Rules
// written in operations run on the end of the tape, unevaluated; the last operation of each contribution is then evaluated right into
// the buffer, adding to what is there, and the end of the tape is forgotten.
class EagerSweep {
 public:
  EagerSweep(Tape& tape, NodeId loss, const BackwardOptions& options)
      : tape_(tape),
        loss_(loss),
        keep_all_(options.keep == Keep::all),
        also_(options.also),
        until_(options.until),
        flows_(options.flows),
        current_(loss),
        reader_(loss) {
    if (!options.by_step.empty() || flows_) apart_.resize(loss + std::size_t{1}, Apart::no);
    for (const Parameter& p : options.by_step)
      if (const NodeId node = tape.find(p); node <= loss) apart_[node] = Apart::kept;
    if (flows_) find_parts();
    if (std::exchange(tape.sweeping, true))
      outer_.emplace(std::move(tape.adjoints));  // in a part that another sweep records again
    if (tape.adjoints.size() <= loss) tape.adjoints.resize(loss + std::size_t{1}, nullptr);
  }
  ~EagerSweep() {
    if (!done_) {  // an error: there is something to give back
      for (NodeId id = 0; id < tape_.adjoints.size(); ++id) release(id);
      for (const auto& [key, part] : parts_)
        if (part.data) tape_.pool()->give(part.data, bytes(key.first));
    }
    tape_.sweeping = outer_.has_value();
    if (outer_) tape_.adjoints = std::move(*outer_);
  }
  EagerSweep(const EagerSweep&) = delete;
  EagerSweep& operator=(const EagerSweep&) = delete;

  Gradients run(const Array& cotangent) {
    kernels::copy(cotangent, cotangent.shape(), target(loss_).data, false);
    sweep(loss_, 0);
    Gradients result(tape_, keep_all_);
    hand_over_contributions(result);
    std::sort(finished_.begin(), finished_.end(), std::greater<>());
    for (NodeId id : finished_) {
      const Node& node = tape_[id];
      void* data = std::exchange(tape_.adjoints[id], nullptr);
      result.add({id, ArrayView{node.value.dtype, node.value.shape, data}, data, no_node}, parameter(id));
    }
    if (flows_) result.set_flows(tape_, std::move(norms_));
    done_ = true;
    return result;
  }

 private:
  struct Target {
    void* data;
    bool accumulate;  // false for the first contribution, which finds nothing to add to
  };

  // What is done with the parts of an adjoint that come from single time steps.
  enum class Apart : std::uint8_t {
    no,
    kept,     // until the end, as contributions to a parameter's gradient
    measured  // and added up as soon as they are complete
  };
  struct Part {
    void* data = nullptr;
    NodeId last = no_node;  // of a part that is measured: the reader that hands on last
  };

  std::size_t bytes(NodeId id) const { return tape_[id].value.size() * size_of(tape_[id].value.dtype); }
  const Parameter* parameter(NodeId id) const {
    return tape_[id].op == &parameter_op() ? tape_.parameter(id) : nullptr;
  }

  void release(NodeId id) {
    if (void* data = std::exchange(tape_.adjoints[id], nullptr)) tape_.pool()->give(data, bytes(id));
  }

  // Where a contribution to the adjoint of a node goes.
  Target target(NodeId id) {
    Part* const part = part_of(id);
    void*& data = part ? part->data : tape_.adjoints[id];
    const bool first = data == nullptr;
    if (!first) return {data, true};
    data = tape_.pool()->take(bytes(id));
    if (!part)
      begin(id);
    else if (apart_[id] == Apart::measured)
      ++waiting_;
    return {data, false};
  }

  // The part of an adjoint to which a contribution belongs; nullptr if it is not kept apart.
  Part* part_of(NodeId id) {
    const Apart apart = id < apart_.size() ? apart_[id] : Apart::no;
    if (apart == Apart::no) return nullptr;
    if (apart == Apart::kept) return &parts_[{id, tape_[current_].place.step}];
    // without one, a part that is recorded again reads what it did not read the first time
    const auto found = parts_.find({id, tape_[reader_].place.step});
    return found != parts_.end() && found->second.last <= reader_ ? &found->second : nullptr;
  }

  // A node has got its first contribution: it waits for its turn, or for the end if nothing is beyond it.
  void begin(NodeId id) {
    if (!tape_[id].op->is_leaf() && !until_.contains(id))
      ++waiting_;
    else if (id <= loss_)
      finished_.push_back(id);
  }

  // Hands on all adjoints from one node down to another.
  void sweep(NodeId from, NodeId to) {
    for (NodeId id = from + 1; id-- > to && waiting_ > 0;) {
      if (tape_.adjoints[id] && !tape_[id].op->is_leaf() && !until_.contains(id)) hand_on(id);
      if (flows_ && id <= loss_) complete_parts(id);
    }
  }

  void hand_on(NodeId id) {
    current_ = id;
    if (id <= loss_) reader_ = id;
    --waiting_;
    const Op& op = *tape_[id].op;
    if (op.is_pointwise())
      pointwise(id);
    else if (op.replay)
      replay(id);
    else
      general(id);
    if (id <= loss_ && (keep_all_ || also_.contains(id)))
      finished_.push_back(id);
    else
      release(id);
  }

  // The parts that are measured: of nodes with a reader at another step than their own, one for each step at which they are read.
  void find_parts() {
    const auto each_edge = [&](const auto& visit) {
      for (NodeId reader = 0; reader <= loss_; ++reader) {
        if (!tape_[reader].tracked) continue;
        for (NodeId id : tape_.inputs(reader))
          if (tape_[id].tracked && apart_[id] != Apart::kept) visit(id, reader, tape_[reader].place.step);
      }
    };
    each_edge([&](NodeId id, NodeId, std::int32_t step) {
      if (step != tape_[id].place.step) apart_[id] = Apart::measured;
    });
    each_edge([&](NodeId id, NodeId reader, std::int32_t step) {
      if (apart_[id] == Apart::measured) parts_.try_emplace({id, step}, Part{.last = reader});
    });
  }

  // A reader has had its turn: measures and adds up the parts to which none after it gives anything.
  void complete_parts(NodeId reader) {
    if (!tape_[reader].tracked) return;
    for (NodeId id : tape_.inputs(reader)) {
      if (apart_[id] != Apart::measured) continue;
      const std::int32_t step = tape_[reader].place.step;
      Part& part = parts_.at({id, step});
      if (part.last != reader || !part.data) continue;
      void* data = std::exchange(part.data, nullptr);
      --waiting_;
      const ArrayView view{tape_[id].value.dtype, tape_[id].value.shape, data};
      norms_[id][step] = norm(view);
      if (void*& sum = tape_.adjoints[id]) {
        kernels::copy(view, view.shape, sum, true);
        tape_.pool()->give(data, bytes(id));
      } else {
        sum = data;
        begin(id);
      }
    }
  }

  // The contributions that were kept apart, each and their sum.
  void hand_over_contributions(Gradients& result) {
    for (const auto& [key, part] : parts_) {
      const auto [id, step] = key;
      if (apart_[id] != Apart::kept) continue;
      void* data = part.data;
      const ArrayView view{tape_[id].value.dtype, tape_[id].value.shape, data};
      void*& sum = tape_.adjoints[id];
      const bool first = sum == nullptr;
      if (first) {
        sum = tape_.pool()->take(bytes(id));
        finished_.push_back(id);
      }
      kernels::copy(view, view.shape, sum, !first);
      if (flows_) norms_[id][step] = norm(view);
      result.add_contribution(*tape_.parameter(id), step, {id, view, data, no_node});
    }
    parts_.clear();
  }

  void pointwise(NodeId id) {
    const RecordedCall call(tape_, id);
    const Node& node = tape_[id];
    const Shape& shape = node.value.shape;
    const void* g = tape_.adjoints[id];
    const double* parameters = node.attributes.reals.data();
    const auto inputs = tape_.inputs(id);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Node& input = tape_[inputs[i]];
      if (!input.tracked) continue;
      const auto derivative = node.op->pointwise.derivative[i][static_cast<int>(node.value.dtype)];
      const Target to = target(inputs[i]);
      if (input.value.shape == shape) {
        kernels::derivative(derivative, g, call->inputs, node.value, shape, node.value.dtype, to.data, parameters,
                            to.accumulate);
        continue;
      }
      const Arena::Mark mark = tape_.arena().mark();
      void* full = tape_.arena().allocate(bytes(id));
      kernels::derivative(derivative, g, call->inputs, node.value, shape, node.value.dtype, full, parameters, false);
      kernels::sum(ArrayView{node.value.dtype, shape, full}, input.value.shape, to.data, 1, to.accumulate);
      tape_.arena().rollback(mark);
    }
  }

  class Rule final : public Vjp {
   public:
    Rule(EagerSweep& sweep, NodeId id)
        : sweep_(sweep), inputs_(sweep.tape_.inputs(id).size()), vars_(inputs_.span().size()) {
      Tape& tape = sweep.tape_;
      const auto list = tape.inputs(id);
      for (std::size_t i = 0; i < list.size(); ++i) {
        inputs_[i] = list[i];
        vars_[i] = tape.var(list[i]);
      }
      x = vars_.span();
      y = tape.var(id);
      attributes = tape[id].attributes;
      const ArrayView adjoint{tape[id].value.dtype, tape[id].value.shape, tape.adjoints[id]};
      g = tape.constant_view(adjoint);
    }

    bool needs(std::size_t i) const override { return sweep_.tape_[inputs_[i]].tracked; }

    void give(std::size_t i, Var contribution) override {
      Tape& tape = sweep_.tape_;
      if (!tape[inputs_[i]].tracked) return;
      require_fitting(tape, y.id(), i, tape[inputs_[i]], contribution.node());
      const Target to = sweep_.target(inputs_[i]);
      const NodeId id = contribution.id();
      const Shape& shape = tape[inputs_[i]].value.shape;
      if (tape[id].pending && tape[id].value.shape == shape && !tape[id].op->view)
        return evaluate(*tape[id].op, *RecordedCall(tape, id), shape, tape[id].value.dtype, to.data, to.accumulate);
      materialize(tape, id);
      if (tape[id].value.shape == shape)
        kernels::copy(tape[id].value, shape, to.data, to.accumulate);
      else
        kernels::sum(tape[id].value, shape, to.data, 1, to.accumulate);
    }

   private:
    EagerSweep& sweep_;
    FewOrMany<NodeId> inputs_;
    FewOrMany<Var> vars_;
  };

  // Forgets what a rule or a replay recorded, with its adjoints, also after an error.
  struct Forget {
    EagerSweep& sweep;
    Tape::Mark mark = sweep.tape_.mark();
    ~Forget() {
      for (auto id = static_cast<NodeId>(mark.nodes); id < sweep.tape_.adjoints.size(); ++id) sweep.release(id);
      sweep.tape_.adjoints.resize(std::min(mark.nodes, sweep.tape_.adjoints.size()));
      sweep.tape_.rollback(mark);
    }
  };

  void general(NodeId id) {
    const Forget afterwards{*this};
    const AtForwardNode here(tape_, id, true);
    Rule rule(*this, id);
    tape_[id].op->vjp(rule);
  }

  // A part of the program that was not kept (checkpoint): records it again, and sweeps through it into the same adjoints, so that
  // contributions add up in the same order, to the same bits, as if it had been kept.
  void replay(NodeId id) {
    const Forget afterwards{*this};
    const std::vector<Var> results = tape_[id].op->replay(tape_, id);
    tape_.adjoints.resize(std::max(tape_.size(), tape_.adjoints.size()), nullptr);
    const Node& node = tape_[id];
    const auto* g = static_cast<const std::byte*>(tape_.adjoints[id]);
    for (const Var& result : results) {
      const ArrayView part{node.value.dtype, result.shape(), g};
      g += part.size() * size_of(part.dtype);
      if (!result.node().tracked) continue;
      const Target to = target(result.id());
      kernels::copy(part, part.shape, to.data, to.accumulate);
    }
    // a part may hand its inputs through and record nothing
    if (tape_.size() > afterwards.mark.nodes) sweep(tape_.last(), static_cast<NodeId>(afterwards.mark.nodes));
  }

  Tape& tape_;
  NodeId loss_;
  bool keep_all_;
  NodeSet also_, until_;
  bool flows_;
  std::vector<Apart> apart_;                               // by node; empty if no option asks for it
  std::map<std::pair<NodeId, std::int64_t>, Part> parts_;  // by node and step
  Gradients::Flows norms_;
  std::vector<NodeId> finished_;             // nodes whose adjoint is complete and kept
  std::size_t waiting_ = 0;                  // adjoints that have not been handed on, and parts that are not complete
  NodeId current_;                           // the node that is handing on
  NodeId reader_;                            // the same, but of a part that is recorded again its checkpoint
  std::optional<std::vector<void*>> outer_;  // the adjoints of the sweep around this one
  bool done_ = false;
};

}  // namespace

Gradients sweep_eagerly(Tape& tape, NodeId loss, const Array& cotangent, const BackwardOptions& options) {
  return EagerSweep(tape, loss, options).run(cotangent);
}

}  // namespace unroll::detail
