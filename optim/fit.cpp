#include <unroll/optim/fit.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/fit_save.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include <fmt/format.h>

namespace unroll {

namespace {

void require_sensible(const FitLoss& loss, const FitOptions& o) {
  const auto at_least = [](const char* option, std::int64_t value, std::int64_t least) {
    if (value < least) throw Error(fmt::format("fit: {} is {}, expected at least {}", option, value, least));
  };
  if (!loss) throw Error("fit: the loss is an empty function");
  at_least("updates", o.updates, 1);
  if (!o.save.empty()) at_least("save_every", o.save_every, 1);
  std::set<std::string> names;
  const auto unique = [&](const auto& entries) {
    for (const auto& [name, place] : entries)
      if (!names.insert(name).second)
        throw Error(
            fmt::format("fit: two things in the memory are named \"{}\": a save could not tell them apart", name));
  };
  unique(o.memory.generators);
  unique(o.memory.states);
  unique(o.memory.numbers);
  if (!(o.clip >= 0)) throw Error(fmt::format("fit: clip is {}, expected 0 (none) or a positive number", o.clip));
}

// Gives the optimiser its own learning rate back.
class KeepLearningRate {
 public:
  explicit KeepLearningRate(Optimizer& optimizer) : optimizer_(optimizer), rate_(optimizer.learning_rate()) {}
  ~KeepLearningRate() { optimizer_.learning_rate() = rate_; }
  KeepLearningRate(const KeepLearningRate&) = delete;
  KeepLearningRate& operator=(const KeepLearningRate&) = delete;

  double rate() const { return rate_; }

 private:
  Optimizer& optimizer_;
  double rate_;
};

// The parameters before a step, for the case that the step overflows.
class LastGood {
 public:
  explicit LastGood(const std::vector<Parameter>& parameters) : parameters_(parameters) {
    for (const Parameter& p : parameters) copies_.emplace_back(p.shape(), p.dtype());
  }

  void keep() {
    for (std::size_t i = 0; i < copies_.size(); ++i) copy(parameters_[i].value(), copies_[i]);
  }
  void restore_unless_finite(Optimizer& optimizer, std::int64_t update) {
    for (const Parameter& bad : parameters_) {
      const auto at = nonfinite_position(bad.value());
      if (!at) continue;
      const double value = bad.value().flat(*at);
      for (std::size_t i = 0; i < copies_.size(); ++i) copy(copies_[i], parameters_[i].mutable_value());
      throw NonFiniteError(
          fmt::format("update {}: the step of {} made an element of parameter {} {}, though its gradient was finite: "
                      "the learning rate is too large",
                      update, optimizer.rule(), bad.name(), value));
    }
  }

 private:
  static void copy(const Array& from, Array& to) {
    if (from.size() > 0) std::memcpy(to.data(), from.data(), from.size() * size_of(from.dtype()));
  }

  std::vector<Parameter> parameters_;
  std::vector<Array> copies_;
};

[[noreturn]] void fail_nonfinite(std::int64_t update, const Var& loss, double norm) {
  const auto found = first_nonfinite(loss);
  throw NonFiniteError(fmt::format(
      "update {}: {}", update,
      found ? found->message : fmt::format("the norm of all gradients is {}, though each of them is finite", norm)));
}

}  // namespace

FitResult fit(const FitLoss& record, Optimizer& optimizer, const FitOptions& o) {
  require_sensible(record, o);
  const KeepLearningRate own(optimizer);
  FitResult result;
  const auto save = [&] { detail::write_save(o, optimizer, {result.update, result.loss, result.mean_loss}); };
  if (!o.save.empty()) {
    require_writable(o.save);
    if (const auto saved = detail::read_save(o, optimizer))
      result = {FitEnd::finished, saved->update, saved->update, saved->loss, saved->mean_loss};
  }

  Tape tape;
  LastGood last_good(optimizer.parameters());
  while (result.update < o.updates) {
    if (std::any_of(o.over.begin(), o.over.end(), [](const auto& over) { return over(); })) {
      result.end = FitEnd::stopped;
      break;
    }
    const std::int64_t number = result.update + 1;
    tape.clear();
    const Var loss = record(tape, result.update);
    if (&loss.tape() != &tape)
      throw TapeError("fit: the loss was recorded on another tape than the one that was given");
    Gradients gradients = backward(loss, o.backward ? o.backward(loss, number) : BackwardOptions{});
    const double norm = o.clip > 0 ? clip_by_norm(gradients, o.clip) : gradient_norm(gradients);
    const double value = loss.item();
    if (!std::isfinite(value) || !std::isfinite(norm)) fail_nonfinite(number, loss, norm);

    if (o.schedule) {
      const double factor = o.schedule(static_cast<double>(result.update) / static_cast<double>(o.updates));
      if (!(factor >= 0 && std::isfinite(factor)))
        throw Error(fmt::format("fit: the schedule gave the factor {} before update {}", factor, number));
      optimizer.learning_rate() = own.rate() * factor;
    }
    last_good.keep();
    optimizer.step(gradients);
    last_good.restore_unless_finite(optimizer, number);

    result.mean_loss += (value - result.mean_loss) * (result.update == 0 ? 1 : 0.1);
    result.loss = value;
    result.update = number;
    const FitState state{.update = number,
                         .updates = o.updates,
                         .resumed_from = result.resumed_from,
                         .loss = value,
                         .mean_loss = result.mean_loss,
                         .gradient_norm = norm,
                         .learning_rate = optimizer.learning_rate(),
                         .tape = &tape,
                         .recorded_loss = loss,
                         .gradients = &gradients};
    bool go_on = true;
    for (const FitCallback& callback : o.callbacks) go_on = callback(state) && go_on;
    if (!go_on) result.end = FitEnd::stopped;
    if (!o.save.empty() && (!go_on || number % o.save_every == 0 || number == o.updates)) save();
    if (!go_on) break;
  }
  return result;
}

}  // namespace unroll
