// unroll_bench_flow: what it costs to watch the gradient flow while a character model trains.
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/kernels/linalg.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/flow_monitor.hpp>
#include <unroll/optim/optimizers.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "stopwatch.hpp"

namespace unroll::bench {
namespace {

struct Case {
  const char* name;
  CellKind cell;
  std::int64_t hidden, layers, batch, steps;
};

constexpr Case cases[] = {
    {"LSTM 128, batch 32, T 64", CellKind::lstm, 128, 1, 32, 64},
    {"GRU 128, batch 32, T 64", CellKind::gru, 128, 1, 32, 64},
    {"RNN 128, batch 32, T 64", CellKind::rnn, 128, 1, 32, 64},
    {"LSTM 2 x 128, batch 32, T 64", CellKind::lstm, 128, 2, 32, 64},
    {"LSTM 16, batch 4, T 16", CellKind::lstm, 16, 1, 4, 16},
};

// A text of 64 different characters without any sense: its contents cost nothing.
std::vector<std::int64_t> symbols(std::int64_t count) {
  Generator generator(1);
  std::vector<std::int64_t> text;
  for (std::int64_t i = 0; i < count; ++i) text.push_back(static_cast<std::int64_t>(generator.below(64)));
  return text;
}

Vocabulary vocabulary() {
  std::u32string characters;
  for (char32_t c = U'0'; c < U'0' + 64; ++c) characters += c;
  return Vocabulary(characters);
}

void measure(const Case& c) {
  Generator generator(1);
  const CharacterModel model({.cell = c.cell, .hidden = c.hidden, .layers = c.layers}, vocabulary(), generator);
  const TextStreams text(symbols(c.batch * (c.steps + 1) * 4), c.batch, c.steps);
  const TextWindow window = text.window(0);
  Adam adam(model.parameters());
  Tape tape;
  FlowMonitor always({.every = 1});
  const auto update = [&](FlowMonitor* monitor) {
    tape.clear();
    CharacterModel::CarriedState state = model.zero_state(text.streams());
    const Var loss = model.loss(tape, window, state);
    if (monitor) monitor->observe(loss, 0);
    Gradients gradients = backward(loss);
    clip_by_norm(gradients, 1);
    adam.step(gradients);
  };
  for (int i = 0; i < 3; ++i) update(&always);

  const std::size_t inner = repetitions(seconds_of([&] { update(nullptr); }));
  const auto repeated = [&](FlowMonitor* monitor) {
    return seconds_of([&] {
             for (std::size_t n = 0; n < inner; ++n) update(monitor);
           }) /
           static_cast<double>(inner);
  };
  std::vector<double> plain, more;
  for (int turn = 0; turn < 25; ++turn) {
    const double alone = repeated(nullptr), watched = repeated(&always);
    plain.push_back(1e3 * alone);
    more.push_back(watched / alone - 1);
  }
  const double one = median(more);
  std::printf("| %-28s | %9.3f | %13.1f %% | %12.2f %% |\n", c.name, median(plain), 100 * one,
              100 * one / static_cast<double>(FlowMonitorOptions{}.every));
}

}  // namespace
}  // namespace unroll::bench

int main() {
  using namespace unroll::bench;
  unroll::kernels::set_blas_threads(1);
  std::printf("| %-28s | update ms | a measurement | every %lld-th |\n|%s|----------:|--------------:|------------:|\n",
              "character model", static_cast<long long>(unroll::FlowMonitorOptions{}.every),
              std::string(30, '-').c_str());
  for (const Case& c : cases) measure(c);
  return 0;
}
