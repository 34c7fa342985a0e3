// Trains an LSTM through one very long sequence with recomputation, and says how long that takes and how much memory.
//
//   unroll_bench_long [STEPS [SCHEDULE]]       SCHEDULE: all, square-root, a number k (every k steps), or rN (N stored states, binomial)

#include <unroll/core/kernels/linalg.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/unroll.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <sys/resource.h>

using namespace unroll;

namespace {

constexpr std::int64_t batch = 16, input = 8, hidden = 64;

std::optional<Recompute> schedule_of(const std::string& text) {
  if (text == "all") return std::nullopt;
  if (text == "square-root") return Recompute::square_root();
  if (text[0] == 'r') return Recompute::revolve(std::atoll(text.c_str() + 1));
  return Recompute::every(std::atoll(text.c_str()));
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int argc, char** argv) try {
  const std::int64_t steps = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const std::string text = argc > 2 ? argv[2] : "square-root";
  kernels::set_blas_threads(1);
  Generator generator(1);
  const LSTM lstm({.input = input, .hidden = hidden}, generator);
  const Linear readout({.input = hidden, .output = 1}, generator);
  // of each step, the first number is the target and the others are what the LSTM sees
  const Array data = normal({steps, batch, input + 1}, 1, generator, DType::f32);
  // what the recurrence puts out at a step is its loss, one number: the states that are not stored leave nothing behind
  const auto cell = [&](Var x, const LSTMState& before) {
    const auto [h, after] = lstm(slice(x, 1, 1, input + 1), before);
    return std::pair(mse(readout(h), slice(x, 1, 0, 1)), after);
  };
  OverTimeOptions options;
  options.recompute = schedule_of(text);
  Adam adam([&] {
    std::vector<Parameter> all = lstm.parameters();
    for (const Parameter& p : readout.parameters()) all.push_back(p);
    return all;
  }());
  Tape tape;
  std::printf("%lld steps, batch %lld, hidden %lld, schedule %s", static_cast<long long>(steps),
              static_cast<long long>(batch), static_cast<long long>(hidden), text.c_str());
  if (options.recompute)
    std::printf(": %lld steps computed again", static_cast<long long>(options.recompute->recomputed_steps(steps)));
  std::printf("\n");
  for (int update = 1; update <= 2; ++update) {
    const double begin = seconds();
    tape.clear();
    const auto run = over_time(cell, time_steps(tape.constant(data)), lstm.zero_state(tape, batch), options);
    const Var loss = mean(run.stacked());
    const double value = loss.item(), middle = seconds();
    adam.step(backward(loss));
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("update %d: loss %.6f, forward %.1f s, backward %.1f s, most memory until now %.0f MiB\n", update,
                value, middle - begin, seconds() - middle, static_cast<double>(usage.ru_maxrss) / 1024);
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "unroll_bench_long: %s\n", e.what());
  return 2;
}
