#include <unroll/core/grad/backward.hpp>

#include <unroll/core/kernels/elementwise.hpp>
#include <unroll/core/kernels/reduce.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/core/tape/recorded_call.hpp>

#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

// While it lives, what is recorded stands at the place of a forward node, as part of the backward pass.
class AtForwardNode {
 public:
  AtForwardNode(Tape& tape, NodeId node, bool lazy)
      : tape_(tape), place_(tape.place), origin_(tape.origin), lazy_(tape.lazy) {
    tape.place = tape[node].place;
    tape.place.phase = Phase::backward;
    tape.origin = node;
    tape.lazy = lazy;
  }
  ~AtForwardNode() {
    tape_.place = place_;
    tape_.origin = origin_;
    tape_.lazy = lazy_;
  }
  AtForwardNode(const AtForwardNode&) = delete;
  AtForwardNode& operator=(const AtForwardNode&) = delete;

 private:
  Tape& tape_;
  Place place_;
  NodeId origin_;
  bool lazy_;
};

Array seed(const Var& loss, const BackwardOptions& options) {
  const ArrayView value = loss.value();
  if (!options.cotangent) {
    if (value.size() != 1)
      throw ShapeError(
          fmt::format("backward: the loss has shape {}: expected a scalar, or a cotangent of that shape  {}",
                      to_string(value.shape), loss.tape().where(loss.id())));
    return Array::filled(value.shape, 1, value.dtype);
  }
  if (options.cotangent->shape() != value.shape)
    throw ShapeError(fmt::format("backward: a cotangent of shape {} for a loss of shape {}",
                                 to_string(options.cotangent->shape()), to_string(value.shape)));
  if (options.cotangent->dtype() != value.dtype)
    throw DTypeError(fmt::format("backward: a {} cotangent for a {} loss", to_string(options.cotangent->dtype()),
                                 to_string(value.dtype)));
  return *options.cotangent;
}

// What a rule gives to an input has the input's shape, or one to which the input was broadcast.
void require_fitting(const Tape& tape, NodeId node, std::size_t i, const Node& input, const Node& contribution) {
  if (contribution.value.dtype == input.value.dtype && broadcasts_to(input.value.shape, contribution.value.shape))
    return;
  throw ShapeError(fmt::format("{}: its reverse rule gave input {} a gradient of shape {} in {}, expected {} in {}  {}",
                               tape[node].op->name, i, to_string(contribution.value.shape),
                               to_string(contribution.value.dtype), to_string(input.value.shape),
                               to_string(input.value.dtype), tape.where(node)));
}

bool kept(const Node& node, const BackwardOptions& options) {
  return options.keep == Keep::all || node.input_count == 0;
}

std::vector<Var> operands(Tape& tape, NodeId id) {
  std::vector<Var> result;
  for (NodeId input : tape.inputs(id)) result.push_back(tape.var(input));
  return result;
}

// ---- without recording: adjoints are plain buffers, taken when the first contribution arrives and given back once their node has
// handed them on. Rules written in operations run on the end of the tape, unevaluated; the last operation of each contribution is
// then evaluated right into the buffer, adding to what is there, and the end of the tape is forgotten.

class EagerSweep {
 public:
  EagerSweep(Tape& tape, NodeId loss, const BackwardOptions& options) : tape_(tape), options_(options) {
    tape.adjoints.assign(loss + std::size_t{1}, nullptr);
  }
  ~EagerSweep() {
    for (NodeId id = 0; id < tape_.adjoints.size();
         ++id)  // after an error only; else all are handed over or given back
      if (tape_.adjoints[id]) tape_.pool()->give(tape_.adjoints[id], bytes(id));
    tape_.adjoints.clear();
  }
  EagerSweep(const EagerSweep&) = delete;
  EagerSweep& operator=(const EagerSweep&) = delete;

  Gradients run(NodeId loss, const Array& cotangent) {
    Gradients result(tape_, options_.keep == Keep::all);
    kernels::copy(cotangent, cotangent.shape(), target(loss).data, false);
    for (NodeId id = loss + 1; id-- > 0;) {
      if (!tape_.adjoints[id]) continue;
      if (tape_[id].op->is_pointwise())
        pointwise(id);
      else if (!tape_[id].op->is_leaf())
        general(id);
      const Node& node = tape_[id];
      void* data = std::exchange(tape_.adjoints[id], nullptr);
      if (kept(node, options_))
        result.add({id, ArrayView{node.value.dtype, node.value.shape, data}, data, no_node},
                   node.op == &parameter_op() ? tape_.parameter(id) : nullptr);
      else
        tape_.pool()->give(data, bytes(id));
    }
    return result;
  }

 private:
  struct Target {
    void* data;
    bool accumulate;  // false for the first contribution, which finds nothing to add to
  };

  std::size_t bytes(NodeId id) const { return tape_[id].value.size() * size_of(tape_[id].value.dtype); }

  Target target(NodeId id) {
    void*& data = tape_.adjoints[id];
    const bool first = data == nullptr;
    if (first) data = tape_.pool()->take(bytes(id));
    return {data, !first};
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

  // Forgets what a rule recorded, also when the rule throws.
  struct Forget {
    Tape& tape;
    Tape::Mark mark = tape.mark();
    ~Forget() { tape.rollback(mark); }
  };

  void general(NodeId id) {
    const Forget afterwards{tape_};
    const AtForwardNode here(tape_, id, true);
    Rule rule(*this, id);
    tape_[id].op->vjp(rule);
  }

  Tape& tape_;
  const BackwardOptions& options_;
};

// ---- with recording: adjoints are Vars, rules record what they compute, and adding up is an operation like any other

class RecordedSweep {
 public:
  RecordedSweep(Tape& tape, NodeId loss) : tape_(tape), adjoints_(loss + std::size_t{1}) {}

  Gradients run(NodeId loss, const Array& cotangent) {
    Gradients result(tape_, true);
    {
      const AtForwardNode here(tape_, loss, false);
      adjoints_[loss] = tape_.constant(cotangent);
    }
    for (NodeId id = loss + 1; id-- > 0;) {
      if (adjoints_[id].empty()) continue;
      const NodeId adjoint = adjoints_[id].id();
      tape_.mutable_node(id).adjoint = adjoint;
      if (!tape_[id].op->is_leaf()) hand_on(id);
      result.add({id, tape_[adjoint].value, nullptr, adjoint},
                 tape_[id].op == &parameter_op() ? tape_.parameter(id) : nullptr);
    }
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

  void hand_on(NodeId id) {
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

  Tape& tape_;
  std::vector<Var> adjoints_;
};

}  // namespace

Gradients backward(Var loss, const BackwardOptions& options) {
  Tape& tape = loss.tape();
  const Array cotangent = seed(loss, options);
  if (!loss.node().tracked)
    throw GradientError(fmt::format("backward: the loss depends on no input or parameter  {}", tape.where(loss.id())));
  tape.require_unchanged_parameters();
  if (options.create_graph) return RecordedSweep(tape, loss.id()).run(loss.id(), cotangent);
  return EagerSweep(tape, loss.id(), options).run(loss.id(), cotangent);
}

}  // namespace unroll
