#pragma once

#include <unroll/optim/optimizer.hpp>

// The update rules, element by element: w is a parameter, d its gradient. They agree with PyTorch's where PyTorch has them.
namespace unroll {

// The numbers in the rule of SGD.
struct SGDOptions {
  double learning_rate = 0.01;  // how far a step goes
  double momentum = 0;          // how much of the last step goes on
  bool nesterov = false;        // looks ahead along the momentum
  double weight_decay = 0;      // how much of w itself is in d
};

// d += weight_decay * w;  v = momentum * v + d (v = d at first);  w -= learning_rate * (v, or d + momentum * v with nesterov). (Polyak
// 1964; Nesterov 1983 in the form of Sutskever et al. 2013.)
class SGD : public Optimizer {
 public:
  // For these parameters. A parameter that is listed more than once is updated once.
  explicit SGD(const std::vector<Parameter>& parameters, const SGDOptions& options = {});
  SGDOptions options;  // may be changed between steps

  std::string_view rule() const override { return "SGD"; }
  double& learning_rate() override { return options.learning_rate; }
  std::vector<Memory> memory() override;

 private:
  void update(std::size_t i, Array& value, const Array& gradient) override;
  std::vector<Array> velocity_;
};

// The numbers in the rule of RMSprop.
struct RMSpropOptions {
  double learning_rate = 0.01;  // how far a step goes
  double decay = 0.99;          // how much of s stays
  double epsilon = 1e-8;        // so that nothing is divided by 0
};

// s = decay * s + (1 - decay) * d^2;  w -= learning_rate * d / (sqrt(s) + epsilon). (Tieleman and Hinton 2012.)
class RMSprop : public Optimizer {
 public:
  // For these parameters. A parameter that is listed more than once is updated once.
  explicit RMSprop(const std::vector<Parameter>& parameters, const RMSpropOptions& options = {});
  RMSpropOptions options;  // may be changed between steps

  std::string_view rule() const override { return "RMSprop"; }
  double& learning_rate() override { return options.learning_rate; }
  std::vector<Memory> memory() override { return {{"mean square", &mean_square_}}; }

 private:
  void update(std::size_t i, Array& value, const Array& gradient) override;
  std::vector<Array> mean_square_;
};

// The numbers in the rule of Adagrad.
struct AdagradOptions {
  double learning_rate = 0.01;  // how far a step goes
  double epsilon = 1e-10;       // so that nothing is divided by 0
};

// s += d^2;  w -= learning_rate * d / (sqrt(s) + epsilon). (Duchi, Hazan and Singer 2011.)
class Adagrad : public Optimizer {
 public:
  // For these parameters. A parameter that is listed more than once is updated once.
  explicit Adagrad(const std::vector<Parameter>& parameters, const AdagradOptions& options = {});
  AdagradOptions options;  // may be changed between steps

  std::string_view rule() const override { return "Adagrad"; }
  double& learning_rate() override { return options.learning_rate; }
  std::vector<Memory> memory() override { return {{"sum of squares", &sum_}}; }

 private:
  void update(std::size_t i, Array& value, const Array& gradient) override;
  std::vector<Array> sum_;
};

// The numbers in the rule of Adam.
struct AdamOptions {
  double learning_rate = 0.001;       // how far a step goes
  double beta1 = 0.9, beta2 = 0.999;  // how much of m and of v stays
  double epsilon = 1e-8;              // so that nothing is divided by 0
};

// m = beta1 * m + (1 - beta1) * d;  v = beta2 * v + (1 - beta2) * d^2; both divided by 1 - beta^t;
// w -= learning_rate * m / (sqrt(v) + epsilon). (Kingma and Ba 2015.)
class Adam : public Optimizer {
 public:
  // For these parameters. A parameter that is listed more than once is updated once.
  explicit Adam(const std::vector<Parameter>& parameters, const AdamOptions& options = {});
  AdamOptions options;  // may be changed between steps

  std::string_view rule() const override { return "Adam"; }
  double& learning_rate() override { return options.learning_rate; }
  std::vector<Memory> memory() override {
    return {{"mean", &mean_}, {"mean square", &mean_square_}, {"steps", &steps_}};
  }

 protected:
  void update(std::size_t i, Array& value, const Array& gradient) override;

 private:
  std::vector<Array> mean_, mean_square_;
  std::vector<Array> steps_;  // of each parameter, a float64: one without a gradient does not count
};

// The numbers in the rule of AdamW.
struct AdamWOptions {
  double learning_rate = 0.001;       // how far a step goes
  double beta1 = 0.9, beta2 = 0.999;  // how much of m and of v stays
  double epsilon = 1e-8;              // so that nothing is divided by 0
  double weight_decay = 0.01;         // how much of w goes at a step, times the learning rate
};

// Adam, after w -= learning_rate * weight_decay * w (Loshchilov and Hutter 2019).
class AdamW : public Adam {
 public:
  // For these parameters. A parameter that is listed more than once is updated once.
  explicit AdamW(const std::vector<Parameter>& parameters, const AdamWOptions& o = {})
      : Adam(parameters, {o.learning_rate, o.beta1, o.beta2, o.epsilon}), weight_decay_(o.weight_decay) {}

  std::string_view rule() const override { return "AdamW"; }

 private:
  void update(std::size_t i, Array& value, const Array& gradient) override;
  double weight_decay_;
};

}  // namespace unroll
