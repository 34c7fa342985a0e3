#pragma once

#include <unroll/core/grad/checkpoint.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// A part of a program with a backward pass of one's own, as fused kernels have: JAX's custom_vjp, PyTorch's autograd.Function.
namespace unroll {

// A reverse rule written by hand: from the inputs x of a part, its results y and their adjoints g (zeros where the loss does not depend on a result)
// to the adjoint of every input, in its shape or one to which it broadcasts; an empty Var is zero. Written in operations, it can itself be differentiated.
using ReverseRule =
    std::function<std::vector<Var>(std::span<const Var> x, std::span<const Var> y, std::span<const Var> g)>;

// Records the operations of `part`, which listings, drawings and forward mode see, but differentiates it in reverse by `rule`, as it stands: whether
// it is right is for gradcheck() to say. What the rule wants to know of the way (a gate) the part gives as a further result. Throws Error without
// part or rule; TapeError without inputs or for those of several tapes; GradientError for a part that uses a node or parameter, whose gradient is wanted,
// besides its inputs: the rule cannot give it one. backward() throws GradientError where the rule gives another number of adjoints than there are inputs
// or one that does not fit, TapeError for one on another tape.
// See docs/gradient-checking.md and tutorials/12/README.md.
std::vector<Var> custom_vjp(const Part& part, const ReverseRule& rule, const std::vector<Var>& inputs);

// The same for functions of Vars: custom_vjp([](Var x) { return tanh(x); }, [](Var, Var y, Var g) { return g * (1 - y * y); }, x). The rule takes the
// inputs, the result and its adjoint, and gives the adjoint of the input, or a vector of the adjoints of several.
template <class F, class R, std::same_as<Var>... Inputs>
requires std::is_invocable_r_v<Var, F, Inputs...> Var custom_vjp(const F& f, const R& rule, Inputs... inputs) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return custom_vjp([f](std::span<const Var> x) { return std::vector<Var>{f(x[i]...)}; },
                      [rule](std::span<const Var> x, std::span<const Var> y, std::span<const Var> g) {
                        if constexpr (sizeof...(i) == 1)
                          return std::vector<Var>{rule(x[i]..., y[0], g[0])};
                        else
                          return rule(x[i]..., y[0], g[0]);
                      },
                      std::vector<Var>{inputs...})[0];
  }
  (std::index_sequence_for<Inputs...>());
}

// ---- for checks

// A part with a rule of its own, as the tape keeps it.
struct CustomPart {
  Part part;                   // the operations
  ReverseRule rule;            // which stands in the place of theirs
  std::vector<Shape> results;  // the shapes of the results
  std::size_t inputs;          // how many of the node's operands are inputs of the part
};
// The part behind a node that custom_vjp() recorded; nullptr for any other node.
const CustomPart* custom_part(const Tape& tape, NodeId id);

}  // namespace unroll
