#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/examples/reproduce/reproduce.hpp>

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace unroll::cli {

namespace {

using reproduce::Report;
using reproduce::Reproduction;
using reproduce::Row;

int list_reproductions(const ReproduceOptions& o) {
  if (!o.output.empty()) throw Error("--output needs a NAME: only reach has a curve");
  if (o.json) {
    Json rows = Json::array();
    for (const Reproduction& r : reproduce::all())
      rows.push_back({{"name", r.name}, {"what", r.what}, {"time", r.time}, {"exact", r.exact}});
    print_json({{"reproductions", rows}});
    return done;
  }
  for (const Reproduction& r : reproduce::all()) fmt::print("{:<15} {:<10} {}\n", r.name, r.time, r.what);
  fmt::print("\n`unroll reproduce NAME` runs one; docs/reproduced.md says what came out.\n");
  return done;
}

// On stderr: one line that is written again and again where a terminal shows it, and a line for every tenth where not.
class ReproductionProgress {
 public:
  ~ReproductionProgress() {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }
  void show(std::string_view what, double fraction) {
    if (terminal_) {
      fmt::print(stderr, "\r{:3.0f}%  {}\033[K", 100 * fraction, what);
    } else if (fraction >= next_) {
      fmt::print(stderr, "{:3.0f}%  {}\n", 100 * fraction, what);
      while (next_ <= fraction) next_ += 0.1;
    }
    std::fflush(stderr);
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  double next_ = 0;
};

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : "-"; }

const char* answer(const std::optional<bool>& reproduced) {
  if (!reproduced) return "";
  return *reproduced ? "yes" : "NO";
}

void print_head(const Report& report) {
  fmt::print("{}\nsource: {}\n", report.title, report.source);
  for (const std::string& line : report.setting) fmt::print("{}\n", line);
  fmt::print("reproduced: {}\n\n", report.criterion);
}

void print_table(const Report& report) {
  std::size_t width = 0;
  for (const Row& row : report.rows) width = std::max(width, row.what.size());
  fmt::print("{:<{}}  {:>11}  {:>11}  reproduced\n", "", width, "published", "here");
  for (const Row& row : report.rows) {
    fmt::print("{:<{}}  {:>11}  {:>11}  {}\n", row.what, width, number(row.published), number(row.here),
               answer(row.reproduced));
    if (!row.note.empty()) fmt::print("    {}\n", row.note);
  }
}

template <class T> Json optional_json(const std::optional<T>& value) { return value ? Json(*value) : Json(nullptr); }

void print_result(const Report& report, const ReproduceOptions& o) {
  Json rows = Json::array();
  for (const Row& row : report.rows)
    rows.push_back({{"what", row.what},
                    {"published", optional_json(row.published)},
                    {"here", optional_json(row.here)},
                    {"reproduced", optional_json(row.reproduced)},
                    {"note", row.note}});
  print_json({{"name", report.name},
              {"title", report.title},
              {"source", report.source},
              {"setting", report.setting},
              {"criterion", report.criterion},
              {"seed", o.seed},
              {"reproduced", report.reproduced()},
              {"rows", rows},
              {"output", o.output.empty() ? Json(nullptr) : Json(o.output)}});
}

Report run(const Reproduction& reproduction, std::uint64_t seed) {
  ReproductionProgress progress;
  return reproduction.run(
      {.seed = seed, .progress = [&](std::string_view what, double fraction) { progress.show(what, fraction); }});
}

}  // namespace

int run_reproduce(const ReproduceOptions& o) {
  if (o.name.empty()) return list_reproductions(o);
  const Reproduction& reproduction = reproduce::find(o.name);
  if (!o.output.empty()) {
    if (!reproduction.curve)
      throw Error(fmt::format("--output draws a curve, and {} has none: only reach has", o.name));
    require_writable(o.output);
  }
  const Report report = run(reproduction, o.seed);
  if (o.json) {
    print_result(report, o);
  } else {
    print_head(report);
    print_table(report);
  }
  if (!o.output.empty()) {
    draw(*report.plot, o.output);
    if (!o.json) fmt::print("\nThe curve: {}\n", o.output);
  }
  return reproduction.exact && !report.reproduced() ? check_failed : done;
}

}  // namespace unroll::cli
