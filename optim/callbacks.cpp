#include <unroll/optim/callbacks.hpp>

#include <unroll/optim/progress_line.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace unroll {

FitCallback stop_when(std::function<bool()> asked) {
  return [asked = std::move(asked)](const FitState&) { return !asked(); };
}

FitCallback stop_after(double seconds) {
  using Clock = std::chrono::steady_clock;
  return [seconds, start = Clock::now()](const FitState&) {
    return std::chrono::duration<double>(Clock::now() - start).count() < seconds;
  };
}

FitCallback progress_line(std::function<std::string(const FitState&)> numbers, std::FILE* out) {
  if (!numbers)
    numbers = [](const FitState& s) {
      return fmt::format("loss {:<9.4g} gradient {:<9.3g}", s.mean_loss, s.gradient_norm);
    };
  // callbacks are copied, the line is one
  return [line = std::make_shared<ProgressLine>(out), numbers = std::move(numbers)](const FitState& s) {
    const auto begun = static_cast<double>(s.resumed_from) / static_cast<double>(s.updates);
    if (line->due(s.fraction()))
      line->print(s.fraction(), begun, fmt::format("update {} of {}  ", s.update, s.updates), numbers(s));
    return true;
  };
}

}  // namespace unroll
