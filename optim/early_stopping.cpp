#include <unroll/optim/early_stopping.hpp>

#include <utility>

#include <fmt/format.h>

namespace unroll {

EarlyStopping::EarlyStopping(const std::vector<Parameter>& parameters, std::function<double()> measure,
                             const EarlyStoppingOptions& o)
    : parameters_(parameters), measure_(std::move(measure)), options_(o) {
  if (!measure_) throw Error("early stopping: the measure is an empty function");
  if (o.every < 1) throw Error(fmt::format("early stopping: every is {}, expected at least 1", o.every));
  if (o.patience < 0) throw Error(fmt::format("early stopping: patience is {}, expected at least 0", o.patience));
  if (!(o.at_least >= 0)) throw Error(fmt::format("early stopping: at_least is {}, expected at least 0", o.at_least));
}

void EarlyStopping::add_to(FitOptions& training) {
  training.callbacks.emplace_back([this](const FitState& state) { return after(state); });
  training.over.emplace_back([this] { return over(); });
  FitMemory& memory = training.memory;
  memory.numbers.emplace_back(options_.name + ": best", &best_);
  memory.numbers.emplace_back(options_.name + ": best update", &best_update_);
  memory.numbers.emplace_back(options_.name + ": waited", &waited_);
  memory.states.emplace_back(options_.name + ": best parameters", &best_parameters_);
}

bool EarlyStopping::after(const FitState& state) {
  if (state.update % options_.every == 0 || state.update == state.updates) {
    const double measured = measure_();
    if (measured < best_ - options_.at_least) {
      best_ = measured;
      best_update_ = static_cast<double>(state.update);
      waited_ = 0;
      best_parameters_.clear();
      for (const Parameter& p : parameters_) best_parameters_.push_back(p.value().copy());
    } else {
      ++waited_;
    }
  }
  return !over();
}

bool EarlyStopping::over() const { return options_.patience > 0 && waited_ >= static_cast<double>(options_.patience); }

void EarlyStopping::restore() {
  if (best_parameters_.empty()) throw Error("early stopping: nothing was measured that could be the best");
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].assign(best_parameters_[i]);
}

}  // namespace unroll
