#include <unroll/core/check/gradcheck.hpp>

#include <unroll/core/array/random.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

namespace {

Array random_like(const Shape& shape, Generator& generator) {
  Array array(shape, DType::f64);
  for (std::size_t i = 0; i < array.size(); ++i) array.set_flat(i, generator.uniform(-1, 1));
  return array;
}

// The number whose derivatives are compared, as a function of the parameters' present values.
class Objective {
 public:
  Objective(const std::function<Var(Tape&)>& program, const std::vector<Parameter>& parameters,
            const GradcheckOptions& options)
      : program_(program), parameters_(parameters), options_(options) {}

  double value() {
    tape_.clear();
    return record().item();
  }

  // The gradient by each parameter; zeros where the objective does not depend on it.
  std::vector<Array> gradients() {
    tape_.clear();
    const Var objective = record();
    std::optional<Gradients> computed;
    if (objective.node().tracked) computed = backward(objective);
    std::vector<Array> result;
    for (const Parameter& p : parameters_)
      result.push_back(computed && computed->contains(p) ? (*computed)[p].copy() : Array(p.shape(), DType::f64));
    return result;
  }

 private:
  Var record() {
    Generator generator(options_.seed);  // the same cotangent and direction at every evaluation
    const Var y = program_(tape_);
    if (&y.tape() != &tape_) throw TapeError("gradcheck: the program must record on the tape it is given");
    const Var loss = sum(y * tape_.constant(random_like(y.shape(), generator)));
    if (options_.order == 1 || !loss.node().tracked) return loss;

    const Gradients first = backward(loss, {.create_graph = true});
    Var directional = tape_.scalar(0, DType::f64);
    for (const Parameter& p : parameters_) {
      const Array direction = random_like(p.shape(), generator);
      if (first.contains(p)) directional = directional + sum(first.var(tape_.use(p)) * tape_.constant(direction));
    }
    return directional;
  }

  const std::function<Var(Tape&)>& program_;
  const std::vector<Parameter>& parameters_;
  const GradcheckOptions& options_;
  Tape tape_;
};

// The objective as a function of one entry, put back afterwards.
class Entry {
 public:
  Entry(Objective& objective, Parameter& parameter, std::size_t position)
      : objective_(objective), parameter_(parameter), position_(position), value_(parameter.value().flat(position)) {}
  ~Entry() { parameter_.mutable_value().set_flat(position_, value_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  // The derivative by central differences of fourth order.
  double derivative(double relative_step) {
    const double h = relative_step * std::max(1.0, std::abs(value_));
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  }

 private:
  double at(double offset) {
    parameter_.mutable_value().set_flat(position_, value_ + offset);
    return objective_.value();
  }

  Objective& objective_;
  Parameter& parameter_;
  std::size_t position_;
  double value_;
};

std::vector<std::int64_t> index_of(const Shape& shape, std::size_t position) {
  std::vector<std::int64_t> index(shape.rank());
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    index[axis] = static_cast<std::int64_t>(position) % shape[axis];
    position /= static_cast<std::size_t>(shape[axis]);
  }
  return index;
}

GradcheckRow check(Objective& objective, Parameter& parameter, const Array& analytic, double tolerance) {
  GradcheckRow worst{.name = parameter.name(), .index = {}, .entries = parameter.size(), .passed = true};
  std::vector<double> numeric(parameter.size());
  double largest = 0;
  for (std::size_t i = 0; i < numeric.size(); ++i) {
    numeric[i] = Entry(objective, parameter, i).derivative(1e-3);
    largest = std::max(largest, std::abs(numeric[i]));
  }
  for (std::size_t i = 0; i < numeric.size(); ++i) {
    const double a = analytic.flat(i);
    const auto error = [&](double n) {
      return std::abs(a - n) / std::max({std::abs(a), std::abs(n), 0.01 * largest, 1e-5});
    };
    // NaN compares as no improvement and no success
    for (double step : {1e-4, 1e-5}) {
      if (error(numeric[i]) <= tolerance) break;
      const double other = Entry(objective, parameter, i).derivative(step);
      if (!(error(other) >= error(numeric[i]))) numeric[i] = other;
    }
    const double e = error(numeric[i]);
    if (i > 0 && !(e > worst.relative_error || std::isnan(e))) continue;
    if (std::isnan(worst.relative_error)) continue;
    worst.index = index_of(parameter.shape(), i);
    worst.analytic = a;
    worst.numeric = numeric[i];
    worst.relative_error = e;
    worst.passed = e <= tolerance;
  }
  return worst;
}

}  // namespace

GradcheckReport gradcheck(const std::function<Var(Tape&)>& program, std::vector<Parameter> parameters,
                          const GradcheckOptions& options) {
  if (options.order != 1 && options.order != 2)
    throw Error(fmt::format("gradcheck: order {}, expected 1 or 2", options.order));
  for (const Parameter& p : parameters)
    if (p.dtype() != DType::f64)
      throw DTypeError(fmt::format("gradcheck: parameter {} is float32: differences need float64", p.name()));

  Objective objective(program, parameters, options);
  const double first = objective.value(), second = objective.value();
  if (first != second && !(std::isnan(first) && std::isnan(second)))
    throw Error(
        fmt::format("gradcheck: the program gives {} and then {} for the same parameters: make it deterministic (a "
                    "fresh generator in every call)",
                    first, second));

  const std::vector<Array> analytic = objective.gradients();
  GradcheckReport report;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    report.rows.push_back(check(objective, parameters[i], analytic[i], options.tolerance));
    report.passed &= report.rows.back().passed;
  }
  return report;
}

GradcheckReport gradcheck(const std::function<Var(std::span<const Var>)>& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options) {
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < inputs.size(); ++i) parameters.emplace_back(fmt::format("x{}", i), inputs[i]);
  const auto program = [&](Tape& tape) {
    std::vector<Var> x;
    for (const Parameter& p : parameters) x.push_back(tape.use(p));
    return function(x);
  };
  return gradcheck(program, parameters, options);
}

std::string to_string(const GradcheckReport& report) {
  std::size_t width = 9;
  for (const GradcheckRow& row : report.rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("{:<{}}  {:>7}  {:<12}  {:>14}  {:>14}  {:>9}\n", "parameter", width, "entries",
                                 "worst entry", "analytic", "numeric", "rel.error");
  for (const GradcheckRow& row : report.rows)
    text += fmt::format("{:<{}}  {:>7}  {:<12}  {:>14.7g}  {:>14.7g}  {:>9.1e}  {}\n", row.name, width, row.entries,
                        fmt::format("[{}]", fmt::join(row.index, ", ")), row.analytic, row.numeric, row.relative_error,
                        row.passed ? "ok" : "WRONG");
  return text;
}

}  // namespace unroll
