#include "laws.hpp"

#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <rapidcheck.h>

namespace unroll::test {

namespace {

constexpr double float64_epsilon = std::numeric_limits<double>::epsilon(),
                 float32_epsilon = std::numeric_limits<float>::epsilon();

// How much the rounding of all values on the way can change a scalar: every element is rounded relative to itself, and its adjoint carries that on. The
// factor is for elements that are sums of some terms, the square for what the first order does not see.
double rounding(Var scalar, double epsilon = float64_epsilon) {
  if (!scalar.node().tracked) return 0;  // zero: the tangent of what does not move
  const Gradients gradients = backward(scalar, {.keep = Keep::all});
  const Tape& tape = scalar.tape();
  double total = 0;
  for (NodeId id = 0; id <= scalar.id(); ++id) {
    const Var node = tape.var(id);
    if (!gradients.contains(node)) continue;
    const ArrayView adjoint = gradients[node], value = node.value();
    for (std::size_t i = 0; i < value.size(); ++i) total += std::abs(adjoint.flat(i) * value.flat(i));
  }
  const double unit = 32 * epsilon, first_order = unit * total;
  return first_order + (unit + first_order) * (unit + first_order);
}

std::string equal(std::string_view left, double a, std::string_view right, double b, double tolerance) {
  if (std::abs(a - b) <= tolerance) return {};
  return fmt::format("{} = {}, but {} = {}: off by {:.3g}, expected at most {:.3g}", left, a, right, b, std::abs(a - b),
                     tolerance);
}

std::string equal(std::string_view left, Var a, std::string_view right, Var b) {
  return equal(left, a.item(), right, b.item(), rounding(a) + rounding(b));
}

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts)
    if (!text.empty()) return text;
  return {};
}

// An adjoint or a direction: elements between -1 and 1, other ones for another `variant`.
Array direction(const Shape& shape, int variant) { return spread(shape, -1, 1, variant); }

// A recording with a scalar to differentiate: u times the result. The adjoint u and the directions are inputs, so that rounding() sees them.
struct Scalar {
  Tape tape;
  Recorded f;
  Var u, loss;

  explicit Scalar(const Function& function) : f(function.record(tape, function.at)) {
    require_tame(tape);
    u = tape.input(direction(f.y.shape(), 0));
    loss = sum(f.y * u);
  }

  Array along(std::size_t leaf, int variant) const {
    return direction(f.leaves[leaf].shape(), variant + static_cast<int>(leaf));
  }
  std::vector<Tangent> tangents(int variant) const {
    std::vector<Tangent> result;
    for (std::size_t i = 0; i < f.leaves.size(); ++i) result.push_back({f.leaves[i], along(i, variant)});
    return result;
  }
  // The recorded gradient of a scalar times the directions.
  Var gradient_along(Var scalar, int variant) {
    const Gradients gradients = backward(scalar, {.create_graph = true});
    Var total = tape.input(Array::scalar(0));
    for (std::size_t i = 0; i < f.leaves.size(); ++i)
      if (gradients.contains(f.leaves[i]))
        total = total + sum(gradients.var(f.leaves[i]) * tape.input(along(i, variant)));
    return total;
  }
  // u times the derivative of the result along the directions.
  Var derivative_along(int variant) { return sum(jvp(f.y, tangents(variant)) * u); }
};

constexpr int v = 10, w = 50;  // two sets of directions

// The gradients by all leaves; zeros where the result does not depend on one.
std::vector<Array> gradients_of(const Recorded& f, const BackwardOptions& options) {
  const Gradients gradients = backward(f.y, options);
  std::vector<Array> result;
  for (const Var& leaf : f.leaves)
    result.push_back(gradients.contains(leaf) ? gradients[leaf].copy() : Array(leaf.shape(), leaf.dtype()));
  return result;
}

double total_along(const std::vector<Array>& gradients, int variant) {
  double total = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i)
    total += dot(gradients[i], direction(gradients[i].shape(), variant + static_cast<int>(i)));
  return total;
}

// The first difference between two lists of gradients by a comparison of two.
using Compare = Comparison (*)(const ArrayView&, const ArrayView&);
std::string compare_gradients(const std::vector<Array>& a, const std::vector<Array>& b, Compare compare) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const Comparison same = compare(a[i], b[i]); !same) return fmt::format("gradient {}: {}", i, same.message);
  return {};
}

// The same for values and gradients.
std::string compare_results(const Recorded& a, const Recorded& b, Compare compare) {
  if (const Comparison same = compare(a.y.value(), b.y.value()); !same) return "value: " + same.message;
  const Array u = direction(a.y.shape(), 0);
  return compare_gradients(gradients_of(a, {.cotangent = u}), gradients_of(b, {.cotangent = u}), compare);
}

bool same_sides(const Recorded& a, const Recorded& b) {
  for (std::size_t i = 0; i < a.sides.size(); ++i)
    if (!close(a.sides[i].value(), b.sides[i].value(), 0, 0)) return false;
  return true;
}

// u times the result where all leaves have moved by `step` along v. Discards where that is beyond a kink.
double moved(const Function& f, const Scalar& from, double step) {
  std::vector<Array> at;
  for (std::size_t i = 0; i < f.at.size(); ++i) {
    const Array by = from.along(i, v);
    at.push_back(f.at[i].copy());
    for (std::size_t e = 0; e < by.size(); ++e) at[i].set_flat(e, f.at[i].flat(e) + step * by.flat(e));
  }
  Tape tape;
  const Recorded there = f.record(tape, at);
  RC_PRE(same_sides(there, from.f));
  return dot(there.y.value(), from.u.value());
}

}  // namespace

void require_tame(const Tape& tape) {
  for (NodeId id = 0; id < tape.size(); ++id) {
    const ArrayView value = tape[id].value;
    for (std::size_t i = 0; i < value.size(); ++i) RC_PRE(!(std::abs(value.flat(i)) > 1e4));
  }
}

std::string forward_is_transposed_reverse(const Function& f) {
  Scalar s(f);
  const Var forward = s.derivative_along(v), reverse = s.gradient_along(s.loss, v);
  return equal("u (J v)", forward, "(J' u) v", reverse);
}

std::string gradient_is_central_difference(const Function& f) {
  Scalar s(f);
  const double derivative = total_along(gradients_of(s.f, {.cotangent = s.u.value().copy()}), v);
  constexpr double step = 1e-4;
  const double narrow = (moved(f, s, step) - moved(f, s, -step)) / (2 * step),
               wide = (moved(f, s, 2 * step) - moved(f, s, -2 * step)) / (4 * step);
  // The error of a difference grows with the square of its step, so this cancels it, and what is left is less than what was cancelled.
  const double difference = narrow + (narrow - wide) / 3, error = std::abs(narrow - wide) + rounding(s.loss) / step;
  RC_PRE(error <= 1e-3 * (1 + std::abs(derivative)));  // else the comparison says nothing
  return equal("derivative", derivative, "difference", difference, error);
}

std::string recorded_is_unrecorded(const Function& f) {
  Scalar s(f);
  const Var recorded = s.gradient_along(s.loss, v);
  const double tolerance = rounding(recorded);
  const Array u = s.u.value().copy();
  return first_of(
      {equal("recorded", recorded.item(), "unrecorded", total_along(gradients_of(s.f, {.cotangent = u}), v), tolerance),
       equal("recorded", recorded.item(), "recorded from an adjoint",
             total_along(gradients_of(s.f, {.create_graph = true, .cotangent = u}), v), tolerance)});
}

std::string second_derivative_is_symmetric(const Function& f) {
  Scalar s(f);
  const Var along_v = s.gradient_along(s.loss, v), along_w = s.gradient_along(s.loss, w);
  const Var reverse_over_reverse = s.gradient_along(along_v, w);
  return first_of(
      {equal("w (H v)", reverse_over_reverse, "v (H w)", s.gradient_along(along_w, v)),
       equal("reverse over reverse", reverse_over_reverse, "forward over reverse", jvp(along_v, s.tangents(w))),
       equal("reverse over reverse", reverse_over_reverse, "reverse over forward",
             s.gradient_along(s.derivative_along(v), w))});
}

std::string float32_is_near_float64(const Function& f) {
  Scalar s(f);
  std::vector<Array> narrow;
  for (const Array& array : f.at) narrow.push_back(array.as(DType::f32));
  Tape tape;
  const Recorded single = f.record(tape, narrow);
  RC_PRE(same_sides(single, s.f));
  if (single.y.dtype() != DType::f32) return "the result is not float32";
  const Var gradient = s.gradient_along(s.loss, v);
  const double value_error = rounding(s.loss, float32_epsilon), error = rounding(gradient, float32_epsilon);
  RC_PRE(error <= 1e-2 * (1 + std::abs(gradient.item())));  // beyond, errors are not small
  const Array u = s.u.value().as(DType::f32);
  return first_of({equal("float32 value", dot(single.y.value(), u), "float64 value", s.loss.item(), value_error),
                   equal("float32 gradient", total_along(gradients_of(single, {.cotangent = u}), v), "float64 gradient",
                         gradient.item(), error)});
}

std::string same_bits_again(const Function& f) {
  Tape first, second;
  const Recorded a = f.record(first, f.at);
  require_tame(first);
  f.record(second, f.at);
  second.clear();
  const Recorded b = f.record(second, f.at);
  const Array u = direction(a.y.shape(), 0);
  return first_of({compare_results(a, b, same_bits),
                   compare_gradients(gradients_of(a, {.cotangent = u}),
                                     gradients_of(a, {.keep = Keep::all, .cotangent = u}), same_bits)});
}

std::string reverse_is_linear(const Function& f) {
  Scalar s(f);
  Array one = s.u.value().copy(), other = direction(one.shape(), 5), twice = one.copy(), both = one.copy();
  for (std::size_t i = 0; i < one.size(); ++i) {
    twice.set_flat(i, 2 * one.flat(i));
    both.set_flat(i, one.flat(i) + other.flat(i));
  }
  const std::vector<Array> of_one = gradients_of(s.f, {.cotangent = one});
  std::vector<Array> doubled;
  for (const Array& gradient : of_one) {
    doubled.push_back(gradient.copy());
    for (std::size_t i = 0; i < gradient.size(); ++i) doubled.back().set_flat(i, 2 * gradient.flat(i));
  }
  const Var loss_of_other = sum(s.f.y * s.tape.input(other));
  const double tolerance = rounding(s.gradient_along(s.loss, v)) + rounding(s.gradient_along(loss_of_other, v));
  return first_of({compare_gradients(gradients_of(s.f, {.cotangent = twice}), doubled, same_bits),
                   equal("J' (a + b)", total_along(gradients_of(s.f, {.cotangent = both}), v), "J' a + J' b",
                         total_along(of_one, v) + total_along(gradients_of(s.f, {.cotangent = other}), v), tolerance)});
}

std::string chain_rule_holds_at_cut(const Function& f) {
  Scalar s(f);
  const Array u = s.u.value().copy();
  const Gradients at_cut = backward(s.f.y, {.cotangent = u, .until = s.f.cut});
  double total = 0;
  for (const Var& value : s.f.cut) {
    if (!at_cut.contains(value)) continue;
    const Array adjoint = at_cut[value].copy();
    Recorded before{s.f.leaves, value};
    total += total_along(gradients_of(before, {.cotangent = adjoint}), v);
  }
  return equal("in two parts", total, "at once", total_along(gradients_of(s.f, {.cotangent = u}), v),
               rounding(s.gradient_along(s.loss, v)));
}

std::string equal_functions(const Function& f, const Function& g) {
  Scalar a(f), b(g);
  return first_of(
      {equal("value", a.loss, "value of the other", b.loss),
       equal("gradient", a.gradient_along(a.loss, v), "gradient of the other", b.gradient_along(b.loss, v))});
}

std::string equal_digits(const Function& f, const Function& g) {
  Tape a, b;
  const Recorded first = f.record(a, f.at), second = g.record(b, g.at);
  require_tame(a);
  return compare_results(first, second, [](const ArrayView& x, const ArrayView& y) { return close(x, y, 0, 0); });
}

}  // namespace unroll::test
