#include "peer_libtorch.hpp"

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace unroll::bench {
namespace {

torch::Tensor tensor(const std::vector<float>& values, at::IntArrayRef shape) {
  return torch::tensor(at::ArrayRef<float>(values)).view(shape).clone();
}

torch::Tensor weight(const std::vector<float>& values, at::IntArrayRef shape) {
  return tensor(values, shape).requires_grad_(true);
}

// Lets the next backward pass hand over fresh gradients: cheaper than zeroing and adding.
void forget_gradients(std::vector<torch::Tensor>& weights) {
  for (torch::Tensor& w : weights) w.mutable_grad().reset();
}

Answer found(const torch::Tensor& loss, const std::vector<torch::Tensor>& weights) {
  const auto norm = [](const torch::Tensor& w) { return w.grad().norm().item<double>(); };
  return {loss.item<double>(), norm(weights[0]), norm(weights[1]), norm(weights[2])};
}

struct Shape {
  std::int64_t batch, input, hidden, steps;
  explicit Shape(const Size& size)
      : batch(static_cast<std::int64_t>(size.batch)),
        input(static_cast<std::int64_t>(size.input)),
        hidden(static_cast<std::int64_t>(size.hidden)),
        steps(static_cast<std::int64_t>(size.steps)) {}
};

class Lstm final : public Contestant {
 public:
  explicit Lstm(const Problem& problem)
      : shape_(problem.size),
        x_(tensor(problem.x, {shape_.steps, shape_.batch, shape_.input})),
        target_(tensor(problem.target, {shape_.steps, shape_.batch, shape_.hidden})),
        lstm_(shape_.input, shape_.hidden),
        weights_(lstm_->parameters()) {  // W_x, W_h, b_x, b_h
    at::set_num_threads(1);
    const torch::NoGradGuard no_grad;
    weights_[0].copy_(tensor(problem.w_x, {shape_.input, 4 * shape_.hidden}).t());
    weights_[1].copy_(tensor(problem.w_h, {shape_.hidden, 4 * shape_.hidden}).t());
    weights_[2].copy_(tensor(problem.b, {4 * shape_.hidden}));
    weights_[3].zero_();
  }

  void step() override {
    forget_gradients(weights_);
    const torch::Tensor h = std::get<0>(lstm_->forward(x_));
    loss_ = torch::mse_loss(h, target_);
    loss_.backward();
  }

  Answer answer() override { return found(loss_, weights_); }

 private:
  Shape shape_;
  torch::Tensor x_, target_, loss_;
  torch::nn::LSTM lstm_;
  std::vector<torch::Tensor> weights_;
};

class Composed final : public Contestant {
 public:
  explicit Composed(const Problem& problem)
      : shape_(problem.size),
        x_(tensor(problem.x, {shape_.steps, shape_.batch, shape_.input}).unbind()),
        target_(tensor(problem.target, {shape_.steps, shape_.batch, shape_.hidden})),
        weights_{weight(problem.w_x, {shape_.input, 4 * shape_.hidden}),
                 weight(problem.w_h, {shape_.hidden, 4 * shape_.hidden}), weight(problem.b, {4 * shape_.hidden})} {
    at::set_num_threads(1);
  }

  void step() override {
    forget_gradients(weights_);
    const torch::Tensor &w_x = weights_[0], &w_h = weights_[1], &b = weights_[2];
    torch::Tensor h = torch::zeros({shape_.batch, shape_.hidden});
    torch::Tensor c = torch::zeros({shape_.batch, shape_.hidden});
    std::vector<torch::Tensor> outputs;
    outputs.reserve(x_.size());
    for (const torch::Tensor& x : x_) {
      const torch::Tensor z = torch::addmm(torch::addmm(b, x, w_x), h, w_h);
      const std::vector<torch::Tensor> gates = z.chunk(4, 1);
      const torch::Tensor i = torch::sigmoid(gates[0]);
      const torch::Tensor f = torch::sigmoid(gates[1]);
      const torch::Tensor g = torch::tanh(gates[2]);
      const torch::Tensor o = torch::sigmoid(gates[3]);
      c = f * c + i * g;
      h = o * torch::tanh(c);
      outputs.push_back(h);
    }
    loss_ = torch::mse_loss(torch::stack(outputs), target_);
    loss_.backward();
  }

  Answer answer() override { return found(loss_, weights_); }

 private:
  Shape shape_;
  std::vector<torch::Tensor> x_;
  torch::Tensor target_, loss_;
  std::vector<torch::Tensor> weights_;  // W_x, W_h, b
};

}  // namespace

std::string libtorch_version() { return "LibTorch " TORCH_VERSION; }

std::unique_ptr<Contestant> make_libtorch_lstm(const Problem& problem) { return std::make_unique<Lstm>(problem); }

std::unique_ptr<Contestant> make_libtorch_composed(const Problem& problem) {
  return std::make_unique<Composed>(problem);
}

}  // namespace unroll::bench
