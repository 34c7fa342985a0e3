#pragma once

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/optim/optimizers.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

// What the tests of optimisers share.
namespace unroll::test {

// The optimiser that PyTorch has under this name, with PyTorch's options.
inline std::unique_ptr<Optimizer> pytorch_optimizer(const std::string& name, const nlohmann::json& o,
                                                    const std::vector<Parameter>& parameters) {
  const double rate = o.at("lr");
  if (name == "SGD")
    return std::make_unique<SGD>(parameters, SGDOptions{.learning_rate = rate,
                                                        .momentum = o.at("momentum"),
                                                        .nesterov = o.at("nesterov"),
                                                        .weight_decay = o.at("weight_decay")});
  if (name == "RMSprop")
    return std::make_unique<RMSprop>(
        parameters, RMSpropOptions{.learning_rate = rate, .decay = o.at("alpha"), .epsilon = o.at("eps")});
  if (name == "Adagrad")
    return std::make_unique<Adagrad>(parameters, AdagradOptions{.learning_rate = rate, .epsilon = o.at("eps")});
  const double beta1 = o.at("betas").at(0), beta2 = o.at("betas").at(1), epsilon = o.at("eps");
  if (name == "Adam") return std::make_unique<Adam>(parameters, AdamOptions{rate, beta1, beta2, epsilon});
  if (name == "AdamW")
    return std::make_unique<AdamW>(parameters, AdamWOptions{rate, beta1, beta2, epsilon, o.at("weight_decay")});
  throw std::invalid_argument("no optimiser " + name);
}

// Gradients of the parameters as given: those of the sum of products with them.
inline Gradients gradients_of(Tape& tape, const std::vector<Parameter>& parameters, const std::vector<Array>& values,
                              bool recorded = false) {
  tape.clear();
  Var loss = tape.scalar(0, parameters[0].dtype());
  for (std::size_t i = 0; i < parameters.size(); ++i)
    loss = loss + sum(tape.use(parameters[i]) * tape.constant(values[i]));
  return backward(loss, {.create_graph = recorded});
}

}  // namespace unroll::test
