#pragma once

#include <unroll/optim/fit.hpp>

#include <functional>
#include <limits>
#include <string>

namespace unroll {

// When training ends early.
struct EarlyStoppingOptions {
  std::int64_t every = 100;  // updates between two measurements; the last update is measured as well
  std::int64_t patience =
      5;                // measurements without a better one, after which training ends; 0: never, only the best is kept
  double at_least = 0;  // by so much a measurement must be better to count
  std::string name = "early stopping";  // of what it remembers, in a save
};

// Measures something held out (the smaller, the better) every so many updates, keeps the parameters of the best measurement, and ends the training when no
// better one has come for a while (Morgan and Bourlard 1990; Prechelt 1998).
//
//   EarlyStopping early(model.parameters(), [&] { return held_out_loss(model); }, {.every = 50, .patience = 4});
//   early.add_to(options);
//   fit(loss, adam, options);
//   early.restore();
class EarlyStopping {
 public:
  // Throws Error for options that make no sense.
  EarlyStopping(const std::vector<Parameter>& parameters, std::function<double()> measure,
                const EarlyStoppingOptions& options = {});
  EarlyStopping(const EarlyStopping&) = delete;
  EarlyStopping& operator=(const EarlyStopping&) = delete;

  // Makes it a callback of a training, which also saves what it remembers. It must outlive the training.
  void add_to(FitOptions& training);

  // Infinity before the first measurement. NaN is never the best.
  double best() const { return best_; }
  // After which update; 0 before the first measurement.
  std::int64_t best_update() const { return static_cast<std::int64_t>(best_update_); }

  // Puts the best parameters back. Throws Error if there was no measurement.
  void restore();

 private:
  bool over() const;
  bool after(const FitState& state);

  std::vector<Parameter> parameters_;
  std::function<double()> measure_;
  EarlyStoppingOptions options_;
  // a double each, as a save keeps them
  double best_ = std::numeric_limits<double>::infinity(), best_update_ = 0, waited_ = 0;
  CarriedState best_parameters_;
};

}  // namespace unroll
