#include "exercise.hpp"

#include "../grading.hpp"

#include <xtensor/xview.hpp>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

// What common_shape gives, as text; "no" where it says that shapes do not fit.
std::string said(const Shape& a, const Shape& b) {
  try {
    return to_string(common_shape(a, b));
  } catch (const ShapeError&) { return "no"; }
}

void puzzle(const Shape& a, const Shape& b, const std::string& wanted, const std::string& hint) {
  for (const auto& [first, second] : {std::pair{a, b}, std::pair{b, a}}) {
    const std::string got = said(first, second);
    expect(got == wanted,
           fmt::format("{}\n{} + {} gives {} and should give {}.", hint, to_string(first), to_string(second),
                       got == "no" ? "an error" : got, wanted == "no" ? "a ShapeError" : wanted));
  }
}

Matrix numbers(std::vector<std::size_t> shape, unsigned seed) {
  Generator generator(seed);
  Matrix result = xt::zeros<double>(shape);
  for (double& v : result) v = generator.uniform(-1, 1);
  return result;
}

// The library's own gradients of an affine layer, with dy as the adjoint of y.
AffineGradients by_library(const Matrix& x, const Matrix& W, const Matrix& dy) {
  Tape tape;
  const Var X = tape.input(x), V = tape.input(W),
            b = tape.input(Array({static_cast<std::int64_t>(W.shape(1))}, DType::f64));
  const Gradients g = backward(affine(X, V, b), {.cotangent = Array(dy)});
  return {as_xarray<double>(g[X]), as_xarray<double>(g[V]), as_xarray<double>(g[b])};
}

void three_gradients(const Matrix& x, const Matrix& W, const Matrix& dy) {
  const AffineGradients wanted = by_library(x, W, dy);
  const AffineGradients got = affine_backward(x, W, dy);
  const double batch = static_cast<double>(x.shape(0));
  const auto times = [](const Matrix& a, const Matrix& b) -> Array {
    if (a.shape(1) != b.shape(0)) return {};
    Tape tape;
    return matmul(tape.constant(a), tape.constant(b)).value().copy();
  };
  const Matrix turned_dW = xt::transpose(wanted.dW), mean_dW = wanted.dW / batch, mean_db = wanted.db / batch,
               first_row = xt::view(dy, 0), last_row = xt::view(dy, x.shape(0) - 1), over_features = xt::sum(dy, {1});
  expect_equal("dx", borrow(got.dx), Array(wanted.dx),
               {{times(dy, W),
                 "dx is dy W, the weight as it stands. Element W[i, j] leads from input i to output j; the way back "
                 "goes from j to i."}},
               "Follow one input: x[b, i] goes into every output j of its row, each time multiplied by W[i, j].");
  expect_equal(
      "dW", borrow(got.dW), Array(wanted.dW),
      {{Array(turned_dW),
        "This is dW turned over: it has shape (output, input). A gradient has the shape of what it belongs to."},
       {Array(mean_dW),
        "This is dW divided by the batch, a mean. Each row uses the same W, so what the rows say is added. (If the "
        "loss is a mean, dy is small already.)"},
       {times(x, dy), "This is x dy. Element W[i, j] meets x[b, i] and dy[b, j]: which index is summed?"}},
      "W is used by every row of the batch: sum over the rows the product of x[b, i] and dy[b, j].");
  expect_equal(
      "db", borrow(got.db), Array(wanted.db),
      {{Array(dy),
        "This is dy itself: the sum over the batch is missing. b was copied to every row, and b has shape (output)."},
       {Array(mean_db), "This is the mean over the batch in place of the sum. b was copied, not divided."},
       {Array(first_row), "This is the first row of dy: the other rows used b, too."},
       {Array(last_row), "This is the last row of dy: the other rows used b, too."},
       {Array(over_features), "This is summed along the outputs, axis 1. b was copied along the batch, axis 0."}},
      "b[j] is added to y[b, j] in every row b.");
}

// By the library: dL by an array of shape `from`, when `gradient` is dL by its broadcast.
Array undone(const Matrix& gradient, const Shape& from) {
  Tape tape;
  const Var small = tape.input(Array(from, DType::f64));
  const Var large = broadcast_to(small, borrow(gradient).shape);
  return backward(large, {.cotangent = Array(gradient)})[small].copy();
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "4 · Arrays, shapes and broadcasting");

  grading.task("the shape of a sum", [] {
    puzzle({3, 2}, {3, 2}, "(3, 2)", "Two equal shapes are the easy case.");
    puzzle({3, 2}, {2}, "(3, 2)", "A shorter shape lacks axes in front, never behind: align both at their last axis.");
    puzzle({3, 1}, {2}, "(3, 2)", "Both may grow: an extent of 1 gives way to the other one.");
    puzzle({5, 3, 2}, {3, 1}, "(5, 3, 2)",
           "Go from the last axis to the first; where one shape has ended, it counts as 1.");
    puzzle({}, {4}, "(4)", "A scalar has rank 0, and fits everything.");
    puzzle({3, 2}, {3}, "no",
           "(3, 2) + (3) does not fit: the last axes are 2 and 3, and neither is 1. The larger one is no answer.");
    puzzle({4, 2}, {2, 2}, "no", "4 and 2 differ and neither is 1: an axis is never repeated a whole number of times.");
    puzzle({1}, {0}, "(0)", "An extent of 0 (no elements) is an extent like any other: 1 gives way to it.");
  });

  grading.task("the affine layer", [] {
    const Matrix x = {{1, 2}, {3, 4}, {5, 6}}, W = {{1, 0, 2}, {0, 1, -1}}, b = {10, 20, 30};
    const Matrix got = affine_forward(x, W, b);
    expect_equal("x W + b", borrow(got), Array({3, 3}, {11, 22, 30, 13, 24, 32, 15, 26, 34}),
                 {{Array({3, 3}, {1, 2, 0, 3, 4, 2, 5, 6, 4}), "The bias is missing."},
                  {Array({3, 3}, {11, 12, 10, 23, 24, 22, 35, 36, 34}),
                   "The bias goes down the batch here: b[j] belongs to output j, in every row."}},
                 "Row 0: 1 * W[0, :] + 2 * W[1, :] + b.");
  });

  grading.task("its three gradients", [] {
    three_gradients(numbers({4, 3}, 1), numbers({3, 3}, 2),
                    numbers({4, 3}, 3));  // square, so that a wrong W fits as well
    three_gradients(numbers({4, 2}, 4), numbers({2, 3}, 5), numbers({4, 3}, 6));
    three_gradients(numbers({1, 2}, 7), numbers({2, 5}, 8), numbers({1, 5}, 9));
  });

  grading.task("the adjoint of broadcasting", [] {
    const auto check = [](const Matrix& gradient, const Shape& from, const std::string& hint) {
      const Matrix got = undo_broadcast(gradient, from);
      const Array wanted = undone(gradient, from);
      const double copies = static_cast<double>(gradient.size()) / static_cast<double>(from.size());
      const Matrix mean = as_xarray<double>(wanted.view()) / copies;
      expect_equal(
          "the gradient of shape " + to_string(from), borrow(got), wanted,
          {{Array(mean), "This is the mean of the copies' gradients. Each copy moves the loss by itself: add them."},
           {Array(gradient), "This is the gradient as it came, and nothing was summed. " + hint}},
          hint);
    };
    check(numbers({3, 2}, 1), {3, 2}, "Equal shapes: nothing was copied.");
    check(numbers({3, 2}, 2), {2}, "(2) became (3, 2): an axis was added in front. Sum it away.");
    check(numbers({3, 2}, 3), {3, 1},
          "(3, 1) became (3, 2): an axis of extent 1 was repeated. Its sum has extent 1 as well: keep_dims.");
    check(numbers({4, 3, 2}, 4), {3, 1},
          "(3, 1) became (4, 3, 2): both happened. First the axes in front, then those of extent 1.");
    check(numbers({4, 3, 2}, 5), {}, "A scalar was copied to every place.");
  });
  return grading.finish();
}
