#include <unroll/cli/check_forms.hpp>
#include <unroll/cli/check_picture.hpp>
#include <unroll/cli/output.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::cli {

namespace {

// The leaf that failed, or came nearest to it; nullptr for a program that could not be checked.
const GradcheckRow* worst(const GradcheckReport& report) {
  const auto found =
      std::max_element(report.rows.begin(), report.rows.end(), [](const GradcheckRow& a, const GradcheckRow& b) {
        return !std::isnan(a.relative_error) && (std::isnan(b.relative_error) || a.relative_error < b.relative_error);
      });
  return found == report.rows.end() ? nullptr : &*found;
}

const char* reference(CheckMode mode) { return mode == CheckMode::forward ? "forward" : "numeric"; }

// One line for each layer, with the entry where the two derivatives are furthest apart.
void print_table(const std::vector<CheckedForm>& all, CheckMode mode) {
  std::size_t layers = 5, entries = 11;
  for (const auto& [layer, report] : all) {
    layers = std::max(layers, layer.size());
    if (const GradcheckRow* row = worst(report)) entries = std::max(entries, row->entry.size());
  }
  fmt::print("{:<{}}  {:>7}  {:<{}}  {:>12}  {:>12}  {:>9}\n", "layer", layers, "entries", "worst entry", entries,
             "analytic", reference(mode), "rel.error");
  for (const auto& [layer, report] : all) {
    const GradcheckRow* row = worst(report);
    if (!row) {
      fmt::print("{:<{}}  cannot be checked\n", layer, layers);
      continue;
    }
    std::size_t numbers = 0;
    for (const GradcheckRow& leaf : report.rows) numbers += leaf.entries;
    fmt::print("{:<{}}  {:>7}  {:<{}}  {:>12.6g}  {:>12.6g}  {:>9.1e}  {}\n", layer, layers, numbers, row->entry,
               entries, row->analytic, row->numeric, row->relative_error,
               coloured(report.passed ? "ok" : "WRONG",
                        report.passed ? fmt::terminal_color::green : fmt::terminal_color::red));
  }
}

// What was wrong, for people.
void print_verdict(const std::vector<CheckedForm>& all, const CheckOptions& o) {
  const auto failed =
      std::count_if(all.begin(), all.end(), [](const CheckedForm& form) { return !form.report.passed; });
  const char* what = o.order == 1 ? "gradients" : "second derivatives";
  const char* with = o.mode == CheckMode::forward ? "forward mode" : "finite differences";
  const double tolerance = all[0].report.tolerance;
  if (failed == 0) {
    fmt::print("\nThe {} of all {} agree with {} (relative error at most {:g}).\n", what, all.size(), with, tolerance);
    for (const std::string& note : all[0].report.notes)
      if (all[0].report.miss_probability && note.find("goes unnoticed") != std::string::npos)
        fmt::print("note: for {}, {}\n", all[0].layer, note);
    return;
  }
  fmt::print("\n{} of {} do not agree with {} (relative error above {:g}):\n", failed, all.size(), with, tolerance);
  constexpr int most_in_full = 3;
  int shown = 0;
  for (const auto& [layer, report] : all)
    if (!report.passed && !o.parameters && ++shown <= most_in_full)
      fmt::print("\n{}\n{}", layer, to_string(report, {.colour = on_terminal()}));
  if (shown > most_in_full) fmt::print("\nand {} more (--parameters shows all)\n", shown - most_in_full);
}

Json json(const std::vector<CheckedForm>& all, const CheckOptions& o) {
  Json rows = Json::array(), diagnoses = Json::array();
  bool passed = true;
  for (const auto& [layer, report] : all) {
    passed &= report.passed;
    for (const GradcheckRow& row : report.rows)
      rows.push_back({{"layer", layer},
                      {"name", row.name},
                      {"entry", row.entry},
                      {"index", row.index},
                      {"analytic", row.analytic},
                      {"numeric", row.numeric},
                      {"absolute_error", row.absolute_error},
                      {"relative_error", row.relative_error},
                      {"passed", row.passed}});
    if (report.diagnosis)
      diagnoses.push_back({{"layer", layer},
                           {"cause", to_string(report.diagnosis->cause)},
                           {"summary", report.diagnosis->summary},
                           {"evidence", report.diagnosis->evidence}});
  }
  return {{"passed", passed}, {"mode", to_string(o.mode)}, {"order", o.order}, {"tolerance", all[0].report.tolerance},
          {"rows", rows},     {"diagnoses", diagnoses}};
}

// The curve that says most: of the first layer that failed, or else of the one with the largest error.
const GradcheckReport* to_plot(const std::vector<CheckedForm>& all) {
  const GradcheckReport* chosen = nullptr;
  for (const auto& [layer, report] : all) {
    if (!report.curve) continue;
    const bool better = !chosen || (chosen->passed &&
                                    (!report.passed || worst(report)->relative_error > worst(*chosen)->relative_error));
    if (better) chosen = &report;
  }
  return chosen;
}

}  // namespace

int run_check(const CheckOptions& o) {
  const std::vector<CheckedForm> all = check_forms(o);
  if (all.empty())
    throw Error(fmt::format("no form of these cells has {} in its name; `unroll check` lists them", o.form));
  if (!o.plot.empty()) {
    const GradcheckReport* report = to_plot(all);
    if (!report) throw Error("there is no curve to plot: nothing could be compared by differences");
    draw(*report->curve, o.plot);
  }
  if (o.json) {
    print_json(json(all, o));
  } else {
    if (o.parameters)
      for (const auto& [layer, report] : all)
        fmt::print("{}\n{}\n", layer, to_string(report, {.colour = on_terminal()}));
    else
      print_table(all, o.mode);
    print_verdict(all, o);
    if (!o.plot.empty()) fmt::print("The error of the worst entry by step: {}\n", o.plot);
  }
  return std::all_of(all.begin(), all.end(), [](const CheckedForm& form) { return form.report.passed; }) ? done
                                                                                                         : check_failed;
}

}  // namespace unroll::cli
