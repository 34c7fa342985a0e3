// Our half of docs/coming-from-keras.md.

#include <unroll/unroll.hpp>

#include <cstdio>
#include <utility>
#include <vector>

using namespace unroll;

namespace {

//[ model
// A network for sequences, as Sequential() makes one: a cell, a readout, and what they have to learn.
struct Model {
  LSTM lstm;
  Linear dense;

  explicit Model(Generator& generator)
      : lstm({.input = 1, .hidden = 10}, generator), dense({.input = 10, .output = 1}, generator) {}

  Var operator()(Var xs) const { return dense(over_time(lstm, xs).outputs.back()); }  // return_sequences=False
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all = lstm.parameters();
    all.insert(all.end(), dense.parameters().begin(), dense.parameters().end());
    return all;
  }
};
//]

//[ data
// Three numbers in, their sum out: xs (3, 64, 1), sums (64, 1).
std::pair<Array, Array> batch(Generator& generator) {
  Array xs({3, 64, 1}), sums({64, 1});
  for (std::size_t i = 0; i < xs.size(); ++i) {
    xs.set_flat(i, generator.uniform(-1, 1));
    sums.set_flat(i % 64, sums.flat(i % 64) + xs.flat(i));
  }
  return {xs, sums};
}
//]

}  // namespace

int main() {
  Generator weights(1), data(2);
  const Model model(weights);
  //[ summary
  std::size_t count = 0;
  for (const Parameter& p : model.lstm.parameters()) count += p.value().size();
  std::printf("the LSTM has %d parameters\n", static_cast<int>(count));
  //]

  //[ fit
  const auto loss = [&](Tape& tape, std::int64_t) {
    const auto [xs, sums] = batch(data);
    return mse(model(tape.constant(xs)), tape.constant(sums));
  };
  Adam adam(model.parameters(), {.learning_rate = 0.01});
  const FitResult result = fit(loss, adam, {.updates = 300, .clip = 1, .callbacks = {stop_after(60)}});
  //]

  //[ predict
  Tape tape;
  const Var answer = model(tape.constant(Array({3, 1, 1}, {0.2, -0.5, 0.6}, DType::f32)));  // (time, batch, feature)
  std::printf("0.2 - 0.5 + 0.6 is about %.1f, after %d updates\n", answer.item(), static_cast<int>(result.update));
  //]
  return count == 480 ? 0 : 1;
}
