#include "layers_support.hpp"

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/gradcheck.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

// Faults in programs of other people's making: gates stacked as other systems stack them, loops written out by hand, faults that begin late.

namespace unroll::test {

namespace {

// A GRU as PyTorch writes it: the weights of r, z and n one above the other, two biases, and the gates sliced from the sums with them. `to_h` says what
// the rule, written by hand, does with the adjoint of the sum that h goes into, and `by_W` with the gradient by its weight.
GradcheckReport check_stacked_gru(const std::function<Var(Var)>& to_h, const std::function<Var(Var)>& by_W) {
  constexpr std::int64_t H = 3;
  Generator generator(5);
  const auto weight = [&](const char* name, Shape shape) {
    return Parameter(name, normal(std::move(shape), 0.7, generator, DType::f64));
  };
  const Parameter W = weight("gru.W_ih", {3 * H, 2}), U = weight("gru.W_hh", {3 * H, H});
  const Parameter b = weight("gru.b_ih", {3 * H}), d = weight("gru.b_hh", {3 * H});
  const Part part = [](std::span<const Var> v) {
    const Var from_x = matmul(v[0], transpose(v[2])) + v[4], from_h = matmul(v[1], transpose(v[3])) + v[5];
    const std::vector<Var> a = split(from_x, 1, 3), c = split(from_h, 1, 3);
    const Var r = sigmoid(a[0] + c[0]).named("r"), z = sigmoid(a[1] + c[1]).named("z");
    const Var shown = r * c[2], n = tanh(a[2] + shown).named("n"), kept = z * v[1], fresh = (1.0 - z) * n;
    return std::vector<Var>{(kept + fresh).named("h"), r, z, n, c[2]};
  };
  const ReverseRule rule = [&](std::span<const Var> v, std::span<const Var> y, std::span<const Var> g) {
    const Var r = y[1], z = y[2], n = y[3], dn = g[0] * (1.0 - z) * (1.0 - square(n));
    const Var dr = dn * y[4] * r * (1.0 - r), dz = g[0] * (v[1] - n) * z * (1.0 - z);
    const Var from_x = concat({dr, dz, dn}, 1), from_h = concat({dr, dz, dn * r}, 1);
    const Var dh = matmul(to_h(from_h), v[3]), kept = g[0] * z;
    return std::vector<Var>{
        matmul(from_x, v[2]), dh + kept,       matmul(transpose(from_x), v[0]), by_W(matmul(transpose(from_h), v[1])),
        sum(from_x, {0}),     sum(from_h, {0})};
  };
  const auto step = [&](Var x, Var h) {
    Tape& tape = x.tape();
    const Var next = custom_vjp(part, rule, {x, h, tape.use(W), tape.use(U), tape.use(b), tape.use(d)})[0];
    return std::pair{next, next};
  };
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, H}, DType::f64), "h"); };
  return gradcheck(AnyCell("gru", step, zero, {W, U, b, d}), {.steps = 3, .batch = 2, .input = 2});
}

Var without_columns(Var x, std::int64_t from, std::int64_t to) {
  const std::int64_t end = x.shape()[1];
  return concat({slice(x, 1, 0, from), slice(x, 1, from, to) * 0.0, slice(x, 1, to, end)}, 1);
}

// A cell of tanh over ten steps, whose hand-written rule has a fault from one step on.
GradcheckReport check_late(std::int64_t late) {
  Generator generator(2);
  const Parameter W("W", normal({2, 3}, 0.7, generator, DType::f64)),
      U("U", normal({3, 3}, 0.7, generator, DType::f64));
  const auto step = [&](Var x, Var h) {
    Tape& tape = x.tape();
    const Var from_x = matmul(x, tape.use(W)), from_h = matmul(h, tape.use(U));
    const bool wrong = tape.place.step >= late;
    const auto rule = [wrong](Var, Var y, Var g) { return wrong ? g * 1.0 : g * (1.0 - square(y)); };
    const Var next = custom_vjp([](Var v) { return tanh(v).named("h"); }, rule, from_x + from_h);
    return std::pair{next, next};
  };
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 3}, DType::f64), "h"); };
  return gradcheck(AnyCell("mine", step, zero, {W, U}), {.steps = 10, .batch = 2, .input = 2});
}

}  // namespace

TEST_CASE("a gate's term that is missing is named where biases come between the product and the gates") {
  const auto same = [](Var v) { return v; };
  CHECK(check_stacked_gru(same, same).passed);
  const auto summary = [&](std::int64_t gate) {
    const auto left_out = [gate](Var v) { return without_columns(v, 3 * gate, 3 * gate + 3); };
    return check_stacked_gru(left_out, same).diagnosis->summary;
  };
  CHECK(summary(0) == "the term to h_(t-1) through r is missing");
  CHECK(summary(1) == "the term to h_(t-1) through z is missing");
  CHECK(summary(2) == "the term to h_(t-1) through n is missing");
  const auto by_W = [&](Var v) { return transpose(without_columns(transpose(v), 3, 6)); };
  CHECK(check_stacked_gru(same, by_W).diagnosis->summary == "the term to gru.W_hh through z is missing");
}

TEST_CASE("gates one above the other, each transposed, are seen as such") {
  const auto same = [](Var v) { return v; };
  const auto transposed = [](Var v) {
    return concat({transpose(slice(v, 0, 0, 3)), transpose(slice(v, 0, 3, 6)), transpose(slice(v, 0, 6, 9))}, 0);
  };
  const Diagnosis found = *check_stacked_gru(same, transposed).diagnosis;
  CHECK(found.cause == Cause::transposed);
  CHECK(found.summary == "each gate's block of the gradient by gru.W_hh is transposed");
}

TEST_CASE("a fault that begins at a late step is not explained by what fewer steps show") {
  for (const std::int64_t late : {5, 8}) {
    const Diagnosis found = *check_late(late).diagnosis;
    INFO(found.summary);
    CHECK(found.cause == Cause::unknown);
    const std::string since = fmt::format("right for T = {}, wrong from T = {} on", late - 1, late);
    CHECK(std::find(found.evidence.begin(), found.evidence.end(), since) != found.evidence.end());
  }
}

TEST_CASE("a mean over the batch is not taken for a half, although two sequences are checked") {
  const Parameter U("U", spread({3, 3}, -1, 1));
  const auto step = [&](Var x, Var h) {
    const double share = 1.0 / static_cast<double>(x.shape()[0]);
    const auto rule = [share](Var, Var before, Var w, Var y, Var g) {
      const Var da = g * (1.0 - square(y)), dh = matmul(da, transpose(w)) * share;
      return std::vector<Var>{da, dh, matmul(transpose(before), da)};
    };
    const auto forward = [](Var in, Var before, Var w) {
      const Var product = matmul(before, w);
      return tanh(in + product).named("h");
    };
    const Var next = custom_vjp(forward, rule, x, h, x.tape().use(U));
    return std::pair{next, next};
  };
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 3}, DType::f64), "h"); };
  const GradcheckReport report = gradcheck(AnyCell("mine", step, zero, {U}), {.steps = 3, .batch = 2, .input = 3});
  CHECK(report.diagnosis->summary == "what is handed back to h_(t-1) is divided by the batch once too often");
}

TEST_CASE("a value that is computed beside the tape is found, however small the state") {
  const Parameter W("W", Array({1, 1}, {0.5})), U("U", Array({1, 1}, {0.7}));
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 1}, DType::f64), "h"); };
  const auto found = [&](double factor) {
    const auto step = [&, factor](Var x, Var h) {
      Array copy = h.value().copy();
      copy.set_flat(0, copy.flat(0) * factor);
      const Var from_x = matmul(x, x.tape().use(W)), from_h = matmul(x.tape().constant(copy), x.tape().use(U));
      const Var next = tanh(from_x + from_h).named("h");
      return std::pair{next, next};
    };
    return *gradcheck(AnyCell("mine", step, zero, {W, U}), {.steps = 3, .batch = 1, .input = 1}).diagnosis;
  };
  const Diagnosis copied = found(1), scaled = found(0.3);
  CHECK(copied.cause == Cause::detached);
  CHECK(copied.summary.find("is recorded again as a constant, by its numbers") != std::string::npos);
  CHECK(scaled.cause == Cause::detached);
  CHECK(scaled.summary ==
        "a constant on the way to h changes when the leaves do: it is computed from numbers, beside the tape, and no "
        "gradient flows back there");
}

TEST_CASE(
    "backward loops of one's own: an output that is forgotten, a step where the way back ends, tanh' of the state "
    "before") {
  constexpr std::size_t T = 5;
  const Parameter w("w", Array::scalar(0.7)), x("x", Array(Shape{5}, {0.3, -0.2, 0.9, 0.5, -0.7}));
  const auto program = [&](Tape& tape) {
    Var h = tape.scalar(0.5, DType::f64);
    std::vector<Var> all;
    for (std::size_t t = 0; t < T; ++t) {
      const Step step(tape, static_cast<std::int64_t>(t) + 1);
      const Var carried = tape.use(w) * h;
      h = tanh(carried + select(tape.use(x), 0, static_cast<std::int64_t>(t))).named("h");
      all.push_back(h);
    }
    return stack(all);
  };
  enum class Slip { none, outputs, cut, before };
  const auto found = [&](Slip slip) {
    const auto by_hand = [&, slip](const Array& u) {
      std::vector<double> h{0.5};
      for (std::size_t t = 0; t < T; ++t) h.push_back(std::tanh(0.7 * h[t] + x.value().flat(t)));
      double dw = 0, dh = 0;
      Array dx({5}, DType::f64);
      for (std::size_t t = T; t-- > 0;) {
        if (slip != Slip::outputs || t == T - 1) dh += u.flat(t);
        const double y = slip == Slip::before ? h[t] : h[t + 1], da = dh * (1 - y * y);
        dx.set_flat(t, da);
        dw += da * h[t];
        dh = slip == Slip::cut && t == T - 2 ? 0 : da * 0.7;
      }
      return std::vector<Array>{Array::scalar(dw), dx};
    };
    return gradcheck({.record = program, .leaves = {{w}, {x}}}, {.gradients = by_hand});
  };
  CHECK(found(Slip::none).passed);
  CHECK(found(Slip::outputs).diagnosis->summary ==
        "what comes to h from the output of its own step is missing, but at the last step");
  const Diagnosis cut = *found(Slip::cut).diagnosis;
  CHECK(cut.cause == Cause::time_term);
  CHECK(cut.summary == "step 4 hands nothing back to h_3: the way back ends there");
  CHECK(found(Slip::before).diagnosis->summary ==
        "the derivative of the tanh that gives h is taken at h_(t-1), 1 - h_(t-1)^2");
}

}  // namespace unroll::test
