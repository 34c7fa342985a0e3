// unroll_bench_drawing: how long it takes to draw a network with its gradients, every operation a box, how large the file is and how much memory it takes.
//
//   unroll_bench_drawing [REPEATS]       of each drawing, whose median counts; 3 without it
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/kernels/linalg.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/stack.hpp>
#include <unroll/layers/textbook.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>

#include "stopwatch.hpp"

namespace unroll::bench {
namespace {

struct Goal {
  double seconds, megabytes;  // 0: none
};

struct Case {
  const char* name;
  std::int64_t layers, steps;
  Goal svg;
};

constexpr Case cases[] = {
    {"LSTM", 1, 100, {0.5, 0}},
    {"LSTM", 1, 1000, {3, 40}},
    {"2 LSTM", 2, 100, {0, 0}},
    {"2 LSTM", 2, 1000, {0, 0}},
};

// Textbook LSTMs, each gate with its own products, one above the other, and the loss of the last output.
Var record(Tape& tape, const Case& c) {
  Generator generator(1);
  std::vector<AnyCell> layers;
  for (std::int64_t i = 1; i <= c.layers; ++i)
    layers.push_back(textbook::LSTM({.input = 8, .hidden = 8, .name = "lstm" + std::to_string(i)}, generator));
  const Stack stack(layers);
  std::vector<Var> xs;
  for (std::int64_t t = 1; t <= c.steps; ++t) {
    const Step step(tape, t);
    xs.push_back(tape.input(normal({1, 8}, 1, generator), "x"));
  }
  return mean(square(over_time(stack, xs, stack.zero_state(tape, 1)).outputs.back())).named("L");
}

// A line of /proc/self/status, in MB: VmRSS is what is in memory now, VmHWM the most that was since the last reset.
double memory(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what + ":")) return std::strtod(line.c_str() + what.size() + 1, nullptr) * 1024 / 1e6;
  return 0;
}

// Makes the peak of memory begin anew; false where the system does not do that.
bool reset_peak() { return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush); }

struct Measured {
  double seconds = 0, megabytes = 0;
  std::optional<double> memory;  // MB beyond what was in use before
};

Measured measure(const Tape& tape, const RenderOptions& options, int repeats) {
  Measured result;
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    ::malloc_trim(0);  // what an earlier drawing gave back does not count as in use
    const double before = memory("VmRSS");
    const bool watched = reset_peak();
    seconds.push_back(seconds_of([&] { result.megabytes = static_cast<double>(render(tape, options).size()) / 1e6; }));
    if (watched) result.memory = std::max(result.memory.value_or(0), memory("VmHWM") - before);
  }
  result.seconds = median(seconds);
  return result;
}

std::string goal(double value, const char* unit) {
  if (value == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%g %s", value, unit);
  return text;
}

void print(const Case& c, const char* format, const Measured& m, const Goal& g) {
  const std::string time_goal = goal(g.seconds, "s"), size_goal = goal(g.megabytes, "MB");
  const bool met = (g.seconds == 0 || m.seconds < g.seconds) && (g.megabytes == 0 || m.megabytes < g.megabytes);
  std::printf("| %-6s | %5lld | %-6s | %7.3f | %7s | %7.2f | %7s | %7.1f | %11.1f | %-5s |\n", c.name,
              static_cast<long long>(c.steps), format, m.seconds, time_goal.c_str(), m.megabytes, size_goal.c_str(),
              m.memory.value_or(0), 1e3 * m.memory.value_or(0) / static_cast<double>(c.steps),
              g.seconds == 0 && g.megabytes == 0 ? ""
              : met                              ? "yes"
                                                 : "no");
  std::fflush(stdout);
}

}  // namespace
}  // namespace unroll::bench

int main(int argc, char** argv) try {
  using namespace unroll;
  using namespace unroll::bench;
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 3;
  if (repeats < 1) throw Error("REPEATS is a number from 1 up");
  kernels::set_blas_threads(1);
  std::printf(
      "| layers | steps | format | seconds |    goal |      MB |    goal | mem, MB | kB per step | met   |\n"
      "|--------|------:|--------|--------:|--------:|--------:|--------:|--------:|------------:|-------|\n");
  for (const Case& c : cases) {
    Tape tape;
    const Gradients gradients = backward(record(tape, c), {.keep = Keep::all, .flows = true});
    RenderOptions options{.budget = 0, .gradients = &gradients};
    print(c, "svg", measure(tape, options, repeats), c.svg);
    options.format = Format::html;
    print(c, "html", measure(tape, options, repeats), {});
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "unroll_bench_drawing: %s\n", e.what());
  return 2;
}
