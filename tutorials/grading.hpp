#pragma once

#include "course.hpp"

#include <unroll/core/check/gradcheck.hpp>

#include <functional>
#include <string>
#include <vector>

// How exercises are graded. A grader is a list of tasks; a task is done when all its expectations hold, and the first one that does not ends it with a hint. A hint
// should fit the mistake: name what the usual wrong answers look like, and each gets a hint of its own.
//
//   int main(int argc, char** argv) {
//     Grading grading(argc, argv, "3 · One rule for each operation");
//     grading.task("the derivative of tanh", [] {
//       const double x = 0.7, y = std::tanh(x);
//       expect_equal(derivative_of_tanh(x, y), 0.634739589,
//                    {{1 - x * x, "This is 1 - x^2: the formula wants the result y."}}, "Try 1 - y^2 at x = 0, where tanh is steepest.");
//     });
//     return grading.finish();
//   }
namespace unroll::course {

// Ends a task: what is said to the reader.
struct Hint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A known wrong answer and what it means.
struct NumberMistake {
  double value;
  std::string hint;
};
struct ArrayMistake {
  Array value;
  std::string hint;
};
struct CauseMistake {
  Cause cause;  // of the gradient check's diagnosis
  std::string hint;
};

// Each throws Hint unless it holds. `otherwise` is the hint where no known mistake fits; the numbers are shown beside it.
void expect(bool holds, const std::string& hint);
void expect_equal(double got, double wanted, const std::vector<NumberMistake>& mistakes, const std::string& otherwise,
                  double relative = 1e-6);
// Shapes first, then elements. `what` names the array: "h_1".
void expect_equal(const std::string& what, const ArrayView& got, const Array& wanted,
                  const std::vector<ArrayMistake>& mistakes, const std::string& otherwise, double relative = 1e-6);
void expect_shape(const std::string& what, const ArrayView& got, const Shape& wanted, const std::string& hint);
// A report that passed; otherwise the hint for the cause that was found, or the diagnosis itself.
void expect_right(const GradcheckReport& report, const std::vector<CauseMistake>& mistakes = {});

class Grading {
 public:
  // Understands --json; `title` is the chapter's number and name.
  Grading(int argc, char** argv, std::string title);
  // Runs a task. A hole, an exception, a crash and a loop without end (30 s) count as not done, with a word on it.
  void task(const std::string& name, const std::function<void()>& work);
  // Prints what came out, for people or as {"title", "passed", "tasks": [{"name", "passed", "hint"}]}. The exit status: 0 all done, 1 not yet.
  int finish() const;

  struct Result {
    std::string name;
    bool passed;
    std::string hint;
  };

 private:
  std::string report() const;

  std::string title_;
  bool json_ = false;
  std::vector<Result> results_;
};

}  // namespace unroll::course
