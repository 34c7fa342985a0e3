#include "ours.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace unroll::bench {
namespace {

Array array(const std::vector<float>& values, const Shape& shape) { return {shape, std::span(values)}; }

LSTM make_lstm(const Problem& problem) {
  Generator generator(1);
  LSTM lstm({.input = static_cast<std::int64_t>(problem.size.input),
             .hidden = static_cast<std::int64_t>(problem.size.hidden)},
            generator);
  lstm.W_x.assign(array(problem.w_x, lstm.W_x.shape()));
  lstm.W_h.assign(array(problem.w_h, lstm.W_h.shape()));
  lstm.b.assign(array(problem.b, lstm.b.shape()));
  return lstm;
}

Array over_time_and_batch(const std::vector<float>& values, const Size& size, std::size_t features) {
  return array(values, {static_cast<std::int64_t>(size.steps), static_cast<std::int64_t>(size.batch),
                        static_cast<std::int64_t>(features)});
}

class Ours final : public Contestant {
 public:
  explicit Ours(const Problem& problem)
      : lstm_(make_lstm(problem)),
        x_(over_time_and_batch(problem.x, problem.size, problem.size.input)),
        target_(over_time_and_batch(problem.target, problem.size, problem.size.hidden)) {}

  void step() override {
    gradients_.reset();  // gives its memory back to the tape
    tape_.clear();
    const auto sequence = over_time(lstm_, tape_.constant(x_));
    loss_ = mse(sequence.stacked(), tape_.constant(target_));
    gradients_ = backward(loss_);
  }

  Answer answer() override {
    return {loss_.item(), gradients_->norm(lstm_.W_x), gradients_->norm(lstm_.W_h), gradients_->norm(lstm_.b)};
  }

 private:
  Tape tape_;
  LSTM lstm_;
  Array x_, target_;
  Var loss_;
  std::optional<Gradients> gradients_;
};

}  // namespace

std::unique_ptr<Contestant> make_ours(const Problem& problem) { return std::make_unique<Ours>(problem); }

}  // namespace unroll::bench
