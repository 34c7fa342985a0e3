// Chapter 1: a chain of multiplications, and its derivative.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using unroll::course::section;

using Numbers = std::vector<double>;

//[ chain
// h_1 = x, h_2 = w_1 h_1, h_3 = w_2 h_2, ...: one value more than there are weights. The last one is y.
Numbers chain(double x, const Numbers& w) {
  Numbers h{x};
  for (const double factor : w) h.push_back(factor * h.back());
  return h;
}
//]

//[ wiggle
// How fast does f change at `at`? Take a step of e to both sides and divide what happened by what was done.
double wiggle(const std::function<double(double)>& f, double at, double e) { return (f(at + e) - f(at - e)) / (2 * e); }
//]

void four_multiplications(double x, const Numbers& w) {
  section("Four multiplications");
  const Numbers h = chain(x, w);
  fmt::print("h_1 = x         = {:4g}\n", h[0]);
  for (std::size_t i = 0; i < w.size(); ++i)
    fmt::print("h_{} = w_{} * h_{} = {:4g}     w_{} = {:g}\n", i + 2, i + 1, i + 1, h[i + 1], i + 1, w[i]);
}

void wiggle_it(double x, const Numbers& w) {
  section("Wiggle it");
  const auto y_of_x = [&](double moved) { return chain(moved, w).back(); };
  fmt::print("    e   y(x + e)   y(x - e)   difference / 2e\n");
  for (const double e : {1.0, 0.1, 0.01})
    fmt::print("{:5g}   {:8g}   {:8g}   {:15g}\n", e, y_of_x(x + e), y_of_x(x - e), wiggle(y_of_x, x, e));
}

void both_orders(double x, const Numbers& w) {
  section("The same product in two orders");
  //[ orders
  const std::size_t n = w.size();
  Numbers forwards(n + 1, 1), backwards(n + 1, 1);
  for (std::size_t i = 0; i < n; ++i) forwards[i + 1] = w[i] * forwards[i];        // dh_(i+1)/dx: from x on
  for (std::size_t i = n; i > 0; --i) backwards[i - 1] = backwards[i] * w[i - 1];  // dy/dh_i: from y back
  //]
  const Numbers h = chain(x, w);
  fmt::print("         value   forwards dh/dx   backwards dy/dh\n");
  for (std::size_t i = 0; i <= n; ++i)
    fmt::print("h_{}   {:9g}   {:14g}   {:15g}\n", i + 1, h[i], forwards[i], backwards[i]);
}

void by_every_weight(double x, const Numbers& w) {
  section("The derivative by every weight");
  const Numbers h = chain(x, w);
  fmt::print("          came in   comes back   product   wiggled\n");
  //[ weights
  double back = 1;  // dy/dh of what the multiplication gives
  for (std::size_t i = w.size(); i-- > 0; back *= w[i]) {
    const double by_w = back * h[i];
    const auto y_of_w = [&](double moved) {
      Numbers other = w;
      other[i] = moved;
      return chain(x, other).back();
    };
    fmt::print("w_{}   {:12g}   {:10g}   {:7g}   {:7g}\n", i + 1, h[i], back, by_w, wiggle(y_of_w, w[i], 0.01));
  }
  //]
}

void one_weight(double x, double w) {
  section("One weight, used four times");
  const Numbers all(4, w), h = chain(x, all);
  //[ shared
  double sum = 0, back = 1;
  for (std::size_t i = all.size(); i-- > 0; back *= w) {
    sum += back * h[i];
    fmt::print("use {}: came in {:3g}, comes back {:3g}, contributes {:3g}, sum so far {:3g}\n", i + 1, h[i], back,
               back * h[i], sum);
  }
  //]
  const auto y_of_w = [&](double moved) { return chain(x, Numbers(4, moved)).back(); };
  fmt::print("\n4 w^3 x = {:g}\n\n     e   wiggled\n", 4 * std::pow(w, 3) * x);
  for (const double e : {1.0, 0.1, 0.01, 0.001}) fmt::print("{:6g}   {:.6f}\n", e, wiggle(y_of_w, w, e));
}

// y over w, and the line through (w, y(w)) whose slope is the derivative.
void draw_slope(double x, double w) {
  const auto sampled = [](const std::string& label, double from, double to, const std::function<double(double)>& f) {
    PlotSeries series{.label = label, .xs = {}, .ys = {}, .points = false};
    for (int i = 0; i <= 80; ++i) {
      series.xs.push_back(from + (to - from) * i / 80);
      series.ys.push_back(f(series.xs.back()));
    }
    return series;
  };
  const auto y = [&](double at) { return chain(x, Numbers(4, at)).back(); };
  const auto line = [&](double slope) {
    return sampled(fmt::format("slope {:g}", slope), w - 0.75, w + 0.75,
                   [&](double at) { return y(w) + slope * (at - w); });
  };
  const double all_uses = 4 * std::pow(w, 3) * x;
  draw({.title = fmt::format("y at w = {:g}, and how fast it grows", w),
        .x_label = "w",
        .y_label = "y",
        .series = {sampled("y = w^4 x", 0, 4, y), line(all_uses), line(all_uses / 4)},
        .height = 340},
       "slope.svg");
}

void drawn(double x, double w_value) {
  section("The chain, drawn");
  //[ drawn
  Tape tape;
  const Parameter w("w", Array::scalar(w_value));
  Var h = tape.input(Array::scalar(x), "h_1");
  for (int t = 2; t <= 5; ++t) {
    const Step step(tape, t);
    h = (tape.use(w) * h).named("h");
  }
  const Gradients gradients = backward(h, {.keep = Keep::all, .by_step = {w}, .flows = true});
  //]
  render(tape, "chain.svg",
         {.gradients = &gradients,
          .contributions = w,
          .values = ValueView::numbers,
          .title = "Four multiplications by one w, and what y feels of each"});
  fmt::print("y = {:g}, dy/dw = {:g}\n", h.item(), gradients[w].item());
  for (const std::int64_t t : gradients.contribution_steps(w))
    fmt::print("  from step {}: {:g}\n", t, gradients.contribution(w, t).item());
}

int main() {
  const double x = 2;
  const Numbers w{3, 0.5, 4, 2};
  four_multiplications(x, w);
  wiggle_it(x, w);
  both_orders(x, w);
  by_every_weight(x, w);
  one_weight(x, 3);
  draw_slope(x, 3);
  drawn(x, 3);
}
