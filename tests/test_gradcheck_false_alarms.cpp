#include "layers_support.hpp"

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/layer_norm.hpp>

#include <cmath>

// Programs whose gradients are right and hard to check: the check raises no false alarm, in any mode, at first and second order.

namespace unroll::test {

namespace {

using Vars = std::span<const Var>;
using Function = std::function<Var(Vars)>;

constexpr CheckMode all_modes[] = {CheckMode::entries, CheckMode::directions, CheckMode::forward,
                                   CheckMode::extrapolated};

// In every mode. Where a second derivative does not exist or is infinite, at order 1 only.
void passes(const std::string& what, const Function& function, const std::vector<Array>& at, int orders = 2) {
  for (const CheckMode mode : all_modes)
    for (int order = 1; order <= orders; ++order) {
      INFO(what, ", ", to_string(mode), ", order ", order);
      const GradcheckReport report = gradcheck(function, at, {.mode = mode, .order = order});
      CHECK_MESSAGE(report.passed, to_string(report));
    }
}

template <class Layer> void layer_passes(const std::string& what, const Layer& layer, LayerCheckOptions options) {
  for (const CheckMode mode : all_modes)
    for (const int order : {1, 2}) {
      INFO(what, ", ", to_string(mode), ", order ", order);
      options.gradcheck.mode = mode;
      options.gradcheck.order = order;
      const GradcheckReport report = gradcheck(layer, options);
      CHECK_MESSAGE(report.passed, to_string(report));
    }
}

Array numbers(std::vector<double> values) {
  return Array({static_cast<std::int64_t>(values.size())}, std::move(values));
}

std::string at(const char* what, double x) { return what + (" at " + std::to_string(std::log10(std::abs(x)))); }

Array random(Shape shape, std::uint64_t seed = 1) {
  Generator generator(seed);
  return random_array(std::move(shape), generator);
}

}  // namespace

TEST_CASE("corners of relu, abs, clip, max and maximum are no false alarm, at them and at any distance") {
  for (const double x : {0.0, 1e-3, -1e-3, 1e-6, -1e-6, 1e-8, -1e-8, 1e-12, -1e-12, 1e-300}) {
    passes(at("relu", x), [](Vars v) { return relu(v[0]); }, {numbers({x, 1, -1})});
    passes(at("abs", x), [](Vars v) { return abs(v[0]); }, {numbers({x, 1, -1})});
    passes(at("clip", x), [](Vars v) { return clip(v[0], 0, 1) * 2.0; }, {numbers({x, 1 + x, 0.5})});
    passes(
        at("a layer of relus", x), [](Vars v) { return tanh(matmul(relu(v[0] + v[1]), v[2])); },
        {Array({1, 3}, {x, 1, -1}), numbers({0, -1, 1}), random({3, 2})}, 1);
    passes(
        at("minimum", x), [](Vars v) { return minimum(v[0], v[1]) * v[1]; },
        {numbers({1, 2, -3, 0}), numbers({1, 2, -3, x})}, 1);
  }
  passes(
      "ties of max", [](Vars v) { return max(v[0], {1}) * v[1]; },
      {Array({3, 3}, {1, 1, 1, 2, 2, 1, 1, 2, 3}), numbers({1, 2, 3})}, 1);
  passes(
      "ties of maximum", [](Vars v) { return maximum(v[0], v[1]) * v[0]; },
      {numbers({1, 2, -3, 0}), numbers({1, 2, -3, 0})}, 1);
}

TEST_CASE("tiny and huge numbers are no false alarm, whether values, inputs or gradients") {
  for (const double s : {1e-300, 1e-20, 1e-12, 1e8, 1e12, 1e150}) {
    passes(at("a result", s), [s](Vars v) { return tanh(v[0]) * s; }, {random({4})});
    passes(
        at("one result of two", s),
        [s](Vars v) {
          return concat({tanh(v[0]), tanh(v[1]) * s}, 0);
        },
        {random({4}), random({4}, 2)}, 1);
    passes(at("a product", s), [](Vars v) { return v[0] * v[1]; }, {numbers({s, -2 * s, 0.5 * s, 3 * s}), random({4})});
    passes(at("a constant beside it", s), [s](Vars v) { return v[0] * v[0] + s; }, {random({4})});
    passes(
        at("inputs", s), [s](Vars v) { return tanh(v[0] * (1 / s)); }, {numbers({s, -2 * s, 0.5 * s})}, 1);
  }
  passes("part of a larger loss", [](Vars v) { return sum(sin(v[0])) * 1e-7 + sum(exp(v[1])) * 1e3; },
         {random({4}), random({4}, 2)});
  passes(
      "what cancels", [](Vars v) { return (v[0] * v[0] + 1e12) - 1e12; }, {random({4})}, 1);
  passes("a leaf of mixed sizes", [](Vars v) { return sin(v[0]) + v[0] * v[0] * 1e-10; }, {numbers({1, 1e6, 1e-6, 0})});
  passes("zeros", [](Vars v) { return sin(v[0]) * v[1]; }, {numbers({0, 0, 0}), numbers({0, 0, 2})});
  passes("a fourth power at 0", [](Vars v) { return square(square(v[0])) + 1.0; }, {numbers({0, 0})});
}

TEST_CASE("the ends of a function's domain are no false alarm") {
  for (const double x : {1e-3, 1e-6, 1e-10, 1e-30, 1e-100}) {
    passes(
        at("log", x), [](Vars v) { return log(v[0]); }, {numbers({x, 1})}, x > 1e-20 ? 2 : 1);
    passes(
        at("sqrt", x), [](Vars v) { return sqrt(v[0]); }, {numbers({x, 1})}, x > 1e-20 ? 2 : 1);
    passes(
        at("pow", x), [](Vars v) { return pow(v[0], 2.5); }, {numbers({x, 1})}, 1);
    passes(
        at("1 / x", x), [](Vars v) { return 1.0 / v[0]; }, {numbers({x, 1})}, 1);
  }
  const Array which({3}, {1, 0, 1});
  passes(
      "log where it counts", [&](Vars v) { return where(v[0].tape().constant(which), log(v[0]), v[0]); },
      {numbers({1, 1e-300, 2})}, 1);
}

TEST_CASE("saturated and steep functions are no false alarm") {
  for (const double x : {20.0, 36.0, 100.0, 700.0, -36.0, -700.0}) {
    passes(at("sigmoid", x), [](Vars v) { return sigmoid(v[0]); }, {numbers({x})});
    passes(at("tanh", x), [](Vars v) { return tanh(v[0]); }, {numbers({x, 0.1})});
    passes(at("softmax", x), [](Vars v) { return softmax(v[0]); }, {Array({1, 3}, {x, 0, 1})});
    passes(at("logsumexp", x), [](Vars v) { return logsumexp(v[0]); }, {numbers({x, 0, 1})});
  }
  for (const double steepness : {1e3, 1e5}) {
    passes(at("sin", steepness), [=](Vars v) { return sin(v[0] * steepness); }, {random({4})});
    passes(at("tanh", steepness), [=](Vars v) { return tanh(v[0] * steepness); }, {numbers({1e-4, 2e-5, 1, 2})});
  }
  passes("a sum that is always 1", [](Vars v) { return sum(softmax(v[0])); }, {random({4})});
}

TEST_CASE("sizes 0 and 1, repeated use and no use are no false alarm") {
  passes("one element", [](Vars v) { return sin(v[0]); }, {Array::scalar(0.4)});
  passes("no element", [](Vars v) { return sin(v[0]); }, {Array({0}, DType::f64)});
  passes("no rows", [](Vars v) { return sum(v[0]) + sum(v[1]); }, {Array({0, 3}, DType::f64), random({2})});
  passes("no result", [](Vars v) { return slice(v[0], 0, 0, 0); }, {random({3})});
  passes("a leaf used twice", [](Vars v) { return v[0] * sin(v[0]) + exp(v[0]); }, {random({5})});
  passes("a leaf that is not used", [](Vars v) { return sin(v[0]); }, {random({5}), random({3})});
  passes("a leaf times 0", [](Vars v) { return sin(v[0]) + v[1] * 0.0; }, {random({5}), random({5}, 2)});
  passes("dropout from a fresh generator",
         [](Vars v) {
           Generator generator(3);
           return dropout(tanh(v[0]), 0.5, generator);
         },
         {random({20})});
  passes("rows of a table that are not used",
         [](Vars v) {
           return tanh(gather(v[0], std::vector<std::int64_t>{0, 2, 2}));
         },
         {random({5, 2})});
  passes("a checkpoint",
         [](Vars v) {
           const Part part = [](Vars x) { return std::vector<Var>{tanh(x[0]) * x[1]}; };
           return checkpoint(part, {v[0], v[1]})[0] * 2.0;
         },
         {random({4}), random({4}, 2)});
}

TEST_CASE("layer normalisation of two units and of equal ones is no false alarm") {
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    passes("two units", [](Vars v) { return layer_norm(v[0], v[1], v[2]); },
           {random({3, 2}, seed), random({2}, seed + 10), random({2}, seed + 20)});
  passes("equal units", [](Vars v) { return layer_norm(v[0], v[1], v[2]); },
         {Array({1, 3}, {1, 1, 1}), random({3}), random({3}, 2)});
}

TEST_CASE("recurrent layers with masks, lengths, recomputation, normalisation and saturated gates are no false alarm") {
  Generator generator(3);
  const LSTM lstm({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  const GRU gru({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  const RNN normalised({.input = 2, .hidden = 2, .layer_norm = true, .dtype = DType::f64}, generator);
  const LSTM saturated({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  for (Parameter p : saturated.parameters()) p.assign(normal(p.shape(), 20, generator, DType::f64));
  layer_passes("mask", gru, {.steps = 3, .batch = 2, .over_time = {.mask = Array({3, 2}, {1, 1, 1, 0, 0, 0})}});
  layer_passes("lengths", lstm, {.steps = 3, .batch = 2, .over_time = {.lengths = {3, 1}, .reverse = true}});
  layer_passes("recomputed", lstm, {.steps = 4, .batch = 1, .over_time = {.recompute = Recompute::every(2)}});
  layer_passes("normalised", normalised, {.steps = 3, .batch = 2});
  layer_passes("saturated", saturated, {.steps = 4, .batch = 1});
}

TEST_CASE("a thousand steps are no false alarm") {
  Generator generator(3);
  for (const CheckMode mode : {CheckMode::directions, CheckMode::forward}) {
    const LayerCheckOptions options{
        .steps = 1000, .batch = 1, .gradcheck = {.mode = mode, .directions = 1, .diagnose = false}};
    CHECK(gradcheck(LSTM({.input = 1, .hidden = 2, .dtype = DType::f64}, generator), options).passed);
    CHECK(gradcheck(RNN({.input = 1, .hidden = 2, .dtype = DType::f64}, generator), options).passed);
  }
}

TEST_CASE("layers of many sizes and seeds are no false alarm, in float32 with a note") {
  for (std::uint64_t seed = 0; seed < 12; ++seed)
    for (const CheckMode mode : all_modes)
      for (const DType dtype : {DType::f32, DType::f64}) {
        Generator generator(seed);
        const auto hidden = static_cast<std::int64_t>(1 + seed % 3);
        const LayerCheckOptions options{.steps = static_cast<std::int64_t>(1 + seed % 4),
                                        .batch = static_cast<std::int64_t>(1 + seed % 2),
                                        .gradcheck = {.mode = mode, .seed = seed, .diagnose = false}};
        const auto check = [&](const auto& layer) {
          INFO(layer.name(), ", seed ", seed, ", ", to_string(mode));
          const GradcheckReport report = gradcheck(layer, options);
          CHECK_MESSAGE(report.passed, to_string(report));
          CHECK(!report.notes.empty() == (dtype == DType::f32 || report.miss_probability.has_value()));
        };
        check(LSTM({.input = 2, .hidden = hidden, .dtype = dtype}, generator));
        check(GRU({.input = 2, .hidden = hidden, .dtype = dtype}, generator));
        check(RNN({.input = 2, .hidden = hidden, .activation = Activation::relu, .dtype = dtype}, generator));
      }
}

TEST_CASE("truncated BPTT is no false alarm: the report says that the state is detached") {
  Generator generator(3);
  const LSTM lstm({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  const GradcheckReport report =
      gradcheck(lstm, {.steps = 6, .batch = 2, .over_time = {.truncate = Truncation{.k1 = 2, .k2 = 2}}});
  CHECK(!report.passed);
  REQUIRE(report.diagnosis.has_value());
  CHECK(report.diagnosis->cause == Cause::detached);
  CHECK(gradcheck(lstm, {.steps = 6, .batch = 2, .over_time = {.truncate = Truncation{.k1 = 2, .k2 = 6}}}).passed);
}

TEST_CASE(
    "memory that was never written, numbers near both ends of the range and a loss that hides them are no false "
    "alarm") {
  const Array junk = numbers({1e308, 4.9e-324, -1e300, 0, 6.9e-310, 2.1e-314});
  passes(
      "tanh of junk", [](Vars v) { return tanh(v[0]); }, {junk}, 1);
  passes(
      "half of junk", [](Vars v) { return v[0] * 0.5; }, {junk}, 1);
  passes(
      "tanh of 0 beside 1e12", [](Vars v) { return tanh(v[0]); }, {numbers({0, 1e12})}, 1);
  passes(
      "a square below the smallest number", [](Vars v) { return square(v[0]); }, {numbers({1e-310, 0, 5e-324})}, 1);
  passes(
      "a square beside 1e15", [](Vars v) { return sum(square(v[0])) + 1e15; }, {numbers({1, -1, 0.5})}, 1);
}

}  // namespace unroll::test
