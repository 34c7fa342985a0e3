#include "layers_support.hpp"

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/gradcheck.hpp>

#include <cmath>
#include <sstream>

// The gradient check says what is wrong: for every cause, a fault of that kind is planted, and the check must name it.

namespace unroll::test {

namespace {

using Function = std::function<Var(std::span<const Var>)>;

// An LSTM with a backward pass that is written out by hand, and may have a fault: the gates side by side, as fused kernels have them.
enum class Planted {
  none,
  sign_of_g,
  h_taken_twice,
  transposed_U,
  nothing_to_c,
  first_sequence_in_b,
  no_f_in_dh,
  no_sigmoid_in_i,
  tanh_of_h,
  h_instead_of_h_before,
  nothing_to_W,
  nothing_at_all,
};

class HandWrittenLSTM : public LSTM {
 public:
  HandWrittenLSTM(Planted planted, Generator& generator)
      : LSTM({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), planted_(planted) {}

  std::pair<Var, LSTMState> operator()(Var x, LSTMState before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Part part = [](std::span<const Var> v) {
      const Var z = affine(v[0], v[3], v[1], v[4], v[5]);
      const std::vector<Var> a = split(z, 1, 4);
      const Var i = sigmoid(a[0]).named("i"), f = sigmoid(a[1]).named("f"), g = tanh(a[2]).named("g");
      const Var o = sigmoid(a[3]).named("o"), kept = f * v[2], admitted = i * g;
      const Var c = (kept + admitted).named("c"), h = (o * tanh(c)).named("h");
      return std::vector<Var>{h, c, i, f, g, o};
    };
    const ReverseRule rule = [planted = planted_](std::span<const Var> v, std::span<const Var> y,
                                                  std::span<const Var> adjoint) {
      const auto is = [planted](Planted fault) { return planted == fault; };
      const Var h = y[0], c = y[1], i = y[2], f = y[3], g = y[4], o = y[5], shown = tanh(c);
      const Var squashed = is(Planted::tanh_of_h) ? h : shown;
      const Var dc = adjoint[1] + adjoint[0] * o * (1 - square(squashed));
      const Var di = is(Planted::no_sigmoid_in_i) ? dc * g : dc * g * i * (1 - i);
      const Var df = dc * v[2] * f * (1 - f);
      const Var dg = (is(Planted::sign_of_g) ? -1.0 : 1.0) * (dc * i * (1 - square(g)));
      const Var d_o = adjoint[0] * shown * o * (1 - o);
      const Var dz = concat({di, df, dg, d_o}, 1);
      const Var to_h = is(Planted::no_f_in_dh) ? concat({di, df * 0, dg, d_o}, 1) : dz;
      Var dh = matmul(to_h, transpose(v[4]));
      if (is(Planted::h_taken_twice)) dh = dh * 2;
      if (is(Planted::transposed_U)) {
        dh = Var();
        for (std::int64_t k = 0; k < 4; ++k) {
          const Var term = matmul(slice(dz, 1, 3 * k, 3 * k + 3), slice(v[4], 1, 3 * k, 3 * k + 3));
          dh = dh.empty() ? term : dh + term;
        }
      }
      const Var dc_before = dc * f * (is(Planted::nothing_to_c) ? 0.0 : 1.0);
      const Var db = is(Planted::first_sequence_in_b) ? select(dz, 0, 0) : sum(dz, {0});
      const Var met = is(Planted::h_instead_of_h_before) ? h : v[1];
      if (is(Planted::nothing_at_all)) return std::vector<Var>(6);
      if (is(Planted::nothing_to_W))
        return std::vector<Var>{matmul(dz, transpose(v[3])), dh, dc_before, Var(), matmul(transpose(met), dz), db};
      return std::vector<Var>{matmul(dz, transpose(v[3])), dh, dc_before, matmul(transpose(v[0]), dz),
                              matmul(transpose(met), dz),  db};
    };
    const std::vector<Var> after =
        custom_vjp(part, rule, {x, before.h, before.c, tape.use(W_x), tape.use(W_h), tape.use(b)});
    return {after[0], {after[0], after[1]}};
  }

 private:
  Planted planted_;
};

GradcheckReport check(Planted planted, const GradcheckOptions& options = {}) {
  Generator generator(3);
  return gradcheck(HandWrittenLSTM(planted, generator), {.steps = 3, .batch = 2, .gradcheck = options});
}

bool has(const Diagnosis& diagnosis, const std::string& sentence) {
  return std::find(diagnosis.evidence.begin(), diagnosis.evidence.end(), sentence) != diagnosis.evidence.end();
}

// y = 3 x^2 by a kernel, with a rule of the test's choice.
template <class Rule> Op with_rule(const Rule& rule) {
  return {.name = "mine",
          .shape = [](const Call& c) { return c.shape(0); },
          .forward =
              [](const Call& c, const Shape& shape, void* out, bool accumulate) {
                double* y = static_cast<double*>(out);
                for (std::size_t k = 0; k < shape.size(); ++k)
                  y[k] = (accumulate ? y[k] : 0) + 3 * c.inputs[0]->flat(k) * c.inputs[0]->flat(k);
              },
          .vjp = rule};
}

GradcheckReport check(const Op& op, const Array& x = spread({2, 3}, 0.5, 2)) {
  return gradcheck(Function([&](std::span<const Var> v) { return apply(op, {v[0]}); }), {x});
}

}  // namespace

TEST_CASE("a backward pass that is right passes, written by hand or not") { CHECK(check(Planted::none).passed); }

TEST_CASE("every fault that is planted in a hand-written LSTM is named, in the LSTM's own terms") {
  struct Expected {
    Planted planted;
    Cause cause;
    std::string summary;
  };
  const std::vector<Expected> all = {
      {Planted::sign_of_g, Cause::sign, "the term to g through c has the wrong sign"},
      {Planted::h_taken_twice, Cause::factor, "what is handed back to h_(t-1) is taken twice"},
      {Planted::transposed_U, Cause::transposed,
       "each gate's block of lstm.W_h is taken for its transpose in the term to h_(t-1) through i, f, g, o"},
      {Planted::nothing_to_c, Cause::time_term,
       "nothing is handed back to c_(t-1), at any step: the gradient by c ends where it begins"},
      {Planted::first_sequence_in_b, Cause::batch_term,
       "the gradient by lstm.b is that of the first sequence alone: it is not summed over the batch"},
      {Planted::no_f_in_dh, Cause::gate_term, "the term to h_(t-1) through f is missing"},
      {Planted::no_sigmoid_in_i, Cause::derivative_factor,
       "the factor i (1 - i) is missing: the derivative of the sigmoid that gives i"},
      {Planted::tanh_of_h, Cause::wrong_operand,
       "the derivative of the tanh that gives tanh(c) is taken at h, 1 - h^2"},
      {Planted::h_instead_of_h_before, Cause::wrong_operand,
       "the gradient to lstm.W_h through i, f, g, o is multiplied with h instead of h_(t-1)"},
      {Planted::nothing_to_W, Cause::gate_term, "no gradient reaches lstm.W_x: it is zero"},
      {Planted::nothing_at_all, Cause::gate_term, "no gradient comes back at all: it is zero by every leaf"},
  };
  for (const auto& [planted, cause, summary] : all) {
    const GradcheckReport report = check(planted);
    CHECK(!report.passed);
    REQUIRE(report.diagnosis.has_value());
    CHECK(to_string(report.diagnosis->cause) == std::string(to_string(cause)));
    CHECK(report.diagnosis->summary == summary);
  }
}

TEST_CASE("what has no name of its own is called by how it is made") {
  const Parameter x("x", spread({2, 3}, -1, 1)), v("v", spread({2, 3}, -0.5, 0.8, 1));
  const auto summary = [&](double to_complement, double to_argument) {
    const Part part = [](std::span<const Var> at) {
      const Var z = sigmoid(at[1] + square(at[0])).named("z");
      return std::vector<Var>{((1 - z) * at[0] + z).named("y"), z};
    };
    const ReverseRule rule = [=](std::span<const Var> at, std::span<const Var> y, std::span<const Var> g) {
      const Var z = y[1];
      const Var dz = g[0] - g[0] * at[0] * to_complement;
      const Var da = dz * z * (1 - z) * to_argument;
      return std::vector<Var>{g[0] * (1 - z) + 2.0 * da * at[0], da};
    };
    const auto program = [&](Tape& tape) { return custom_vjp(part, rule, {tape.use(x), tape.use(v)})[0]; };
    const GradcheckReport report = gradcheck(program, {x, v});
    return report.diagnosis ? report.diagnosis->summary : "";
  };
  CHECK(summary(1, 1) == "");
  CHECK(summary(0, 1) == "the term to 1 - z through y is missing");
  CHECK(summary(1, 0) == "the term to the argument of the sigmoid that gives z is missing");
}

TEST_CASE("a diagnosis says from which number of steps on, and of sequences, and which leaves are right") {
  CHECK(has(*check(Planted::nothing_to_c).diagnosis,
            "right for T = 1, wrong from T = 2 on; by the initial state it is wrong for T = 1 already"));
  const Diagnosis bias = *check(Planted::first_sequence_in_b).diagnosis;
  CHECK(has(bias, "wrong from the first time step on (already for T = 1)"));
  CHECK(has(bias, "right for one sequence, wrong for two"));
  CHECK(has(bias, "wrong: lstm.b; right: lstm.W_x, lstm.W_h, x, h0, c0"));
}

TEST_CASE("the worst entry is named by gate, sequence and time step") {
  const GradcheckReport bias = check(Planted::first_sequence_in_b);
  const GradcheckRow& row = bias.rows[2];
  REQUIRE(row.name == "lstm.b");
  const std::string gates = "ifgo";
  const auto gate = static_cast<std::size_t>(row.index[0] / 3);
  CHECK(row.entry == fmt::format("lstm.b[gate {}][{}]", gates[gate], row.index[0] % 3));
  const GradcheckReport cell = check(Planted::nothing_to_c);
  const GradcheckRow &x = cell.rows[3], &c0 = cell.rows[5];
  CHECK(x.entry == fmt::format("x[t = {}, batch {}][{}]", x.index[0] + 1, x.index[1], x.index[2]));
  CHECK(c0.entry == fmt::format("c0[batch {}][{}]", c0.index[0], c0.index[1]));
  CHECK(c0.analytic == 0);
  CHECK(c0.absolute_error == std::abs(c0.numeric));
}

TEST_CASE("the same faults are found along directions, against forward mode, and by extrapolation") {
  for (const CheckMode mode : {CheckMode::directions, CheckMode::forward, CheckMode::extrapolated}) {
    CHECK(check(Planted::none, {.mode = mode}).passed);
    for (const Planted planted : {Planted::sign_of_g, Planted::no_f_in_dh, Planted::first_sequence_in_b}) {
      const GradcheckReport report = check(planted, {.mode = mode});
      CHECK(!report.passed);
      CHECK(report.diagnosis->cause == check(planted).diagnosis->cause);
    }
  }
}

TEST_CASE("an operation whose own rule is wrong is named, with the kind of its mistake") {
  static const Op negative = with_rule([](Vjp& v) { v.give(0, v.g * v.x[0] * -6); });
  static const Op halved = with_rule([](Vjp& v) { v.give(0, v.g * v.x[0] * 3); });
  static const Op without_x = with_rule([](Vjp& v) { v.give(0, v.g * 6); });
  static const Op elsewhere = with_rule([](Vjp& v) {
    const Var one_too_far = v.x[0] + 0.1;
    v.give(0, v.g * one_too_far * 6);
  });
  const Diagnosis sign = *check(negative).diagnosis;
  CHECK(sign.cause == Cause::sign);
  CHECK(sign.summary == "the reverse rule of mine is wrong: the gradient by its operand has the wrong sign");
  CHECK(check(halved).diagnosis->cause == Cause::factor);
  const Diagnosis factor = *check(without_x).diagnosis;
  CHECK(factor.cause == Cause::derivative_factor);
  CHECK(factor.summary == "the reverse rule of mine is wrong: the factor x is missing in the adjoint of its operand");
  const Diagnosis other = *check(elsewhere).diagnosis;
  CHECK(other.cause == Cause::wrong_rule);
  CHECK(other.summary == "the reverse rule of mine is wrong for its operand");
}

TEST_CASE("an operation of one's own is checked in three lines") {
  static const Op mine = with_rule([](Vjp& v) { v.give(0, v.g * v.x[0] * 6); });
  const auto f = [](std::span<const Var> x) { return apply(mine, {x[0]}); };
  const GradcheckReport report = gradcheck(Function(f), {spread({2, 3}, -1, 1)});
  REQUIRE(report);
}

TEST_CASE("a state that is cut off is found where it is cut, by detach or by a constant with its numbers") {
  const Parameter W("mine.W", spread({2, 3}, -1, 1)), U("mine.U", spread({3, 3}, -1, 1, 1));
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 3}, DType::f64), "h"); };
  const auto cell_with = [&](auto cut) {
    return AnyCell("mine",
                   [&, cut](Var x, Var h) {
                     const Var from_x = matmul(x, x.tape().use(W)), from_h = matmul(cut(h), x.tape().use(U));
                     const Var next = tanh(from_x + from_h).named("h");
                     return std::pair{next, next};
                   },
                   zero, {W, U});
  };
  const LayerCheckOptions options{.steps = 3, .batch = 2, .input = 2};
  CHECK(gradcheck(cell_with([](Var h) { return h; }), options).passed);
  const Diagnosis detached = *gradcheck(cell_with([](Var h) { return detach(h); }), options).diagnosis;
  CHECK(detached.cause == Cause::detached);
  CHECK(detached.summary.find("is cut off the tape by detach()") != std::string::npos);
  const Diagnosis copied =
      *gradcheck(cell_with([](Var h) { return h.tape().constant(h.value().copy()); }), options).diagnosis;
  CHECK(copied.cause == Cause::detached);
  CHECK(copied.summary.find("is recorded again as a constant, by its numbers") != std::string::npos);
  CHECK(copied.evidence[1].starts_with("a constant holds the numbers of "));
}

TEST_CASE("gradients that were computed by hand outside of the tape are checked as well") {
  // L = sum over t of h_t, h_t = w h_(t-1) + x_t, over three steps
  const Parameter w("w", Array::scalar(0.7)), x("x", Array(Shape{3}, {0.3, -0.2, 0.9}));
  const auto program = [&](Tape& tape) {
    Var h = tape.scalar(0.5, DType::f64), total = tape.scalar(0, DType::f64);
    for (std::int64_t t = 1; t <= 3; ++t) {
      const Step step(tape, t);
      const Var carried = tape.use(w) * h;
      h = (carried + select(tape.use(x), 0, t - 1)).named("h");
      total = total + h;
    }
    return total;
  };
  const auto by_hand = [&](bool through_time) {
    return [&, through_time](const Array&) {
      std::vector<double> h{0.5};
      for (std::size_t t = 0; t < 3; ++t) h.push_back(0.7 * h[t] + x.value().flat(t));
      double dw = 0, dh = 0;
      Array dx({3}, DType::f64);
      for (std::size_t t = 3; t-- > 0;) {
        dh = 1 + (through_time ? 0.7 * dh : 0);
        dx.set_flat(t, dh);
        dw += dh * h[t];
      }
      return std::vector<Array>{Array::scalar(dw), dx};
    };
  };
  const CheckedProgram checked{.record = program, .leaves = {{w}, {x}}, .steps = 3};
  CHECK(gradcheck(checked, {.gradients = by_hand(true)}).passed);
  const GradcheckReport cut = gradcheck(checked, {.gradients = by_hand(false)});
  CHECK(!cut.passed);
  CHECK(cut.diagnosis->cause == Cause::time_term);
  CHECK(cut.diagnosis->summary ==
        "nothing is handed back to h_(t-1), at any step: the gradient by h ends where it begins");
  CHECK_THROWS_WITH_AS(gradcheck(checked, {.gradients = [](const Array&) { return std::vector<Array>{}; }}),
                       "gradcheck: option gradients gave 0 arrays for 2 leaves", Error);
  CHECK_THROWS_WITH_AS(gradcheck(checked, {.gradients =
                                               [](const Array&) {
                                                 return std::vector<Array>{Array::scalar(0), Array::scalar(0)};
                                               }}),
                       "gradcheck: option gradients gave shape () for x, expected (3)", ShapeError);
}

TEST_CASE("clipping that was left in a backward pass is seen as such") {
  const Parameter x("x", spread({6}, -1, 1));
  const auto program = [&](Tape& tape) { return sum(square(tape.use(x))); };
  const auto clipped = [&](const Array&) {
    Array g({6}, DType::f64);
    for (std::size_t i = 0; i < 6; ++i) g.set_flat(i, std::clamp(2 * x.value().flat(i), -0.5, 0.5));
    return std::vector<Array>{g};
  };
  const GradcheckReport report = gradcheck({.record = program, .leaves = {{x}}}, {.gradients = clipped});
  CHECK(report.diagnosis->cause == Cause::clipped);
  CHECK(report.diagnosis->summary == "the gradient by x is the right one, clipped to +-0.5");
}

TEST_CASE("a program that writes into its leaves, or over numbers that the tape still needs, is refused") {
  Parameter p("p", spread({3}, 1, 2));
  const auto drifting = [&](Tape& tape) {
    const Var y = square(tape.use(p));
    Parameter(p).mutable_value().set_flat(0, p.value().flat(0) * 1.01);
    return y;
  };
  const Array before = p.value().copy();
  const GradcheckReport report = gradcheck(drifting, {p});
  CHECK(report.diagnosis->cause == Cause::in_place);
  CHECK(report.diagnosis->summary.starts_with("the program changes p as it runs"));
  CHECK(same_bits(p.value(), before));

  const Parameter q("q", spread({3}, 1, 2));
  const auto shared_mask = [&](Tape& tape) {
    Array mask = Array::filled({3}, 1, DType::f64);
    const Var first = tape.use(q) * tape.constant(mask);
    mask.set_flat(1, 0);
    return first * tape.constant(mask);
  };
  const GradcheckReport overwritten = gradcheck(shared_mask, {q});
  CHECK(overwritten.diagnosis->cause == Cause::in_place);
  CHECK(overwritten.diagnosis->summary.find("was overwritten after it was used") != std::string::npos);
}

TEST_CASE("NaN is traced to the operation and time step that made it") {
  const Parameter x("x", Array(Shape{2}, {0.0, 1.0}));
  const auto program = [&](Tape& tape) {
    const Step step(tape, 2);
    return sqrt(tape.use(x)).named("n");
  };
  const GradcheckReport report = gradcheck(program, {x});
  CHECK(!report.passed);
  CHECK(report.diagnosis->cause == Cause::nonfinite);
  CHECK(report.diagnosis->summary.find("sqrt (n)") != std::string::npos);
  CHECK(report.diagnosis->summary.find("t = 2") != std::string::npos);
  const Parameter unset("x", Array(Shape{2}, {1.0, std::nan("")}));
  const GradcheckReport leaf = gradcheck([&](Tape& tape) { return square(tape.use(unset)); }, {unset});
  CHECK(leaf.diagnosis->summary == "x[1] is nan before anything is computed: give it a number");
}

TEST_CASE("at a kink, what lies between the derivatives of both sides passes with a note, and anything else does not") {
  const auto at_0 = [](double slope) {
    const Function f = [slope](std::span<const Var> x) {
      return custom_vjp([](Var v) { return relu(v); }, [slope](Var, Var, Var g) { return g * slope; }, x[0]);
    };
    return gradcheck(f, {Array(Shape{1}, {0.0})});
  };
  for (const double slope : {0.0, 0.3, 1.0}) {
    const GradcheckReport report = at_0(slope);
    CHECK(report.passed);
    CHECK(report.rows[0].at_a_kink == 1);
    CHECK(report.notes ==
          std::vector<std::string>{"1 entries lie at a kink; their derivatives are between those of its two sides"});
  }
  for (const double slope : {-0.5, 2.0}) {
    const GradcheckReport report = at_0(slope);
    CHECK(!report.passed);
    CHECK(report.diagnosis->cause == Cause::kink);
    CHECK(report.curve->verdict == VCurve::Verdict::kink);
    CHECK(report.curve->left == doctest::Approx(0));
    CHECK(report.curve->right == doctest::Approx(1));
  }
}

TEST_CASE("an unused leaf is a true zero and no error") {
  const Parameter used("used", spread({2}, 1, 2)), unused("unused", spread({3}, 1, 2));
  const GradcheckReport report = gradcheck([&](Tape& tape) { return square(tape.use(used)); }, {used, unused});
  CHECK(report.passed);
  CHECK(report.rows[1].unused);
  CHECK(!report.rows[0].unused);
  CHECK(report.notes ==
        std::vector<std::string>{"unused: the result does not depend on it, so its gradient is a true zero"});
}

TEST_CASE("no fault that was tried fits two faults at once, and the diagnosis says so") {
  const Parameter a("a", spread({3}, 1, 2)), b("b", spread({3}, 1, 2, 1));
  const auto program = [&](Tape& tape) {
    return custom_vjp([](Var x, Var y) { return tanh(x) * sigmoid(y); },
                      [](Var x, Var y, Var, Var g) {
                        const Var wrong_x = g * square(x), wrong_y = g * y * y * y;
                        return std::vector<Var>{wrong_x, wrong_y};
                      },
                      tape.use(a), tape.use(b));
  };
  const GradcheckReport report = gradcheck(program, {a, b});
  CHECK(report.diagnosis->cause == Cause::unknown);
  CHECK(report.diagnosis->summary.find("no single fault that was tried explains it") != std::string::npos);
}

TEST_CASE("a tolerance below the precision of the numbers fails, and the diagnosis says that nothing is wrong") {
  Generator generator(1);
  const RNN layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GradcheckReport report = gradcheck(layer, {.gradcheck = {.tolerance = 1e-30}});
  CHECK(!report.passed);
  CHECK(report.diagnosis->cause == Cause::precision);
}

TEST_CASE("a test framework prints the report of a check that fails") {
  std::ostringstream out;
  out << check(Planted::sign_of_g);
  CHECK(out.str().find("diagnosis: [sign] the term to g through c has the wrong sign") != std::string::npos);
  CHECK(out.str().find("a wrong derivative: the differences settle on") != std::string::npos);
}

TEST_CASE("second derivatives: a rule that leaves out the adjoint of a result that it reads is named") {
  const GradcheckReport report = check(Planted::none, {.order = 2});
  CHECK(!report.passed);
  CHECK(report.diagnosis->cause == Cause::wrong_rule);
  CHECK(report.diagnosis->summary ==
        "a reverse rule that was written by hand is right for the adjoint of h, c, but not for that of i, f, g, o");
}

TEST_CASE("evidence is never an empty sentence") {
  const Parameter a("a", spread({3}, 1, 2));
  const auto program = [&](Tape& tape) {
    return custom_vjp([](Var v) { return tanh(v) * v; }, [](Var v, Var, Var g) { return g * square(v) * v; },
                      tape.use(a));
  };
  const Diagnosis found = *gradcheck(program, {a}).diagnosis;
  CHECK(found.cause == Cause::unknown);
  for (const std::string& sentence : found.evidence) CHECK(sentence != "");
}

}  // namespace unroll::test
