#include "exercise.hpp"

#include "../grading.hpp"

#include <unroll/core/kernels/linalg.hpp>

#include <string>

using namespace unroll;
using namespace unroll::course;

namespace {

// dh_T/dx_1 from the library's backward pass, in the form of the exercise: (input, hidden). On request also the states, h[0] first.
Array recorded(const Array& W_in, const Array& W, int T, bool with_tanh, std::vector<Row>* states = nullptr) {
  Tape tape;
  Var x_1, h = tape.constant(Array({1, W.shape()[0]}, DType::f64), "h");
  const auto remember = [&] {
    if (states) states->push_back(xt::flatten(as_xarray<double>(h.value())));
  };
  remember();
  for (int t = 1; t <= T; ++t) {
    Array numbers({1, W_in.shape()[0]}, DType::f64);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers.set_flat(i, 0.9 * std::cos(static_cast<double>(t) + 2.0 * static_cast<double>(i)));
    const Var x = tape.input(numbers, "x");
    if (t == 1) x_1 = x;
    const Var sum = matmul(x, tape.constant(W_in)) + matmul(h, tape.constant(W));
    h = with_tanh ? tanh(sum) : sum;
    remember();
  }
  const Array J = jacobian(h, x_1);  // (1, hidden, 1, input)
  return transpose(tape.constant(J.reshaped({W.shape()[0], W_in.shape()[0]}))).value().copy();
}

const Array input_weights({2, 2}, {0.5, -1.2, 0.8, 0.3}), weights({2, 2}, {0.9, 0.4, -0.7, 0.6}),
    one_input({1, 2}, {0.6, -0.5});

Matrix matrix(const Array& a) { return as_xarray<double>(a.view()); }
Matrix power(const Matrix& W, int n) {
  Matrix result = xt::eye<double>(W.shape(0));
  for (int i = 0; i < n; ++i) result = product(result, W);
  return result;
}

void grade_reach() {
  const Matrix W_in = matrix(input_weights), W = matrix(weights);
  const std::string one_less =
      "One multiplication too many: x_1 enters h_1 by W_in alone. From step 1 to step T there are T - 1 more.";
  expect_equal(
      "D for T = 5", Array(reach(W_in, W, 5)), recorded(input_weights, weights, 5, false),
      {{Array(product(W_in, power(W, 5))), one_less},
       {Array(product(power(W, 4), W_in)),
        "The matrices stand in the order of columns. A row goes through W_in first, and that stands on the left."},
       {Array(Matrix(power(W, 4))), "W_in is missing: x_1 is no state yet."},
       {Array(Matrix(xt::pow(W, 4))),
        "Each element to the fourth is not the matrix to the fourth: product(a, b) multiplies matrices."},
       {Array(product(W_in, Matrix(xt::pow(W, 4)))),
        "Each element to the fourth is not the matrix to the fourth: product(a, b) multiplies matrices."},
       {Array(product(W_in, power(xt::transpose(W), 4))), "W is transposed here. Forward, h W: it stays as it is."}},
      "Follow x_1 by hand: at h_1 it is x_1 W_in, at h_2 it is x_1 W_in W, ...");
  expect_equal("D for T = 1", Array(reach(W_in, W, 1)), input_weights, {}, "For T = 1 nothing but W_in is passed.");
  expect_equal("D for one input", Array(reach(matrix(one_input), W, 3)), recorded(one_input, weights, 3, false), {},
               "It fails where input and hidden differ in size. D has the shape of W_in.");
}

void grade_through_tanh() {
  std::vector<Row> h;
  const Array right = recorded(input_weights, weights, 4, true, &h);
  const Matrix W_in = matrix(input_weights), W = matrix(weights);
  // with the slopes of the steps in `from` ... `to`, `shift` steps aside
  const auto otherwise = [&](std::size_t from, std::size_t to, std::size_t shift, bool square = true) {
    Matrix D = W_in;
    for (std::size_t t = 1; t <= 4; ++t) {
      if (t > 1) D = product(D, W);
      const Row& own = h[t - shift];
      if (t >= from && t <= to) D = square ? Matrix(D * (1 - own * own)) : Matrix(D * (1 - own));
    }
    return Array(D);
  };
  expect_equal(
      "D", Array(reach_through_tanh(W_in, W, h)), right,
      {{otherwise(9, 9, 0),
        "This is W_in W^3, the formula without the activation. Each step multiplies with the slope of its tanh, too."},
       {otherwise(4, 4, 0), "The slope is there at the last step only. x_1 goes through the tanh of every step."},
       {otherwise(2, 4, 0), "The slope of step 1 is missing: x_1 enters through a tanh already."},
       {otherwise(1, 3, 0), "The slope of the last step is missing: h_T is a tanh, too."},
       {otherwise(1, 4, 1), "An index is off by one: the tanh of step t gives h[t], and its slope is 1 - h[t]^2."},
       {otherwise(1, 4, 0, false), "The slope is 1 - h^2, with a square."}},
      "Take T = 1 first: D = W_in, column j times 1 - h_1(j)^2. Each later step adds a W on the right and then its own "
      "slopes.");
}

void grade_clip() {
  using Arrays = std::vector<xt::xarray<double>>;
  // norms 5 and 12; of both together 13
  const Arrays given = {matrix(Array({2}, {3, 4})), matrix(Array({1, 1}, {12}))};
  const auto in_a_row = [](const Arrays& arrays) {
    std::vector<double> all;
    for (const auto& a : arrays) all.insert(all.end(), a.begin(), a.end());
    return Array({static_cast<std::int64_t>(all.size())}, std::span<const double>(all));
  };
  Arrays clipped = given, small = given;
  const double norm = clip_by_global_norm(clipped, 6.5);
  expect_equal(
      "the clipped gradients", in_a_row(clipped), Array({3}, {1.5, 2, 6}),
      {{Array({3}, {3, 4, 6.5}),
        "The long array got shorter and the other stayed: together they point elsewhere now. One factor for all, from "
        "one norm of all elements."},
       {Array({3}, {3.9, 5.2, 6.5}),
        "Each array has been scaled to the limit on its own. One factor for all, from one norm of all elements."},
       {Array({3}, {3, 4, 12}), "Nothing has changed. Is it a copy that you scale? `for (auto& g : gradients)`."},
       {Array({3}, {3 * 6.5 / 17, 4 * 6.5 / 17, 12 * 6.5 / 17}),
        "Norms do not add up: add the squares of all elements, then take the root."},
       {Array({3}, {3 * 6.5 / 169, 4 * 6.5 / 169, 12 * 6.5 / 169}),
        "The sum of the squares is the norm squared: the root is missing."}},
      "The norm of 3, 4, 12 is 13, and the limit 6.5: every element should be halved.");
  clip_by_global_norm(small, 26);
  expect_equal(
      "gradients below the limit", in_a_row(small), Array({3}, {3, 4, 12}),
      {{Array({3}, {6, 8, 24}), "These were below the limit and have been scaled up to it. Clipping only shortens."}},
      "Below the limit nothing changes.");
  expect_equal(norm, 13,
               {{6.5, "The norm is wanted as it was before clipping: that is what one looks at to see an explosion."}},
               "The norm of 3, 4, 12 is 13.");
}

void grade_fate() {
  struct Case {
    Array W;
    std::string hint;
  };
  const std::vector<Case> cases = {
      {Array({2, 2}, {0.5, 0.4, 0.3, 0.6}), "Its eigenvalues are 0.9 and 0.2: put them into z^2 - 1.1 z + 0.18."},
      {Array({2, 2}, {0.8, 2.0, 0.0, 0.8}),
       "Its eigenvalues are 0.8 and 0.8. The largest element, or the largest singular value, says what one step can "
       "do, not what many do."},
      {Array({2, 2}, {0.7, 0.7, 0.7, 0.7}),
       "No element is above 1, and still an eigenvalue is 1.4: (1, 1) W = 1.4 (1, 1)."},
      {Array({2, 2}, {-1.2, 0.0, 0.0, 0.3}),
       "An eigenvalue of -1.2 changes the sign at every step, and grows: its absolute value counts."},
      {Array({2, 2}, {0.0, -1.1, 1.1, 0.0}),
       "It turns by a quarter and stretches by 1.1. Its eigenvalues are complex: take the absolute value, not the real "
       "part, and let the root be of a complex number."},
      {Array({2, 2}, {0.6, -0.8, 0.8, 0.6}),
       "A rotation: it neither stretches nor shrinks. Is 1 told from its neighbours with a little room for rounding?"},
      {Array({2, 2}, {0.99, 0.0, 0.0, 0.1}), "0.99 is below 1. It takes 460 steps to 1/100, and still it vanishes."}};
  const auto name = [](Fate f) { return f == Fate::vanishes ? "vanishes" : f == Fate::stays ? "stays" : "explodes"; };
  for (const auto& [W, hint] : cases) {
    const double radius = kernels::spectral_radius(W);
    const Fate right = std::abs(radius - 1) < 1e-9 ? Fate::stays : radius < 1 ? Fate::vanishes : Fate::explodes;
    const Fate mine = fate(matrix(W));
    expect(mine == right,
           fmt::format("{}\nFor W = {} you say \"{}\"; it {}.", hint, to_string(W), name(mine), name(right)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "8 · Why it vanishes and explodes");
  grading.task("what x_1 is multiplied with until step T", grade_reach);
  grading.task("the same through tanh", grade_through_tanh);
  grading.task("clipping by the norm of all gradients", grade_clip);
  grading.task("vanishes or explodes?", grade_fate);
  return grading.finish();
}
