#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

// Values and gradients of PyTorch in float64, from tests/fixtures/ops.json.

namespace unroll::test {

namespace {

using nlohmann::json;
using Operands = std::vector<Var>;
using Caller = std::function<Var(const Operands&, const json&)>;

Caller unary(Var (*f)(Var)) {
  return [f](const Operands& x, const json&) { return f(x[0]); };
}
Caller binary(Var (*f)(Var, Var)) {
  return [f](const Operands& x, const json&) { return f(x[0], x[1]); };
}
Caller reduction(Var (*f)(Var, const Axes&, bool)) {
  return [f](const Operands& x, const json& a) { return f(x[0], a.at("axes"), a.at("keepdims")); };
}
Caller along_axis(Var (*f)(Var, std::int64_t)) {
  return [f](const Operands& x, const json& a) { return f(x[0], a.at("axis")); };
}

Shape shape_of(const json& extents) { return Shape(extents.get<std::vector<std::int64_t>>()); }

Var call_cross_entropy(const Operands& x, const json& a) {
  std::vector<double> mask;
  if (a.contains("mask")) mask = a.at("mask").at("data").get<std::vector<double>>();
  return cross_entropy(x[0], integers(a.at("targets")), mask);
}

// PyTorch's a[indices] has the shape of the indices in front; gather has one axis of them.
Var call_gather(const Operands& x, const json& a) {
  std::vector<std::int64_t> extents = a.at("indices").at("shape");
  extents.push_back(x[0].shape()[1]);
  return reshape(gather(x[0], integers(a.at("indices"))), Shape(extents));
}

const std::map<std::string, Caller>& callers() {
  static const std::map<std::string, Caller> all{
      {"add", binary(add)},
      {"sub", binary(sub)},
      {"mul", binary(mul)},
      {"div", binary(div)},
      {"pow", [](const Operands& x, const json& a) { return pow(x[0], a.at("exponent")); }},
      {"square", unary(square)},
      {"sqrt", unary(sqrt)},
      {"exp", unary(exp)},
      {"log", unary(log)},
      {"log1p", unary(log1p)},
      {"expm1", unary(expm1)},
      {"abs", unary(abs)},
      {"sign", unary(sign)},
      {"tanh", unary(tanh)},
      {"sigmoid", unary(sigmoid)},
      {"relu", unary(relu)},
      {"softplus", unary(softplus)},
      {"sin", unary(sin)},
      {"cos", unary(cos)},
      {"erf", unary(erf)},
      {"clip", [](const Operands& x, const json& a) { return clip(x[0], a.at("lo"), a.at("hi")); }},
      {"maximum", binary(maximum)},
      {"minimum", binary(minimum)},
      {"where", [](const Operands& x,
                   const json& a) { return where(x[0].tape().constant(tensor(a.at("condition"))), x[0], x[1]); }},
      {"matmul", binary(matmul)},
      {"sum", reduction(sum)},
      {"mean", reduction(mean)},
      {"max", reduction(max)},
      {"logsumexp", reduction(logsumexp)},
      {"softmax", along_axis(softmax)},
      {"log_softmax", along_axis(log_softmax)},
      {"cross_entropy", call_cross_entropy},
      {"reshape", [](const Operands& x, const json& a) { return reshape(x[0], shape_of(a.at("shape"))); }},
      {"transpose", [](const Operands& x, const json& a) { return transpose(x[0], a.at("permutation")); }},
      {"broadcast_to", [](const Operands& x, const json& a) { return broadcast_to(x[0], shape_of(a.at("shape"))); }},
      {"slice",
       [](const Operands& x, const json& a) { return slice(x[0], a.at("axis"), a.at("start"), a.at("stop")); }},
      {"pad", [](const Operands& x, const json& a) { return pad(x[0], a.at("axis"), a.at("before"), a.at("after")); }},
      {"concat", [](const Operands& x, const json& a) { return concat(x, a.at("axis")); }},
      {"stack", [](const Operands& x, const json& a) { return stack(x, a.at("axis")); }},
      {"gather", call_gather}};
  return all;
}

// Absolute and relative. It also covers the samples near +-1000, where log_softmax and cross_entropy subtract numbers
// whose last place is 1.1e-13.
constexpr double tolerance = 1e-12;

}  // namespace

TEST_CASE("operations have the values and gradients of PyTorch") {
  std::size_t cases = 0;
  std::set<std::string> seen;
  for (const json& c : fixture("ops.json")) {
    const std::string op = c.at("op");
    INFO("case ", cases, ", ", op, " ", c.at("attributes").dump());
    REQUIRE(callers().contains(op));
    Tape tape;
    Operands x;
    for (const json& input : c.at("inputs")) x.push_back(tape.input(tensor(input)));
    const Var y = callers().at(op)(x, c.at("attributes"));
    CHECK(close(y.value(), tensor(c.at("output")), tolerance, tolerance));
    for (const bool recorded : {false, true}) {
      CAPTURE(recorded);
      const Gradients gradients = backward(y, {.create_graph = recorded, .cotangent = tensor(c.at("cotangent"))});
      for (std::size_t i = 0; i < x.size(); ++i) {
        CAPTURE(i);
        CHECK(close(gradients[x[i]], tensor(c.at("gradients").at(i)), tolerance, tolerance));
      }
    }
    ++cases;
    seen.insert(op);
  }
  CHECK(cases >= 133);
  CHECK(seen.size() == callers().size());  // every caller above has met a case
}

}  // namespace unroll::test
