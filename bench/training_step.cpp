// unroll_bench_step: the training step of every contestant, as a multiple of the floor.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "floor.hpp"
#include "machine.hpp"
#include "options.hpp"
#include "ours.hpp"
#include "peer_libtorch.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

// OpenBLAS has this function and other implementations do not; null then.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace unroll::bench {
namespace {

struct Entry {
  const char* label;
  std::unique_ptr<Contestant> (*make)(const Problem&);
};

// The floor stands first: the others are divided by it.
constexpr Entry entries[] = {
    {"floor", make_floor},
    {"unroll, eager", make_ours},
    {"LibTorch nn.LSTM", make_libtorch_lstm},
    {"LibTorch composed", make_libtorch_composed},
};
constexpr std::size_t entry_count = std::size(entries);

// Of one size: the floor's milliseconds, then each other contestant as a multiple of it.
struct Column {
  std::array<double, entry_count> figure{};  // 0 for a contestant that is absent
};

bool agree(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), 1e-12); }

// A ratio means something only between contestants that did the same work.
void require_same_answer(const Answer& a, const Answer& b, const char* who) {
  if (agree(a.loss, b.loss) && agree(a.norm_dw_x, b.norm_dw_x) && agree(a.norm_dw_h, b.norm_dw_h) &&
      agree(a.norm_db, b.norm_db))
    return;
  char text[400];
  std::snprintf(text, sizeof text,
                "%s found another answer: loss %.6g and %.6g, |dW_x| %.6g and %.6g, "
                "|dW_h| %.6g and %.6g, |db| %.6g and %.6g",
                who, a.loss, b.loss, a.norm_dw_x, b.norm_dw_x, a.norm_dw_h, b.norm_dw_h, a.norm_db, b.norm_db);
  throw std::runtime_error(text);
}

Column measure(const Size& size, std::size_t repeats) {
  const Problem problem = make_problem(size);
  std::array<std::unique_ptr<Contestant>, entry_count> contestants;
  std::array<std::size_t, entry_count> inner{};
  std::unique_ptr<Answer> expected;
  for (std::size_t k = 0; k < entry_count; ++k) {
    contestants[k] = entries[k].make(problem);
    if (!contestants[k]) continue;
    contestants[k]->step();  // the first step allocates
    inner[k] = repetitions(seconds_of([&] { contestants[k]->step(); }));
    if (k == 0) continue;
    const Answer answer = contestants[k]->answer();
    if (expected)
      require_same_answer(*expected, answer, entries[k].label);
    else
      expected = std::make_unique<Answer>(answer);
  }

  std::array<std::vector<double>, entry_count> samples;
  for (std::size_t turn = 0; turn < repeats; ++turn) {
    double floor = 0;
    for (std::size_t k = 0; k < entry_count; ++k) {
      if (!contestants[k]) continue;
      const double seconds = seconds_of([&] {
                               for (std::size_t n = 0; n < inner[k]; ++n) contestants[k]->step();
                             }) /
                             static_cast<double>(inner[k]);
      if (k == 0) floor = seconds;
      samples[k].push_back(k == 0 ? 1e3 * seconds : seconds / floor);
    }
  }

  Column column;
  for (std::size_t k = 0; k < entry_count; ++k)
    if (contestants[k]) column.figure[k] = median(samples[k]);
  return column;
}

// Markdown, so that README.md can show what was printed.
void print(const std::vector<Size>& sizes, const std::vector<Column>& columns) {
  std::printf("%s\n\n| %-26s |", machine().c_str(), "LSTM training step");
  for (const Size& size : sizes) std::printf(" %8s |", std::string(size.name).c_str());
  std::printf("\n|%s|", std::string(28, '-').c_str());
  for (std::size_t k = 0; k < sizes.size(); ++k) std::printf("%s:|", std::string(9, '-').c_str());
  for (std::size_t k = 0; k < entry_count; ++k) {
    std::printf("\n| %-26s |", (std::string(entries[k].label) + (k == 0 ? ", ms" : " / floor")).c_str());
    for (const Column& column : columns) {
      if (column.figure[k] == 0)
        std::printf(" %8s |", "-");
      else
        std::printf(k == 0 ? " %8.4f |" : " %8.2f |", column.figure[k]);
    }
  }
  std::printf("\n");
}

void run(const Options& options) {
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  std::vector<Column> columns;
  for (const Size& size : options.sizes) {
    std::fprintf(stderr, "%s (batch %zu, input %zu, hidden %zu, steps %zu) ...\n", std::string(size.name).c_str(),
                 size.batch, size.input, size.hidden, size.steps);
    columns.push_back(measure(size, options.repeats));
  }
  print(options.sizes, columns);
}

}  // namespace
}  // namespace unroll::bench

int main(int argc, char** argv) {
  using namespace unroll::bench;
  Options options;
  try {
    options = parse({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unroll_bench_step: %s\n", error.what());
    return 2;
  }
  try {
    run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unroll_bench_step: %s\n", error.what());
    return 1;
  }
  return 0;
}
