// Our half of docs/coming-from-pytorch.md.

#include <unroll/unroll.hpp>

#include <cstdio>
#include <span>
#include <utility>
#include <vector>

using namespace unroll;

namespace {

//[ tensors
void tensors() {
  Tape tape;
  const Var x = tape.input(xt::xarray<float>{{1, 2}, {3, 4}}, "x");
  const Var loss = sum(x * x);
  const Gradients gradients = backward(loss);
  const auto dx = as_xarray<float>(gradients[x]);  // {{2, 4}, {6, 8}}, an xtensor view
  std::printf("%.0f %.0f\n", loss.item(), static_cast<double>(dx(1, 1)));
}
//]

//[ lstm
void lstm(const Array& xs) {  // (time, batch, 8)
  Generator generator(1);
  const LSTM layer({.input = 8, .hidden = 16}, generator);
  Tape tape;
  const auto [outputs, last] = over_time(layer, tape.constant(xs));
  const Var all = stack(outputs);  // (time, batch, 16)
  const Var h_n = last.h, c_n = last.c;
  std::printf("%d %d\n", static_cast<int>(all.shape()[0]), static_cast<int>(h_n.shape()[1] + c_n.shape()[1]));
}
//]

//[ stacked
void stacked_and_bidirectional(const Array& xs) {
  Generator generator(1);
  const LSTM first({.input = 8, .hidden = 16}, generator), second({.input = 16, .hidden = 16}, generator);
  const Stack stack({first, second}, {.dropout = 0.2});
  const GRU there({.input = 8, .hidden = 16, .reset = Reset::after}, generator),
      back({.input = 8, .hidden = 16, .reset = Reset::after}, generator);
  const Bidirectional both({{there, back}});
  Tape tape;
  const Var x = tape.constant(xs);
  over_time(stack.with_dropout(generator), x);  // model.train()
  over_time(stack, x);                          // model.eval()
  over_time(both, x, {.lengths = {5, 3, 4}});   // padded
  const std::vector<std::int64_t> lengths{5, 3, 4};
  over_time(first, pack(x, lengths), first.zero_state(tape, 3));  // packed
}
//]

//[ training
void training(const Array& xs, std::span<const std::int64_t> classes) {
  Generator generator(1);
  const LSTM layer({.input = 8, .hidden = 16}, generator);
  const Linear readout({.input = 16, .output = 4}, generator);
  std::vector<Parameter> parameters = layer.parameters();
  parameters.insert(parameters.end(), readout.parameters().begin(), readout.parameters().end());
  Adam adam(parameters, {.learning_rate = 0.01});
  Tape tape;
  for (int update = 0; update < 20; ++update) {
    tape.clear();  // the graph of before is gone
    const Var logits = readout(over_time(layer, tape.constant(xs)).outputs.back());
    const Var loss = cross_entropy(logits, classes);
    Gradients gradients = backward(loss);  // a value: nothing to zero
    clip_by_norm(gradients, 1);
    adam.step(gradients);
    if (update % 19 == 0) std::printf("update %2d, loss %.2f\n", update, loss.item());
  }
}
//]

//[ function
// torch.autograd.Function with a forward and a backward
Var scaled_tanh(Var x) {
  return custom_vjp([](Var a) { return tanh(a) * 1.7; },
                    [](Var a, Var, Var g) {
                      const Var y = tanh(a);
                      return g * 1.7 * (1 - y * y);
                    },
                    x);
}
//]

}  // namespace

int main() {
  Generator generator(1);
  const Array xs = normal({5, 3, 8}, 1, generator);
  tensors();
  lstm(xs);
  stacked_and_bidirectional(xs);
  training(xs, std::vector<std::int64_t>{0, 3, 1});
  //[ gradcheck
  // torch.autograd.gradcheck
  const auto f = [](std::span<const Var> v) { return scaled_tanh(v[0]); };
  const bool right = static_cast<bool>(gradcheck(f, {Array({3}, {0.1, -0.4, 2})}));
  //]
  return right ? 0 : 1;
}
