#pragma once

#include <unroll/core/render/gnuplot.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::reproduce {

// One number: as published, and as it came out here.
struct Row {
  std::string what;
  std::optional<double> published;  // none: the paper has no such number, and the row is for comparison
  std::optional<double> here;       // none: not reached
  std::optional<bool> reproduced;   // by the criterion of the report; none where nothing is published
  std::string note = {};            // how sure it is: trials, spread, standard error
};

// What a reproduction has to say.
struct Report {
  std::string name, title, source;
  std::vector<std::string> setting;  // what was run, in sentences
  std::string criterion;             // when a row counts as reproduced
  std::vector<Row> rows = {};
  std::optional<Plot> plot = {};

  // No row says that its number was not reproduced.
  bool reproduced() const;
};

// Told what is being done and how far all of it is (0 to 1).
using Progress = std::function<void(std::string_view what, double fraction)>;
inline void silent(std::string_view, double) {}

// A number of a few digits: mean and spread over trials.
struct Spread {
  double mean = 0, low = 0, high = 0;
};
// Of at least one number; throws Error for none.
Spread spread(const std::vector<double>& numbers);

}  // namespace unroll::reproduce
