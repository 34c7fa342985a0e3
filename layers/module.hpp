#pragma once

#include <unroll/core/tape/parameter.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

// Something with named parameters: a layer, or a model made of layers. It holds no state of a run; what a layer remembers from step to
// step goes in and comes out of its call. Copying a module shares its parameters.
class Module {
 public:
  // Its scope on the tape.
  const std::string& name() const { return name_; }
  // All of them, each once: what goes to an optimiser.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  // The number of trainable numbers.
  std::size_t parameter_count() const {
    std::size_t n = 0;
    for (const Parameter& p : parameters_) n += p.size();
    return n;
  }

 protected:
  // Without parameters yet.
  explicit Module(std::string name) : name_(std::move(name)) {}

  // A parameter of this module, named "module.parameter".
  Parameter add(const std::string& parameter, Array value) {
    parameters_.emplace_back(name_ + "." + parameter, std::move(value));
    return parameters_.back();
  }
  // A parameter that exists already; one that is shared between parts (tied weights) counts once.
  void add(const Parameter& parameter) {
    if (std::find(parameters_.begin(), parameters_.end(), parameter) == parameters_.end())
      parameters_.push_back(parameter);
  }
  // The parameters of a part.
  void add(const Module& part) {
    for (const Parameter& p : part.parameters()) add(p);
  }

 private:
  std::string name_;
  std::vector<Parameter> parameters_;
};

}  // namespace unroll
