#include <unroll/optim/fit.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/fit_save.hpp>

#include <cmath>

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
  while (result.update < o.updates) {
    const std::int64_t number = result.update + 1;
    tape.clear();
    const Var loss = record(tape, result.update);
    if (&loss.tape() != &tape)
      throw TapeError("fit: the loss was recorded on another tape than the one that was given");
    Gradients gradients = backward(loss, o.backward ? o.backward(loss, number) : BackwardOptions{});
    const double norm = o.clip > 0 ? clip_by_norm(gradients, o.clip) : gradient_norm(gradients);
    const double value = loss.item();
    if (!std::isfinite(value) || !std::isfinite(norm)) fail_nonfinite(number, loss, norm);

    if (o.schedule)
      optimizer.learning_rate() =
          own.rate() * o.schedule(static_cast<double>(result.update) / static_cast<double>(o.updates));
    optimizer.step(gradients);

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
