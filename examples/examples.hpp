#pragma once

#include <unroll/core/tape/tape.hpp>
#include <unroll/optim/fit.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// A small, complete program for each task shape: how many inputs come in, how many outputs go out, and when. Each stands in one file that can be read from top to
// bottom (data, model, loss, training, score), and is run by `unroll example NAME`.
namespace unroll::examples {

struct RunOptions {
  std::uint64_t seed = 1;
  std::int64_t updates = 1;                 // of the parameters, at least 1; Example::updates is how many it needs
  std::vector<FitCallback> callbacks = {};  // for fit: progress, early stop
};

// What the task costs without learning it, measured on the same held-out items as the score.
struct Baseline {
  std::string name;  // "always the most frequent class"
  double score = 0;
};

// What an example has learned.
struct Outcome {
  std::string score_name;  // what is measured, and on what: "accuracy on 360 held-out digits"
  double score = 0;
  bool higher_is_better = true;  // an accuracy; false for an error
  std::vector<Baseline> baselines;
  std::int64_t parameters = 0;  // trained numbers
  std::string shown;            // some held-out items and the answers, to be read: lines of text
  // Records the trained network on a short item and gives the loss: the drawing is of this tape.
  std::function<Var(Tape&)> picture;
};

struct Example {
  std::string_view name;   // as it is called for: "digit"
  std::string_view shape;  // "one-to-one"
  std::string_view task;   // one line: what goes in and what comes out
  std::int64_t updates;    // that it needs
  Outcome (*run)(const RunOptions& options);
};

// In the order in which they are best read.
std::span<const Example> all();

// Throws Error, which lists the names, if there is none of this name.
const Example& find(std::string_view name);

// ---- one file each

Outcome digit(const RunOptions& options);
Outcome caption(const RunOptions& options);
Outcome sentiment(const RunOptions& options);
Outcome translate(const RunOptions& options);
Outcome next_character(const RunOptions& options);
Outcome series(const RunOptions& options);
Outcome video(const RunOptions& options);

}  // namespace unroll::examples
