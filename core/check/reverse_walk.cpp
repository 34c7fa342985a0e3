#include <unroll/core/check/reverse_walk.hpp>

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>

namespace unroll::detail {

ReverseWalk::ReverseWalk(Tape& tape, std::vector<NodeId> leaves, Options options)
    : tape_(tape), leaves_(std::move(leaves)), options_(std::move(options)) {
  find_dependent(0);
}

void ReverseWalk::find_dependent(NodeId begin) {
  depends_.resize(tape_.size());
  for (NodeId id = begin; id < tape_.size(); ++id) {
    const auto inputs = tape_.inputs(id);
    const auto copy = options_.copies.find(id);
    depends_[id] = std::find(leaves_.begin(), leaves_.end(), id) != leaves_.end() ||
                   (copy != options_.copies.end() && depends_[copy->second]) ||
                   std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) { return depends_[input]; });
  }
}

// What a rule gives goes past the hook.
class ReverseWalk::Rule final : public Vjp {
 public:
  Rule(ReverseWalk& walk, NodeId id) : walk_(walk), id_(id) {
    for (const NodeId input : walk.tape_.inputs(id)) vars_.push_back(walk.tape_.var(input));
    x = vars_;
    y = walk.tape_.var(id);
    g = walk.adjoint_[id];
    attributes = walk.tape_[id].attributes;
  }
  bool needs(std::size_t i) const override { return walk_.depends_[vars_[i].id()]; }
  void give(std::size_t i, Var contribution) override { walk_.give(id_, i, contribution); }

 private:
  ReverseWalk& walk_;
  NodeId id_;
  std::vector<Var> vars_;
};

void ReverseWalk::add(NodeId id, Var contribution) {
  if (id >= adjoint_.size()) adjoint_.resize(tape_.size());
  Var& sum_so_far = adjoint_[id];
  sum_so_far = sum_so_far.empty() ? contribution : sum_so_far + contribution;
}

void ReverseWalk::give(NodeId id, std::size_t input, Var contribution) {
  const NodeId to = tape_.inputs(id)[input];
  if (!depends_[to]) return;
  if (hook_ && *hook_) contribution = (*hook_)({id, input}, adjoint_[id], contribution);
  if (contribution.empty()) return;
  const Shape shape = tape_[to].value.shape;
  add(to, contribution.shape() == shape ? contribution : sum_to(contribution, shape));
}

void ReverseWalk::replay(NodeId id) {
  const auto begin = static_cast<NodeId>(tape_.size());
  const std::vector<Var> results = tape_[id].op->replay(tape_, id);
  find_dependent(begin);
  const Var g = adjoint_[id];
  adjoint_.resize(tape_.size());
  const auto last = static_cast<NodeId>(tape_.size());
  std::int64_t at = 0;
  for (const Var& result : results) {
    const auto size = static_cast<std::int64_t>(result.shape().size());
    const Var part = reshape(slice(g, 0, at, at + size), result.shape());
    if (depends_[result.id()]) add(result.id(), part);
    at += size;
  }
  if (last > begin) sweep(last - 1, begin);
}

void ReverseWalk::hand_on(NodeId id) {
  const Op& op = *tape_[id].op;
  if (const auto copy = options_.copies.find(id); copy != options_.copies.end()) return add(copy->second, adjoint_[id]);
  if (op.is_leaf()) return;
  if (op.replay) return replay(id);
  if (const CustomPart* custom = custom_part(tape_, id)) {
    const Var g = adjoint_[id];
    std::int64_t at = 0;
    for (std::size_t i = 0; i < custom->results.size(); ++i) {
      const auto size = static_cast<std::int64_t>(custom->results[i].size());
      const Var part = reshape(slice(g, 0, at, at + size), custom->results[i]);
      give(id, custom->inputs + i, part);
      at += size;
    }
    return;
  }
  if (op.name == "detach") {
    if (options_.through_detach) give(id, 0, adjoint_[id]);
    return;
  }
  if (!op.differentiable()) return;
  Rule rule(*this, id);
  if (!op.is_pointwise()) return op.vjp(rule);
  for (std::size_t i = 0; i < rule.x.size(); ++i)
    if (rule.needs(i)) rule.give(i, op.pointwise.recorded(i, rule.g, rule.x, rule.y, rule.attributes.reals.data()));
}

void ReverseWalk::sweep(NodeId from, NodeId to) {
  for (NodeId id = from + 1; id-- > to;)
    if (depends_[id] && id < adjoint_.size() && !adjoint_[id].empty()) hand_on(id);
}

std::vector<Array> ReverseWalk::gradients(NodeId from, const Array& cotangent, const EdgeHook& hook) {
  struct Forget {
    ReverseWalk& walk;
    Tape::Mark mark = walk.tape_.mark();
    Elsewhere before{walk.tape_};
    ~Forget() {
      walk.tape_.rollback(mark);
      walk.depends_.resize(mark.nodes);
      walk.adjoint_.clear();
      walk.hook_ = nullptr;
    }
  } const afterwards{*this};
  tape_.lazy = false;
  hook_ = &hook;
  adjoint_.assign(tape_.size(), Var());
  adjoint_[from] = tape_.constant(cotangent);
  sweep(from, 0);
  std::vector<Array> result;
  for (const NodeId leaf : leaves_)
    result.push_back(adjoint_[leaf].empty() ? Array(tape_[leaf].value.shape, DType::f64)
                                            : adjoint_[leaf].value().as(DType::f64));
  return result;
}

}  // namespace unroll::detail
