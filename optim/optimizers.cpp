#include <unroll/optim/optimizers.hpp>

#include <cmath>

namespace unroll {

namespace {

// Calls f(w, d, m...) for every element: parameter, gradient, and what the optimiser remembers of it.
template <class F, class... Memory>
void for_each_element(Array& value, const Array& gradient, F&& f, Memory&... memory) {
  dispatch(value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* w = value.span<T>().data();
    const T* d = gradient.span<T>().data();
    [&](auto* __restrict... m) {
      for (std::size_t i = 0, n = value.size(); i < n; ++i) f(w[i], d[i], m[i]...);
    }(memory.template span<T>().data()...);
  });
}

// A constant in the arithmetic of the element.
template <class T> T as(double constant, T) { return static_cast<T>(constant); }

}  // namespace

SGD::SGD(const std::vector<Parameter>& parameters, const SGDOptions& o) : Optimizer(parameters), options(o) {}

std::vector<Optimizer::Memory> SGD::memory() {
  if (options.momentum != 0 && velocity_.empty()) velocity_ = zeros();
  if (velocity_.empty()) return {};
  return {{"velocity", &velocity_}};
}

void SGD::update(std::size_t i, Array& value, const Array& gradient) {
  const SGDOptions& o = options;
  if (o.momentum == 0) {
    for_each_element(value, gradient,
                     [&](auto& w, auto d) { w -= as(o.learning_rate, w) * (d + as(o.weight_decay, w) * w); });
    return;
  }
  if (velocity_.empty()) velocity_ = zeros();  // the momentum may be switched on later
  for_each_element(
      value, gradient,
      [&](auto& w, auto d, auto& v) {
        d += as(o.weight_decay, w) * w;
        v = as(o.momentum, w) * v + d;
        w -= as(o.learning_rate, w) * (o.nesterov ? d + as(o.momentum, w) * v : v);
      },
      velocity_[i]);
}

RMSprop::RMSprop(const std::vector<Parameter>& parameters, const RMSpropOptions& o)
    : Optimizer(parameters), options(o), mean_square_(zeros()) {}

void RMSprop::update(std::size_t i, Array& value, const Array& gradient) {
  const RMSpropOptions& o = options;
  for_each_element(
      value, gradient,
      [&](auto& w, auto d, auto& s) {
        s = as(o.decay, w) * s + as(1 - o.decay, w) * d * d;
        w -= as(o.learning_rate, w) * d / (std::sqrt(s) + as(o.epsilon, w));
      },
      mean_square_[i]);
}

Adagrad::Adagrad(const std::vector<Parameter>& parameters, const AdagradOptions& o)
    : Optimizer(parameters), options(o), sum_(zeros()) {}

void Adagrad::update(std::size_t i, Array& value, const Array& gradient) {
  const AdagradOptions& o = options;
  for_each_element(
      value, gradient,
      [&](auto& w, auto d, auto& s) {
        s += d * d;
        w -= as(o.learning_rate, w) * d / (std::sqrt(s) + as(o.epsilon, w));
      },
      sum_[i]);
}

Adam::Adam(const std::vector<Parameter>& parameters, const AdamOptions& o)
    : Optimizer(parameters), options(o), mean_(zeros()), mean_square_(zeros()) {
  for (std::size_t i = 0; i < mean_.size(); ++i) steps_.emplace_back(Shape{}, DType::f64);
}

void Adam::update(std::size_t i, Array& value, const Array& gradient) {
  const AdamOptions& o = options;
  const double t = ++steps_[i].span<double>()[0];
  const double rate = o.learning_rate / (1 - std::pow(o.beta1, t)), scale = 1 / std::sqrt(1 - std::pow(o.beta2, t));
  for_each_element(
      value, gradient,
      [&](auto& w, auto d, auto& m, auto& v) {
        m = as(o.beta1, w) * m + as(1 - o.beta1, w) * d;
        v = as(o.beta2, w) * v + as(1 - o.beta2, w) * d * d;
        w -= as(rate, w) * m / (std::sqrt(v) * as(scale, w) + as(o.epsilon, w));
      },
      mean_[i], mean_square_[i]);
}

void AdamW::update(std::size_t i, Array& value, const Array& gradient) {
  const double keep = 1 - options.learning_rate * weight_decay_;
  for_each_element(value, gradient, [&](auto& w, auto) { w *= as(keep, w); });
  Adam::update(i, value, gradient);
}

}  // namespace unroll
