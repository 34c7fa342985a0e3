#include "grading.hpp"

#include "hole.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <string_view>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unroll::course {

namespace {

constexpr unsigned time_limit = 30;  // seconds for a task

// What is printed if the next task does not come back: written before it runs, because a signal handler may only pass on what is there.
struct LastWords {
  std::string crash, endless;
};
LastWords last_words;

extern "C" void say_last_words(int signal) {
  const std::string& words = signal == SIGALRM ? last_words.endless : last_words.crash;
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, words.data(), words.size());
  ::_exit(1);
}

// Equal to rounding, at the size of what they are compared with.
bool near(double got, double wanted, double scale, double relative) {
  if (std::isnan(got) || std::isnan(wanted)) return std::isnan(got) && std::isnan(wanted);
  return got == wanted || std::abs(got - wanted) <= relative * scale;
}

bool near(double got, double wanted, double relative) { return near(got, wanted, std::abs(wanted), relative); }

double largest(const ArrayView& a) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a.flat(i)));
  return result;
}

// The first element that differs, by its index in row-major order; the size if none does. Shapes are equal.
std::size_t first_difference(const ArrayView& got, const ArrayView& wanted, double relative) {
  const double scale = largest(wanted);
  std::size_t i = 0;
  while (i < got.size() && near(got.flat(i), wanted.flat(i), scale, relative)) ++i;
  return i;
}

bool near(const ArrayView& got, const ArrayView& wanted, double relative) {
  return got.shape == wanted.shape && first_difference(got, wanted, relative) == got.size();
}

std::string with_indent(const std::string& text, const std::string& indent) {
  std::string result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result += (result.empty() ? "" : "\n" + indent) + line;
  return result;
}

}  // namespace

void expect(bool holds, const std::string& hint) {
  if (!holds) throw Hint(hint);
}

void expect_equal(double got, double wanted, const std::vector<NumberMistake>& mistakes, const std::string& otherwise,
                  double relative) {
  if (near(got, wanted, relative)) return;
  for (const NumberMistake& mistake : mistakes)
    if (near(got, mistake.value, relative)) throw Hint(mistake.hint);
  throw Hint(fmt::format("{}\nIt is {:.7g} and should be {:.7g}.", otherwise, got, wanted));
}

void expect_shape(const std::string& what, const ArrayView& got, const Shape& wanted, const std::string& hint) {
  if (got.shape != wanted)
    throw Hint(
        fmt::format("{}\n{} has shape {} and should have {}.", hint, what, to_string(got.shape), to_string(wanted)));
}

void expect_equal(const std::string& what, const ArrayView& got, const Array& wanted,
                  const std::vector<ArrayMistake>& mistakes, const std::string& otherwise, double relative) {
  if (near(got, wanted, relative)) return;
  for (const ArrayMistake& mistake : mistakes)
    if (near(got, mistake.value, relative)) throw Hint(mistake.hint);
  expect_shape(what, got, wanted.shape(), otherwise);
  const std::size_t i = first_difference(got, wanted, relative);
  throw Hint(fmt::format("{}\nElement {} of {} (in row-major order, from 0) is {:.7g} and should be {:.7g}.", otherwise,
                         i, what, got.flat(i), wanted.flat(i)));
}

void expect_right(const GradcheckReport& report, const std::vector<CauseMistake>& mistakes) {
  if (report.passed) return;
  if (report.diagnosis) {
    for (const CauseMistake& mistake : mistakes)
      if (report.diagnosis->cause == mistake.cause)
        throw Hint(fmt::format("{}\nThe gradient check says: {}", mistake.hint, report.diagnosis->summary));
    throw Hint("The gradient check says: " + report.diagnosis->summary);
  }
  throw Hint("The gradient check says:\n" + to_string(report));
}

Grading::Grading(int argc, char** argv, std::string title) : title_(std::move(title)) {
  for (int i = 1; i < argc; ++i) json_ = json_ || std::string_view(argv[i]) == "--json";
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) std::signal(signal, say_last_words);
}

void Grading::task(const std::string& name, const std::function<void()>& work) {
  Result result{name, false, ""};
  const auto said_if = [&](const std::string& hint) {
    results_.push_back({name, false, hint});
    std::string text = report();
    results_.pop_back();
    return text;
  };
  last_words.crash =
      said_if("The program crashed here: memory was read or written that is not its own, or it gave up.");
  last_words.endless = said_if(fmt::format("No answer after {} s: is there a loop that never ends?", time_limit));
  ::alarm(time_limit);
  try {
    work();
    result.passed = true;
  } catch (const Hint& hint) { result.hint = hint.what(); } catch (const Hole& hole) {
    result.hint = fmt::format("Still missing: {}.", hole.what());
  } catch (const std::exception& error) {
    result.hint = fmt::format("Your code stopped with an error: {}", error.what());
  }
  ::alarm(0);
  results_.push_back(std::move(result));
}

std::string Grading::report() const {
  const auto is_done = [](const Result& result) { return result.passed; };
  const auto done = std::count_if(results_.begin(), results_.end(), is_done);
  const bool passed = done == std::ssize(results_);
  if (json_) {
    nlohmann::ordered_json tasks = nlohmann::ordered_json::array();
    for (const Result& result : results_)
      tasks.push_back({{"name", result.name}, {"passed", result.passed}, {"hint", result.hint}});
    return nlohmann::ordered_json{{"title", title_}, {"passed", passed}, {"tasks", tasks}}.dump() + "\n";
  }
  std::string text = fmt::format("Exercises of chapter {}\n\n", title_);
  for (const Result& result : results_) {
    text += fmt::format("  {}  {}\n", result.passed ? "done   " : "not yet", result.name);
    if (!result.passed) text += fmt::format("           {}\n", with_indent(result.hint, "           "));
  }
  return text + fmt::format("\n{} of {} tasks are done.\n", done, results_.size());
}

int Grading::finish() const {
  std::fputs(report().c_str(), stdout);
  const bool passed = std::all_of(results_.begin(), results_.end(), [](const Result& result) { return result.passed; });
  return passed && std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace unroll::course
