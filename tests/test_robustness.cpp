#include <unroll/core/array/xtensor.hpp>

#include <unroll/core/array/safetensors.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/kernels/reduce.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/optim/optimizers.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>

#include <sys/stat.h>

#include <xtensor/xview.hpp>

using namespace unroll;

// Corners that once gave wrong numbers, read freed memory, or stopped the program.

TEST_CASE("recorded gradients of a cleared tape say that they are gone") {
  const Parameter w("w", Array(Shape{2}, {1, 2}));
  Tape tape;
  const Gradients gradients = backward(sum(square(tape.use(w))), {.create_graph = true});
  CHECK(gradients[w].flat(1) == 4);
  tape.clear();
  CHECK_THROWS_WITH_AS(
      gradients[w], "these gradients were recorded (create_graph), and went when their tape was cleared or destroyed",
      TapeError);
  CHECK_THROWS_AS(gradients.parameter_entries(), TapeError);
}

TEST_CASE("gradients know their parameter and not its address") {
  Tape tape;
  const auto gradients = [&] {
    const Parameter w("w", Array(Shape{2}, {1, 2}));
    return backward(sum(square(tape.use(w))));
  }();
  tape.clear();
  for (int i = 0; i < 50; ++i) CHECK_FALSE(gradients.contains(Parameter("other", Array(Shape{2}, {1, 2}))));
}

TEST_CASE("long sums of float32 keep their digits, along every axis and over repeated elements") {
  Tape tape;
  const Var x = tape.constant(Array::filled({1000000, 2}, 0.1));
  CHECK(mean(x, {0}).value().flat(0) == doctest::Approx(0.1).epsilon(1e-6));
  CHECK(sum(transpose(x)).item() == doctest::Approx(200000).epsilon(1e-6));
  CHECK(sum(broadcast_to(tape.scalar(1, DType::f32), {20000000})).item() == 20000000);
}

TEST_CASE("log_softmax of large logits keeps what is small beside them") {
  Tape tape;
  const Var x = tape.constant(Array(Shape{1, 2}, {1e7, 1e7}, DType::f32));
  CHECK(log_softmax(x).value().flat(0) == doctest::Approx(-0.693147).epsilon(1e-6));
  const std::int64_t target = 0;
  CHECK(cross_entropy(x, {&target, 1}).item() == doctest::Approx(0.693147).epsilon(1e-6));
}

TEST_CASE("shapes beyond any memory, and negative ones, are refused") {
  constexpr std::int64_t huge = std::int64_t{1} << 32;
  CHECK_THROWS_WITH_AS((Shape{huge, huge}), "(4294967296, 4294967296) has more elements than memory has addresses",
                       ShapeError);
  CHECK_THROWS_AS((Shape{std::int64_t{1} << 61}), ShapeError);
  CHECK_THROWS_AS((Shape{2, 3}).with(0, -1), ShapeError);
  Tape tape;
  CHECK_THROWS_WITH_AS(scatter_add(tape.constant(Array(Shape{0})), {}, 0, -1),
                       "scatter_add: (0): size -1 of axis 0: at least 0  [node 1]", ShapeError);
  CHECK_THROWS_AS(split(tape.constant(Array(Shape{3})), 0, std::vector<std::int64_t>{-1, 4}), ShapeError);
}

TEST_CASE("a rule that gives a gradient of the wrong shape is named, recorded or not") {
  const Op total{.name = "total",
                 .shape = [](const Call&) { return Shape{}; },
                 .forward = [](const Call& c, const Shape& shape, void* out,
                               bool accumulate) { kernels::sum(*c.inputs[0], shape, out, 1, accumulate); },
                 .vjp = [](Vjp& v) { v.give(0, v.g); }};
  Tape tape;
  const Var y = apply(total, {tape.input(Array(Shape{2, 3}, DType::f64))});
  for (const bool recorded : {false, true})
    CHECK_THROWS_WITH_AS(
        backward(y, {.create_graph = recorded}),
        "total: its reverse rule gave input 0 a gradient of shape () in float64, expected (2, 3) in float64  [node 1]",
        ShapeError);
}

TEST_CASE("an operation whose kernel only stores is added where its result ends a rule") {
  const Op twice{.name = "twice_softmax",
                 .shape = [](const Call& c) { return c.shape(0); },
                 .forward = [](const Call& c, const Shape& shape, void* out,
                               bool accumulate) { kernels::copy(*c.inputs[0], shape, out, accumulate); },
                 .vjp =
                     [](Vjp& v) {
                       v.give(0, softmax(v.g));
                       v.give(0, softmax(v.g));
                     }};
  Tape tape;
  const Var x = tape.input(Array(Shape{4}, DType::f64));
  const Gradients gradients = backward(apply(twice, {x}), {.cotangent = Array(Shape{4}, DType::f64)});
  for (std::size_t i = 0; i < 4; ++i) CHECK(gradients[x].flat(i) == 0.5);  // twice a quarter
}

TEST_CASE("an operation that fails while it computes leaves nothing on the tape") {
  const Op failing{.name = "failing",
                   .shape = [](const Call& c) { return c.shape(0); },
                   .forward = [](const Call&, const Shape&, void*, bool) { throw Error("no"); }};
  Tape tape;
  const Var x = tape.input(Array(Shape{2}));
  CHECK_THROWS_AS(apply(failing, {x}), Error);
  CHECK(tape.size() == 1);
  CHECK_THROWS_WITH_AS(apply(*add(x, x).node().op, {x}), "add: 1 operands, expected 2", Error);
}

TEST_CASE("an empty parameter says so") {
  Generator generator(1);
  const LSTM lstm({.input = 1, .hidden = 2}, generator);
  Tape tape;
  CHECK(lstm.p_i.empty());
  CHECK_THROWS_WITH_AS(tape.use(lstm.p_i), doctest::Contains("an empty Parameter was used"), Error);
}

TEST_CASE("forward mode refuses a changed parameter and adds up directions") {
  Parameter w("w", Array(Shape{}, {2}));
  Tape tape;
  const Var x = tape.use(w), y = pow(x, 3);
  CHECK(jvp(y, {{x, Array::scalar(1)}, {x, Array::scalar(2)}}).item() == 36);
  CHECK_THROWS_AS(jvp(square(y), {{y, Array::scalar(1)}}), Error);
  w.assign(Array::scalar(5));
  CHECK_THROWS_AS(jvp(y, {{x, Array::scalar(1)}}), GradientError);
}

TEST_CASE("momentum may be switched on later, and AdamW decays weights by default") {
  Parameter w("w", Array(Shape{1}, {1}));
  Tape tape;
  SGD sgd({w}, {.learning_rate = 0.5});
  sgd.options.momentum = 0.9;
  sgd.step(backward(sum(tape.use(w))));
  CHECK(w.value().flat(0) == 0.5);
  tape.clear();
  AdamW adam({w}, {.learning_rate = 0.1});
  adam.step(backward(sum(tape.use(w) * 0.0)));  // the gradient is 0: only the decay is left
  CHECK(w.value().flat(0) == doctest::Approx(0.5 * (1 - 0.1 * 0.01)));
}

TEST_CASE("Linear takes a single row of features, too") {
  Generator generator(1);
  const Linear linear({.input = 3, .output = 2}, generator);
  Tape tape;
  CHECK(linear(tape.constant(Array(Shape{3}))).shape() == Shape{2});
}

TEST_CASE("tensors without elements survive a safetensors file") {
  SafeTensors contents;
  contents.arrays.push_back({"empty", Array(Shape{1000, 0})});
  contents.arrays.push_back({"full", Array(Shape{2}, {1, 2})});
  const SafeTensors read = parse_safetensors(safetensors_bytes(contents));
  REQUIRE(read.arrays.size() == 2);
  REQUIRE(read.find("empty") != nullptr);
  CHECK(read.find("empty")->shape() == Shape{1000, 0});
  CHECK(read.find("full")->flat(1) == 2);
}

TEST_CASE("writing to a pipe or through a link leaves pipe and link as they are") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "unroll_robustness";
  fs::remove_all(folder);
  fs::create_directories(folder);
  write_whole_file(folder / "target", "old");
  fs::create_symlink(folder / "target", folder / "link");
  write_whole_file(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_whole_file(folder / "target") == "new");
  write_whole_file("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));
  fs::remove_all(folder);
}
