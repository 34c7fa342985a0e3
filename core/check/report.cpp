#include <unroll/core/check/gradcheck.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/color.h>
#include <fmt/format.h>

namespace unroll {

namespace {

std::string coloured(const std::string& text, fmt::terminal_color colour, bool wanted) {
  return wanted ? fmt::format(fmt::fg(colour), "{}", text) : text;
}

std::string line(const GradcheckRow& row, std::size_t names, std::size_t entries, bool colour) {
  const std::string verdict = row.unused ? "unused" : row.passed ? "ok" : "WRONG";
  const fmt::terminal_color shade = row.passed ? fmt::terminal_color::green : fmt::terminal_color::red;
  return fmt::format("{:<{}}  {:>7}  {:<{}}  {:>14.7g}  {:>14.7g}  {:>9.1e}  {:>9.1e}  {}\n", row.name, names,
                     row.entries, row.entry, entries, row.analytic, row.numeric, row.absolute_error, row.relative_error,
                     coloured(verdict, shade, colour));
}

}  // namespace

std::string to_string(const GradcheckReport& report, const ReportStyle& style) {
  std::string text;
  if (!report.rows.empty()) {
    std::size_t names = 4, entries = 11;
    for (const GradcheckRow& row : report.rows) {
      names = std::max(names, row.name.size());
      entries = std::max(entries, row.entry.size());
    }
    const char* reference = report.mode == CheckMode::forward ? "forward" : "numeric";
    text += fmt::format("{:<{}}  {:>7}  {:<{}}  {:>14}  {:>14}  {:>9}  {:>9}\n", "leaf", names, "entries",
                        "worst entry", entries, "analytic", reference, "abs.error", "rel.error");
    for (const GradcheckRow& row : report.rows) text += line(row, names, entries, style.colour);
  }
  if (report.passed)
    text += fmt::format("All {} leaves agree (relative error at most {:g}).\n", report.rows.size(), report.tolerance);
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  if (report.diagnosis) {
    const auto& [cause, summary, evidence] = *report.diagnosis;
    text += fmt::format("{}{} [{}] {}\n", text.empty() ? "" : "\n",
                        coloured("diagnosis:", fmt::terminal_color::red, style.colour), to_string(cause), summary);
    for (const std::string& sentence : evidence)
      if (!sentence.empty()) text += fmt::format("  - {}\n", sentence);
  }
  if (report.curve && std::isfinite(report.curve->numeric) && std::isfinite(report.curve->analytic)) {
    text += fmt::format("\n{}: {}\n", report.curve->entry, explain(*report.curve));
    // a wrong derivative is a level line: the sentence says it all
    if (report.curve->verdict != VCurve::Verdict::wrong)
      text += "error of central differences, by step:\n" + to_string(*report.curve);
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) { return out << '\n' << to_string(report); }

}  // namespace unroll
