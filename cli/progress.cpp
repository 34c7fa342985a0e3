#include <unroll/cli/progress.hpp>

#include <cstdio>

#include <unistd.h>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

constexpr int bar_width = 20;
constexpr std::chrono::milliseconds between_updates{100};

std::string bar(double fraction) {
  const int full = static_cast<int>(fraction * bar_width);
  return fmt::format("[{:=<{}}{:<{}}]", "", full, full < bar_width ? ">" : "", bar_width - full);
}

std::string minutes(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) != 0), start_(Clock::now()), next_(start_) {}

Progress::~Progress() {
  if (line_open_) fmt::print(stderr, "\n");
}

void Progress::show(const TrainingState& s) {
  const Clock::time_point now = Clock::now();
  const bool last = s.fraction >= 1;
  if (!last && (terminal_ ? now < next_ : s.fraction < next_fraction_)) return;
  next_ = now + between_updates;
  while (next_fraction_ <= s.fraction) next_fraction_ += 0.1;

  const double elapsed = seconds();
  const double rate = elapsed > 0 ? s.characters / elapsed : 0;
  const std::string numbers =
      fmt::format("{:.2f} bits/char  gradient {:<5.2f}  {:.0f} char/s  {} {}", s.bits_per_character, s.gradient_norm,
                  rate, minutes(last ? elapsed : elapsed / s.fraction - elapsed), last ? "in all" : "left");
  // \033[K clears what a longer line left behind
  if (terminal_)
    fmt::print(stderr, "\r{} {:3.0f}%  {}\033[K", bar(s.fraction), 100 * s.fraction, numbers);
  else
    fmt::print(stderr, "epoch {:>3} of {}  {:3.0f}%  {}\n", s.epoch, s.epochs, 100 * s.fraction, numbers);
  std::fflush(stderr);
  line_open_ = terminal_;
}

}  // namespace unroll::cli
