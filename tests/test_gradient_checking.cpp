#include "pages.hpp"
#include "support.hpp"

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/examples/zoo/zoo.hpp>
#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/lstm.hpp>

#include <doctest/doctest.h>

// The code that docs/gradient-checking.md shows, word for word, and what the page says about the checker.
namespace unroll::test {

namespace {

GradcheckReport my_function() {
  const Array a({2, 3}, {0.5, -1, 2, 0.1, -0.3, 1.5}), b({3}, {0.7, -0.2, 1.1});
  const auto f = [](std::span<const Var> v) { return tanh(v[0]) * v[1]; };
  return gradcheck(f, {a, b});
}

GradcheckReport my_cell(const Parameter& W, const Parameter& U) {
  const auto step = [&](Var x, Var h) {
    const Var from_x = matmul(x, x.tape().use(W)), from_h = matmul(h, x.tape().use(U));
    const Var next = tanh(from_x + from_h).named("h");
    return std::pair{next, next};  // the output, and the state after the step
  };
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 3}, DType::f64), "h"); };
  return gradcheck(AnyCell("mine", step, zero, {W, U}), {.steps = 4, .batch = 2, .input = 2});
}

GradcheckReport my_model(const LSTM& lstm, const Linear& readout, const Array& xs,
                         std::span<const std::int64_t> wanted) {
  std::vector<Parameter> parameters = lstm.parameters();
  parameters.insert(parameters.end(), readout.parameters().begin(), readout.parameters().end());
  const auto loss = [&](Tape& tape) {
    return cross_entropy(readout(over_time(lstm, tape.constant(xs, "x")).outputs.back()), wanted);
  };
  return gradcheck(loss, parameters, {.mode = CheckMode::directions});
}

// h_t = w h_(t-1) + x_t, from h_0 = 0; the result is the last h.
GradcheckReport my_loop(const Parameter& w, const Parameter& x) {
  const auto T = static_cast<std::size_t>(x.shape()[0]);
  const auto program = [&](Tape& tape) {  // forward, once more, with operations
    Var h = tape.scalar(0, DType::f64);
    for (std::size_t t = 0; t < T; ++t) {
      const Step step(tape, static_cast<std::int64_t>(t) + 1);
      const Var carried = tape.use(w) * h;
      h = (carried + select(tape.use(x), 0, static_cast<std::int64_t>(t))).named("h");
    }
    return h;
  };
  const auto by_hand = [&](const Array& u) {  // u is the adjoint of the result
    std::vector<double> h{0};
    for (std::size_t t = 0; t < T; ++t) h.push_back(w.value().item() * h[t] + x.value().flat(t));
    double dw = 0, dh = u.item();
    Array dx(x.shape(), DType::f64);
    for (std::size_t t = T; t-- > 0; dh *= w.value().item()) {
      dx.set_flat(t, dh);
      dw += dh * h[t];
    }
    return std::vector<Array>{Array::scalar(dw), dx};
  };
  return gradcheck(program, {w, x}, {.gradients = by_hand});
}

}  // namespace

TEST_CASE("the gradients of my LSTM are right") {
  Generator generator(1);
  REQUIRE(gradcheck(LSTM({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), {.steps = 3, .batch = 2}));
}

TEST_CASE("gradient checking: the code that the page shows is the code of its test, or a program that is run") {
  const std::string source = read_file("test_gradient_checking.cpp");
  const auto code = code_blocks(project_text("docs/gradient-checking.md"), "cpp");
  int programs = 0;
  for (const std::string& block : code) {
    INFO(block);
    const bool program = block.find("int main()") != std::string::npos;
    programs += program;
    CHECK((program || source.find("\n" + block) != std::string::npos));
  }
  CHECK(code.size() == 7);
  CHECK(programs == 2);
}

TEST_CASE("gradient checking: what the page shows passes") {
  Generator generator(1);
  const auto random = [&](const char* name, Shape shape) {
    return Parameter(name, normal(std::move(shape), 0.7, generator, DType::f64));
  };
  CHECK(my_function());
  CHECK(my_cell(random("mine.W", {2, 3}), random("mine.U", {3, 3})));
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Linear readout({.input = 3, .output = 2, .dtype = DType::f64}, generator);
  const GradcheckReport model =
      my_model(lstm, readout, normal({4, 2, 2}, 1, generator, DType::f64), std::vector<std::int64_t>{0, 1});
  CHECK(model);
  CHECK(model.rows.size() == lstm.parameters().size() + readout.parameters().size());
  CHECK(my_loop(Parameter("w", Array::scalar(0.7)), random("x", {5})));
}

TEST_CASE("gradient checking: forward mode does not see a state that is cut off, the other modes do") {
  int cut = 0;
  for (const zoo::Animal& animal : zoo::zoo()) {
    if (animal.cause != Cause::detached) continue;
    ++cut;
    INFO(animal.name);
    CHECK(animal.check({.gradcheck = {.mode = CheckMode::forward}}).passed);
    CHECK(!animal.check({.gradcheck = {.mode = CheckMode::directions}}).passed);
    CHECK(!animal.check({.gradcheck = {.mode = CheckMode::extrapolated}}).passed);
  }
  CHECK(cut == 3);
}

}  // namespace unroll::test
