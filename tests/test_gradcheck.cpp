#include "layers_support.hpp"

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/layers/gradcheck.hpp>

#include <cmath>
#include <cstdio>

// The gradient check finds wrong derivatives, says where, and raises no false alarm.

namespace unroll::test {

namespace {

const auto one_operand_shape = [](const Call& call) { return call.shape(0); };

// y = x^2 by a kernel. The rule is the part that the operations below get wrong.
void square_kernel(const Call& call, const Shape& shape, void* out, bool accumulate) {
  double* y = static_cast<double*>(out);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const double x = call.inputs[0]->flat(i);
    y[i] = (accumulate ? y[i] : 0) + x * x;
  }
}

// The derivative is 2 x, but 3 x at position 4.
const Op wrong_at_4{
    .name = "wrong_at_4",
    .shape = one_operand_shape,
    .forward = square_kernel,
    .vjp =
        [](Vjp& v) {
          Array factor = Array::filled(v.x[0].shape(), 2, DType::f64);
          factor.set_flat(4, 3);
          v.give(0, v.g * v.x[0] * v.x[0].tape().constant(factor));
        },
};

// The first derivative has the right value, but as a constant, so that the second is 0 instead of 2.
const Op wrong_at_second_order{
    .name = "wrong_at_second_order",
    .shape = one_operand_shape,
    .forward = square_kernel,
    .vjp = [](Vjp& v) { v.give(0, v.g * detach(2.0 * v.x[0])); },
};

// A rule that forgets its input altogether.
const Op without_gradient{
    .name = "without_gradient", .shape = one_operand_shape, .forward = square_kernel, .vjp = [](Vjp& v) {
      v.give(0, v.g * 0.0);
    }};

using Function = std::function<Var(std::span<const Var>)>;

Array numbers(Shape shape, double low = -1, double high = 1) { return spread(std::move(shape), low, high); }

// One number through one function at a given place.
GradcheckReport check_at(double x, Var (*f)(Var), const GradcheckOptions& options = {}) {
  return gradcheck(Function([f](std::span<const Var> v) { return f(v[0]); }), {Array({1}, {x})}, options);
}

}  // namespace

TEST_CASE("every layer in both forms passes at order 1") {
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    const LayerCheckOptions options{.steps = 3, .batch = 2};
    const GradcheckReport report = gradcheck(packed, options);
    CHECK_MESSAGE(report.passed, to_string(report));
    const GradcheckReport textbook_report = gradcheck(textbook, options);
    CHECK_MESSAGE(textbook_report.passed, to_string(textbook_report));
    for (const GradcheckRow& row : report.rows) CHECK(row.numeric != 0);
  });
}

TEST_CASE("every layer in both forms passes at order 2") {
  for_each_layer(1, 2, [](const auto& packed, const auto& textbook, const std::string&) {
    const LayerCheckOptions options{.steps = 2, .batch = 1, .gradcheck = {.order = 2}};
    const GradcheckReport report = gradcheck(packed, options);
    CHECK_MESSAGE(report.passed, to_string(report));
    const GradcheckReport textbook_report = gradcheck(textbook, options);
    CHECK_MESSAGE(textbook_report.passed, to_string(textbook_report));
  });
}

TEST_CASE("a layer's report has a row for every parameter, for x and for the initial state, with all entries checked") {
  Generator generator(1);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GradcheckReport report = gradcheck(layer, {.steps = 4, .batch = 5});
  std::vector<std::pair<std::string, std::size_t>> rows;
  for (const GradcheckRow& row : report.rows) rows.emplace_back(row.name, row.entries);
  CHECK(rows == std::vector<std::pair<std::string, std::size_t>>{
                    {"lstm.W_x", 24}, {"lstm.W_h", 36}, {"lstm.b", 12}, {"x", 40}, {"h0", 15}, {"c0", 15}});
}

TEST_CASE("a wrong derivative is found, and the wrong entry is named with both values") {
  const Array x = numbers({2, 3}, 0.5, 2);
  const auto program = [](std::span<const Var> v) { return sum(apply(wrong_at_4, {v[0]})) + sum(v[1] * v[1]); };
  const GradcheckReport report = gradcheck(Function(program), {x, numbers({2})});
  CHECK_FALSE(report.passed);
  REQUIRE(report.rows.size() == 2);
  const GradcheckRow& wrong = report.rows[0];
  CHECK(wrong.name == "x0");
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.index == std::vector<std::int64_t>{1, 1});
  // both carry the random cotangent of the scalar: their ratio does not
  CHECK(wrong.analytic / wrong.numeric == doctest::Approx(1.5).epsilon(1e-8));
  CHECK(wrong.relative_error == doctest::Approx(1.0 / 3).epsilon(1e-6));
  CHECK(report.rows[1].passed);
  CHECK(report.rows[1].name == "x1");
}

TEST_CASE("the entry of a wrong derivative is right for a scalar and for rank 3, too") {
  const auto program = [](std::span<const Var> v) { return apply(wrong_at_4, {v[0]}); };
  const GradcheckReport report = gradcheck(Function(program), {numbers({3, 1, 2}, 1, 2)});
  CHECK(report.rows[0].index == std::vector<std::int64_t>{2, 0, 0});
  const auto scalar = [](std::span<const Var> v) { return apply(without_gradient, {v[0]}); };
  const GradcheckReport of_scalar = gradcheck(Function(scalar), {Array::scalar(2)});
  CHECK_FALSE(of_scalar.passed);
  CHECK(of_scalar.rows[0].index.empty());
  CHECK(of_scalar.rows[0].analytic == 0);
  CHECK(std::abs(of_scalar.rows[0].numeric) > 1e-3);
}

TEST_CASE("a derivative that is wrong only in its own derivative passes at order 1 and is found at order 2") {
  const auto program = [](std::span<const Var> v) { return apply(wrong_at_second_order, {v[0]}) * v[0]; };
  CHECK(gradcheck(Function(program), {numbers({3}, 1, 2)}).passed);
  const GradcheckReport second = gradcheck(Function(program), {numbers({3}, 1, 2)}, {.order = 2});
  CHECK_FALSE(second.passed);
  // of the second derivative of x^3, 6 x, the part 2 x is missing
  CHECK(second.rows[0].analytic / second.rows[0].numeric == doctest::Approx(2.0 / 3).epsilon(1e-6));
}

TEST_CASE("a wrong derivative inside a recurrent cell shows in what comes before it and not in what does not") {
  const auto cell = [](Var x, Var h) {
    const Var next = tanh(x + 0.5 * apply(wrong_at_4, {h}));
    return std::pair{next, next};
  };
  const Parameter x("x", numbers({3, 5}, 0.2, 1)), h0("h0", numbers({5}, 0.2, 1)), offset("offset", numbers({5}));
  const auto program = [&](Tape& tape) {
    return over_time(cell, tape.use(x), tape.use(h0)).stacked() + tape.use(offset);
  };
  const GradcheckReport report = gradcheck(std::function<Var(Tape&)>(program), {x, h0, offset});
  CHECK_FALSE(report.rows[0].passed);
  CHECK(report.rows[0].index.back() == 4);
  CHECK_FALSE(report.rows[1].passed);
  CHECK(report.rows[1].index == std::vector<std::int64_t>{4});
  CHECK(report.rows[2].passed);
}

TEST_CASE("a small mistake is found as well") {
  // one part in a thousand too much
  static const Op slightly_wrong{
      .name = "slightly_wrong", .shape = one_operand_shape, .forward = square_kernel, .vjp = [](Vjp& v) {
        v.give(0, v.g * v.x[0] * 2.002);
      }};
  const auto program = [](std::span<const Var> v) { return apply(slightly_wrong, {v[0]}); };
  const GradcheckReport report = gradcheck(Function(program), {numbers({3}, 1, 2)});
  CHECK_FALSE(report.passed);
  CHECK(report.rows[0].relative_error == doctest::Approx(1e-3).epsilon(0.01));
  CHECK(gradcheck(Function(program), {numbers({3}, 1, 2)}, {.tolerance = 0.01}).passed);
}

TEST_CASE("a gradient that is wrongly zero is found where the right one is tiny") {
  const auto program = [](std::span<const Var> v) { return apply(without_gradient, {v[0]}) * 1e-8; };
  CHECK_FALSE(gradcheck(Function(program), {numbers({3}, 1, 2)}).passed);
}

TEST_CASE("a derivative that is NaN fails") {
  static const Op nan_rule{.name = "nan_rule", .shape = one_operand_shape, .forward = square_kernel, .vjp = [](Vjp& v) {
                             v.give(0, v.g * -std::nan(""));
                           }};
  const GradcheckReport report =
      gradcheck(Function([](std::span<const Var> v) { return apply(nan_rule, {v[0]}); }), {numbers({3}, 1, 2)});
  CHECK_FALSE(report.passed);
  CHECK(std::isnan(report.rows[0].analytic));
  CHECK(to_string(report).find("-nan") == std::string::npos);
}

TEST_CASE("a program that differs from run to run is refused with a reason") {
  Generator shared(1);
  const Array x = numbers({20});
  const GradcheckReport report =
      gradcheck(Function([&](std::span<const Var> v) { return dropout(v[0], 0.5, shared); }), {x});
  CHECK(!report.passed);
  CHECK(report.rows.empty());
  REQUIRE(report.diagnosis.has_value());
  CHECK(report.diagnosis->cause == Cause::not_repeatable);
  CHECK(report.diagnosis->summary.find("for the same leaves: make it deterministic (a fresh generator in every call") !=
        std::string::npos);
  CHECK(report.diagnosis->evidence[0].starts_with("constant is the first node with other numbers"));
  const auto fresh = [](std::span<const Var> v) {
    Generator generator(1);
    return dropout(v[0], 0.5, generator);
  };
  CHECK(gradcheck(Function(fresh), {x}).passed);
}

TEST_CASE("options that do not fit and foreign tapes are refused") {
  Generator generator(1);
  CHECK_THROWS_WITH_AS(check_at(1, square, {.order = 3}), "gradcheck: order 3, expected 1 or 2", Error);
  CHECK_THROWS_WITH_AS(check_at(1, square, {.tolerance = -1}), "gradcheck: tolerance -1, expected a number above 0",
                       Error);
  CHECK_THROWS_WITH_AS(check_at(1, square, {.mode = CheckMode::directions, .directions = 0}),
                       "gradcheck: 0 directions, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(check_at(1, square, {.tolerance = HUGE_VAL}),
                       "gradcheck: tolerance inf, expected a number above 0", Error);
  CHECK_THROWS_WITH_AS(
      gradcheck(CheckedProgram{.record = [](Tape& tape) { return tape.scalar(1, DType::f64); }, .leaves = {}}),
      "gradcheck: no leaves: there is nothing to take a gradient by", Error);
  CHECK_THROWS_WITH_AS(gradcheck(CheckedProgram{}), "gradcheck: no program: CheckedProgram::record is empty", Error);
  Tape other;
  const Parameter p("p", numbers({2}));
  CHECK_THROWS_WITH_AS(gradcheck([&](Tape&) { return other.use(p); }, {p}),
                       "gradcheck: the program must record on the tape it is given", TapeError);
  CHECK_THROWS_WITH_AS(gradcheck(RNN({.input = 3, .hidden = 2, .dtype = DType::f64}, generator), {.steps = 0}),
                       "gradcheck: option steps is 0, expected at least 1", ShapeError);
}

TEST_CASE("a kink close by is no false alarm") {
  for (const double x : {5e-4, -5e-4, 5e-5, -5e-5, 1.5e-3}) {
    INFO("x = ", x);
    const GradcheckReport report = check_at(x, relu);
    CHECK_MESSAGE(report.passed, to_string(report));
    CHECK(check_at(x, abs).passed);
  }
}

TEST_CASE("saturated gates and tiny gradients are no false alarm") {
  Generator generator(1);
  const LSTM layer({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  Parameter(layer.b).assign(Array({8}, {30, -30, 20, -20, 10, -10, 15, -40}));
  const GradcheckReport report = gradcheck(layer, {.steps = 3, .batch = 1});
  CHECK_MESSAGE(report.passed, to_string(report));
  for (const double scale : {1e-3, 1e-6, 1e-9, 1e-12}) {
    const auto program = [scale](std::span<const Var> v) { return tanh(v[0]) * scale; };
    CHECK(gradcheck(Function(program), {numbers({4})}).passed);
  }
  CHECK(check_at(25, sigmoid).passed);
  CHECK(check_at(-25, sigmoid).passed);
}

TEST_CASE("large values and large gradients are no false alarm") {
  CHECK(check_at(1e4, square).passed);
  CHECK(check_at(20, exp).passed);
  CHECK(gradcheck(Function([](std::span<const Var> v) { return sin(v[0]) + 1e3; }), {numbers({4})}).passed);
}

TEST_CASE("a parameter that the program does not use passes with a gradient of zero") {
  const Parameter used("used", numbers({2})), unused("unused", numbers({3}));
  const auto program = [&](Tape& tape) { return square(tape.use(used)) * tape.use(used); };
  for (const int order : {1, 2}) {
    const GradcheckReport report = gradcheck(std::function<Var(Tape&)>(program), {used, unused}, {.order = order});
    CHECK(report.passed);
    CHECK(report.rows[1].name == "unused");
    CHECK(report.rows[1].analytic == 0);
    CHECK(report.rows[1].numeric == 0);
    CHECK(report.rows[1].entries == 3);
  }
}

TEST_CASE("a linear program passes at order 2: its second derivatives are zero") {
  const GradcheckReport report =
      gradcheck(Function([](std::span<const Var> v) { return 3.0 * v[0]; }), {numbers({2})}, {.order = 2});
  CHECK(report.passed);
  CHECK(report.rows[0].analytic == 0);
}

TEST_CASE("a program that uses none of its parameters passes with gradients of zero") {
  const GradcheckReport report =
      gradcheck(Function([](std::span<const Var> v) { return v[0].tape().scalar(1, DType::f64); }), {numbers({2})});
  CHECK(report.passed);
  CHECK(report.rows[0].analytic == 0);
}

TEST_CASE("the parameters are afterwards what they were, to the bit") {
  const Parameter p("p", numbers({4}));
  const Array before = p.value().copy();
  SUBCASE("after a check") {
    gradcheck([&](Tape& tape) { return exp(tape.use(p)); }, {p});
  }
  SUBCASE("after a check whose program threw while an entry was moved") {
    const auto fragile = [&](Tape& tape) {
      if (p.value().flat(2) != before.flat(2)) throw Error("moved");
      return exp(tape.use(p));
    };
    CHECK_THROWS_WITH(gradcheck(fragile, {p}), "moved");
  }
  SUBCASE("after a program that changes several leaves, the second time by way of an exception") {
    Parameter q("q", numbers({4})), r("r", numbers({4}));
    const Array q_before = q.value().copy(), r_before = r.value().copy();
    int runs = 0;
    const auto careless = [&](Tape& tape) {
      q.mutable_value().set_flat(0, 7);
      r.mutable_value().set_flat(1, 8);
      if (++runs == 3) throw Error("stopped");
      return tape.use(p) * tape.use(q) * tape.use(r);
    };
    CHECK(gradcheck(careless, {p, q, r}).diagnosis->cause == Cause::in_place);
    CHECK(same_bits(q.value(), q_before));
    CHECK(same_bits(r.value(), r_before));
    CHECK_THROWS_WITH(gradcheck(careless, {p, q, r}), "stopped");
    CHECK(same_bits(q.value(), q_before));
  }
  CHECK(same_bits(p.value(), before));
}

TEST_CASE("forward mode says that it does not see what detach cuts off") {
  const auto program = [](std::span<const Var> v) { return detach(v[0]) * v[0]; };
  CHECK(!gradcheck(Function(program), {numbers({3})}).passed);
  const GradcheckReport report = gradcheck(Function(program), {numbers({3})}, {.mode = CheckMode::forward});
  CHECK(report.passed);
  CHECK(report.notes.back() ==
        "forward mode ends at detach() as reverse mode does: what is cut off there is not checked");
}

TEST_CASE("where a direction fails, the entry that is named has its own name, and its values are its own") {
  const GradcheckReport report = gradcheck(Function([](std::span<const Var> v) { return apply(wrong_at_4, {v[0]}); }),
                                           {numbers({2, 3}, 0.5, 2)}, {.mode = CheckMode::directions});
  CHECK_FALSE(report.passed);
  CHECK(report.rows[0].entry == "x0[1, 1]");
  CHECK(report.rows[0].analytic / report.rows[0].numeric == doctest::Approx(1.5).epsilon(1e-8));
}

TEST_CASE("a direction that crosses a kink says nothing, so the entries are compared") {
  // relu at 0: every direction crosses its kink
  const auto wrong_besides = [](std::span<const Var> v) { return apply(wrong_at_4, {v[0]}) + relu(v[0] - 1.0); };
  const GradcheckReport report =
      gradcheck(Function(wrong_besides), {Array({5}, {1, 2, 3, 4, 5})}, {.mode = CheckMode::directions});
  CHECK_FALSE(report.passed);
  CHECK(report.rows[0].entry == "x0[4]");
  CHECK(gradcheck(Function([](std::span<const Var> v) { return relu(v[0] - 1.0); }), {Array({5}, {1, 2, 3, 4, 5})},
                  {.mode = CheckMode::directions})
            .passed);
}

// relu with a reverse rule of one's own, which is the right one but for its value at 0.
Var relu_with(double at_0, Var x) {
  const auto rule = [at_0](Var v, Var, Var g) {
    Array slope(v.shape(), DType::f64);
    for (std::size_t i = 0; i < slope.size(); ++i) {
      const double at = v.value().flat(i);
      slope.set_flat(i, at == 0 ? at_0 : static_cast<double>(at > 0));
    }
    return g * v.tape().constant(slope);
  };
  return custom_vjp([](Var v) { return relu(v); }, rule, x);
}

TEST_CASE(
    "where many kinks meet, as in a relu layer whose weights are all 0, a right program is no false alarm and a wrong "
    "one fails") {
  Parameter W("W", Array({2, 3}, DType::f64)), b("b", Array({3}, DType::f64));
  const Array x = numbers({4, 2}, -1, 1.3), u = numbers({4, 3}, 1.1, -0.9);
  const auto check = [&](Var (*activation)(Var), double factor, const GradcheckOptions& options) {
    const auto program = [&](Tape& tape) {
      const Var y = activation(matmul(tape.constant(x), tape.use(W)) + tape.use(b));
      return sum(y * tape.constant(u) * factor + detach(y) * tape.constant(u) * (1 - factor));
    };
    return gradcheck(program, {W, b}, options);
  };
  for (const CheckMode mode : {CheckMode::entries, CheckMode::extrapolated, CheckMode::directions}) {
    const GradcheckReport report = check(relu, 1, {.mode = mode});
    CHECK_MESSAGE(report.passed, to_string(report));
    CHECK(report.rows[0].wrong == 0);
    CHECK(report.rows[0].at_a_kink == 6);
    CHECK(report.notes[0].find(" entries lie where kinks meet") != std::string::npos);
    CHECK(W.value().flat(5) == 0);                         // put back
    CHECK_FALSE(check(relu, 0.5, {.mode = mode}).passed);  // half of the gradient is cut off
  }
  CHECK(check([](Var v) { return relu_with(0.0, v); }, 1, {}).passed);
  const GradcheckReport outside = check([](Var v) { return relu_with(3.0, v); }, 1, {});
  CHECK_FALSE(outside.passed);
  CHECK(outside.diagnosis->cause == Cause::kink);
  // a gradient that was written out by hand
  for (const double at_0 : {0.0, 3.0}) {
    const auto by_hand = [&](const Array&) {
      Tape tape;
      const Var w = tape.use(W), c = tape.use(b);
      const Var y = relu_with(at_0, matmul(tape.constant(x), w) + c);
      const Gradients g = backward(sum(y * tape.constant(u)));
      return std::vector<Array>{g[w].copy(), g[c].copy()};
    };
    CHECK(check(relu, 1, {.gradients = by_hand}).passed == (at_0 == 0));
  }
}

TEST_CASE("the probability of a miss is a bound that holds, and not a loose one") {
  const Parameter x("x", numbers({3, 2})), W("W", numbers({2, 4}, -0.9, 0.8));
  const CheckedProgram program{.record = [&](Tape& tape) { return tanh(matmul(tape.use(x), tape.use(W))); },
                               .leaves = {{x, {}}, {W, {}}}};
  constexpr int seeds = 300;
  for (const CheckMode mode : {CheckMode::directions, CheckMode::forward}) {
    int missed = 0;
    double bound = 0;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      // one percent of the gradient by W is wrong, in a direction of its own
      const auto gradients = [&](const Array& u) {
        Tape tape;
        const Gradients right = backward(program.record(tape), {.cotangent = u});
        Array by_W = right[W].copy();
        Generator generator(1000 + seed);
        const Array fault = random_array(W.shape(), generator);
        const double part = 0.01 * std::sqrt(dot(by_W, by_W) / dot(fault, fault));
        for (std::size_t i = 0; i < by_W.size(); ++i) by_W.set_flat(i, by_W.flat(i) + part * fault.flat(i));
        return std::vector<Array>{right[x].copy(), by_W};
      };
      const GradcheckReport report = gradcheck(
          program,
          {.mode = mode, .tolerance = 3e-3, .directions = 1, .seed = seed, .diagnose = false, .gradients = gradients});
      missed += report.passed;
      bound += *report.miss_probability;
    }
    INFO(to_string(mode), ": ", missed, " missed, ", bound, " expected at most");
    CHECK(missed <= bound);
    CHECK(missed >= bound / 4);
  }
}

TEST_CASE("equal seeds give equal reports, and the seed changes the cotangent") {
  const auto report = [](std::uint64_t seed) {
    return gradcheck(Function([](std::span<const Var> v) { return exp(v[0]); }), {numbers({4})}, {.seed = seed})
        .rows[0]
        .analytic;
  };
  CHECK(report(1) == report(1));
  CHECK(report(1) != report(2));
}

TEST_CASE("the table says which entry is worst, both values, and WRONG") {
  const auto program = [](std::span<const Var> v) { return apply(wrong_at_4, {v[0]}) + sum(v[1]); };
  const GradcheckReport report = gradcheck(Function(program), {numbers({2, 3}, 1, 2), numbers({2})});
  const std::string table = to_string(report);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    lines.push_back(table.substr(at, end - at));
    at = end + 1;
  }
  REQUIRE(lines.size() > 3);
  CHECK(lines[0] == "leaf  entries  worst entry        analytic         numeric  abs.error  rel.error");
  CHECK(lines[1].starts_with("x0          6  x0[1, 1]     "));
  CHECK(lines[1].ends_with("  3.3e-01  WRONG"));
  char values[64];
  std::snprintf(values, sizeof values, "  %14.7g  %14.7g  ", report.rows[0].analytic, report.rows[0].numeric);
  CHECK(lines[1].find(values) != std::string::npos);
  CHECK(lines[2].starts_with("x1          2  x1["));
  CHECK(lines[2].ends_with("  ok"));
  CHECK(table.find("\x1b[") == std::string::npos);
  CHECK(to_string(report, {.colour = true}).find("\x1b[31mWRONG\x1b[0m") != std::string::npos);
}

TEST_CASE("a function that is empty is refused") {
  CHECK_THROWS_WITH_AS(gradcheck(Function(), {numbers({2})}), "gradcheck: no function: it is empty", Error);
}

}  // namespace unroll::test
