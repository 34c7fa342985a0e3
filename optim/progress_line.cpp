#include <unroll/optim/progress_line.hpp>

#include <cmath>
#include <cstdint>
#include <string>

#include <unistd.h>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr int bar_width = 20;
constexpr std::chrono::milliseconds between_updates{100};

std::string bar(double fraction) {
  const int full = static_cast<int>(fraction * bar_width);
  return fmt::format("[{:=<{}}{:<{}}]", "", full, full < bar_width ? ">" : "", bar_width - full);
}

std::string minutes(double seconds) {
  const std::int64_t s = std::llround(seconds);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

ProgressLine::ProgressLine(std::FILE* out)
    : out_(out), terminal_(::isatty(::fileno(out)) != 0), start_(Clock::now()), next_(start_) {}

ProgressLine::~ProgressLine() {
  if (line_open_) std::fputs("\n", out_);
}

bool ProgressLine::due(double fraction) const {
  return fraction >= 1 || (terminal_ ? Clock::now() >= next_ : fraction >= next_fraction_);
}

void ProgressLine::print(double fraction, double begun, std::string_view lead, std::string_view numbers) {
  next_ = Clock::now() + between_updates;
  while (next_fraction_ <= fraction) next_fraction_ += 0.1;

  const double elapsed = seconds();
  const std::string time =
      fraction >= 1 ? minutes(elapsed) + " in all" : minutes(elapsed / (fraction - begun) * (1 - fraction)) + " left";
  // \033[K clears what a longer line left behind. What cannot be written is lost: that is no reason to end a training.
  const std::string line =
      terminal_ ? fmt::format("\r{} {:3.0f}%  {}  {}\033[K", bar(fraction), 100 * fraction, numbers, time)
                : fmt::format("{}{:3.0f}%  {}  {}\n", lead, 100 * fraction, numbers, time);
  std::fputs(line.c_str(), out_);
  std::fflush(out_);
  line_open_ = terminal_;
}

}  // namespace unroll
