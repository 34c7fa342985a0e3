#pragma once

#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace unroll::test {

// A folder of a test's own, gone with it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / (name + "-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& file) const { return path_ / file; }

 private:
  std::filesystem::path path_;
};

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const std::vector<Parameter>&)>;
inline std::unique_ptr<Optimizer> make_adam(const std::vector<Parameter>& parameters) {
  return std::make_unique<Adam>(parameters, AdamOptions{.learning_rate = 0.05});
}

// All that a training can remember, in small: an LSTM whose state runs on from update to update, dropout, and data from a generator.
class SmallTask {
 public:
  explicit SmallTask(std::uint64_t seed, const MakeOptimizer& make = make_adam, std::int64_t hidden = 4)
      : generator(seed),
        data(seed + 100),
        lstm({.input = 2, .hidden = hidden}, generator),
        readout({.input = hidden, .output = 1, .name = "readout"}, generator),
        optimizer(make(parameters())) {}

  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all = lstm.parameters();
    all.insert(all.end(), readout.parameters().begin(), readout.parameters().end());
    return all;
  }

  Var loss(Tape& tape) {
    Array xs({3, 2, 2}), ys({2, 1});
    for (std::size_t i = 0; i < xs.size(); ++i) xs.set_flat(i, data.uniform(-1, 1));
    for (std::size_t i = 0; i < ys.size(); ++i) ys.set_flat(i, data.uniform(-1, 1));
    LSTMState state = lstm.zero_state(tape, 2);
    if (!carried_state.empty()) state = resumed(state, carried_state);
    const auto sequence = over_time(lstm, time_steps(tape.constant(xs)), state);
    carried_state = carried(sequence.state);
    const Var h = dropout(sequence.state.h, 0.25, generator);
    return mean(square(readout(h) - tape.constant(ys)));
  }

  FitResult train(FitOptions options) {
    if (options.updates == 0) options.updates = 12;
    options.memory.generators.emplace_back("dropout", &generator);
    options.memory.generators.emplace_back("data", &data);
    options.memory.states.emplace_back("lstm", &carried_state);
    return fit([this](Tape& tape, std::int64_t) { return loss(tape); }, *optimizer, options);
  }

  // Everything that may differ between two trainings, to the bit.
  std::string bits() const {
    std::string all;
    const auto add = [&](const Array& a) {
      all.append(static_cast<const char*>(a.data()), a.size() * size_of(a.dtype()));
    };
    for (const Parameter& p : parameters()) add(p.value());
    for (const auto& [name, arrays] : optimizer->memory())
      for (const Array& a : *arrays) add(a);
    for (const Array& a : carried_state) add(a);
    return all + generator.text() + data.text();
  }

  Generator generator, data;
  LSTM lstm;
  Linear readout;
  std::unique_ptr<Optimizer> optimizer;
  CarriedState carried_state;
};

}  // namespace unroll::test
