#include <unroll/cli/flow_report.hpp>

#include <unroll/core/render/escape.hpp>
#include <unroll/core/render/gnuplot.hpp>
#include <unroll/core/render/heat_map.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::cli {

namespace {

using drawing::escaped;

std::vector<double> numbers(const std::vector<std::int32_t>& steps) { return {steps.begin(), steps.end()}; }

bool any_positive(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return std::isfinite(x) && x > 0; });
}

// Layers of one cell are told apart by their own names.
std::string name_of(const CellReport& report, const LayerFlow& layer) {
  return report.flow.layers.size() > 1 ? layer.layer : report.cell;
}

// The gradients of all cells; none if there is no number that can be drawn.
std::vector<Plot> gradient_plots(const std::vector<CellReport>& reports) {
  Plot plot{.title = "Gradient by the state at each time step", .x_label = "time step t", .y_label = "norm"};
  plot.log_y = true;
  plot.id = "gradients";
  for (const CellReport& report : reports)
    for (const LayerFlow& layer : report.flow.layers) {
      const std::vector<double> steps = numbers(layer.steps);
      const std::string name = name_of(report, layer);
      const auto add = [&](const char* what, const std::vector<double>& norms) {
        if (any_positive(norms)) plot.series.push_back({.label = name + " " + what, .xs = steps, .ys = norms});
      };
      add("|dL/dh_t|", layer.gradient_norm_h);
      add("|dL/dc_t|", layer.gradient_norm_c);
      if (layer.signal.h != layer.gradient_norm_h) add("|dL_T/dh_t|", layer.signal.h);
    }
  return plot.series.empty() ? std::vector<Plot>{} : std::vector<Plot>{plot};
}

std::vector<Plot> gate_plots(const CellReport& report, std::size_t number) {
  std::vector<Plot> plots;
  for (const LayerFlow& layer : report.flow.layers) {
    if (layer.gates.empty()) continue;
    const std::string name = name_of(report, layer);
    Plot plot{.title = (layer.gates[0].name == "h" ? "Mean of h, " : "Mean of the gates, ") + name,
              .x_label = "time step t",
              .y_label = "mean",
              .series = {}};
    plot.id = fmt::format("gates{}x{}", number, plots.size());
    plot.height = 300;
    plot.y_range = {0, 1};
    for (const GateFlow& gate : layer.gates) {
      if (gate.is_tanh) plot.y_range->first = -1;
      plot.series.push_back({.label = gate.name, .xs = numbers(layer.steps), .ys = gate.mean});
    }
    plots.push_back(std::move(plot));
  }
  return plots;
}

std::vector<Plot> contribution_plots(const CellReport& report, std::size_t number) {
  Plot plot{
      .title = "Contribution of each time step to dL/dW, " + report.cell, .x_label = "time step t", .y_label = "norm"};
  plot.log_y = true;
  plot.id = fmt::format("contributions{}", number);
  plot.height = 300;
  for (const ContributionFlow& c : report.flow.contributions)
    if (any_positive(c.norms))
      plot.series.push_back(
          {.label = c.parameter, .xs = std::vector<double>(c.steps.begin(), c.steps.end()), .ys = c.norms});
  return plot.series.empty() ? std::vector<Plot>{} : std::vector<Plot>{plot};
}

std::vector<Plot> singular_value_plots(const CellReport& report, std::size_t number) {
  std::vector<Plot> plots;
  for (const LayerFlow& layer : report.flow.layers) {
    if (layer.singular_values.empty()) continue;
    Plot plot{.title = "Singular values of dh_t/dh_(t-1), " + name_of(report, layer),
              .x_label = "time step t",
              .y_label = "singular value"};
    plot.log_y = true;
    plot.id = fmt::format("singular{}x{}", number, plots.size());
    plot.height = 300;
    for (const char* which : {"largest", "median", "smallest"})
      plot.series.push_back({.label = which, .xs = {}, .ys = {}});
    for (std::size_t i = 0; i < layer.singular_values.size(); ++i) {
      const std::vector<double>& values = layer.singular_values[i];
      const double chosen[] = {values.front(), values[values.size() / 2], values.back()};
      for (std::size_t k = 0; k < 3; ++k) {
        plot.series[k].xs.push_back(layer.steps[i + 1]);
        plot.series[k].ys.push_back(chosen[k]);
      }
    }
    if (any_positive(plot.series[0].ys)) plots.push_back(std::move(plot));
  }
  return plots;
}

// ---- the page

constexpr const char* head =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Gradient flow</title>\n<style>\n"
    ":root { color-scheme: light dark; --ink: #1b1b1f; --paper: #ffffff; --line: #c9c9d2; --soft: #f3f3f7; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --paper: #17171b; --line: #4a4a55; --soft: #24242b; "
    "} }\n"
    "body { color: var(--ink); background: var(--paper); font: 16px/1.5 Helvetica, Arial, sans-serif; max-width: "
    "900px; "
    "margin: 2rem auto; padding: 0 1rem; }\n"
    "h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }\n"
    "svg { display: block; width: 100%; height: auto; } svg.heat { max-width: 620px; }\n"
    "svg g[color=\"black\"] { color: var(--ink); } svg g[fill=\"black\"] { fill: var(--ink); }\n"
    "svg [stroke=\"black\"] { stroke: var(--ink); }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }\n"
    "th, td { padding: 0.2rem 0.8rem; text-align: right; border-bottom: 1px solid var(--line); }\n"
    "th:first-child, td:first-child { text-align: left; } th { background: var(--soft); }\n"
    ".verdict { font-weight: bold; }\n</style>\n</head>\n<body>\n<h1>Gradient flow</h1>\n";

std::string row(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string text = "<tr>";
  for (const std::string& cell : cells) text += fmt::format("<{0}>{1}</{0}>", tag, escaped(cell));
  return text + "</tr>\n";
}

std::string inline_svg(Plot plot) {
  plot.ground = false;
  plot.legend = 220;
  const std::string svg = to_svg(plot);
  return svg.substr(svg.find("<svg"));
}

std::string overview(const std::vector<CellReport>& reports) {
  std::string text = "<div class=\"wide\"><table>\n" +
                     row({"cell", "verdict", "half-life, steps", "arrives at the first step", "loss"}, "th");
  for (const CellReport& report : reports) {
    const FlowEvidence found = evidence(report.flow).back();
    text += row({report.cell, to_string(report.judgement.verdict),
                 found.half_life ? fmt::format("{:.3g}", *found.half_life) : "none",
                 fmt::format("{:.3g} %", 100 * found.arriving), fmt::format("{:.4g}", report.flow.loss)});
  }
  return text + "</table></div>\n";
}

std::string steps_table(const LayerFlow& layer) {
  std::vector<std::string> titles{"t", "|dL/dh|"};
  if (!layer.gradient_norm_c.empty()) titles.emplace_back("|dL/dc|");
  titles.emplace_back("|dL_T/dh|");
  for (const GateFlow& gate : layer.gates) {
    titles.push_back("mean " + gate.name);
    titles.push_back("saturated " + gate.name);
  }
  std::string text = "<div class=\"wide\"><table>\n" + row(titles, "th");
  for (const std::size_t i : spread(layer.steps.size(), 25)) {
    std::vector<std::string> cells{std::to_string(layer.steps[i]), fmt::format("{:.3g}", layer.gradient_norm_h[i])};
    if (!layer.gradient_norm_c.empty()) cells.push_back(fmt::format("{:.3g}", layer.gradient_norm_c[i]));
    cells.push_back(fmt::format("{:.3g}", layer.signal.h[i]));
    for (const GateFlow& gate : layer.gates) {
      cells.push_back(fmt::format("{:.3f}", gate.mean[i]));
      cells.push_back(fmt::format("{:.1f} %", 100 * gate.saturated[i]));
    }
    text += row(cells);
  }
  return text + "</table></div>\n";
}

// The columns, too, are thinned out for a long sequence.
std::string credit_map(const CellReport& report, const LayerFlow& layer) {
  const std::vector<std::size_t> columns = spread(layer.steps.size(), report.asked.size());
  HeatMap map;
  map.title = "|dL_s/dh_t|, " + name_of(report, layer);
  map.x_label = "time step t of the state";
  map.y_label = "step s of the loss";
  map.ys = {report.asked.begin(), report.asked.end()};
  for (const std::size_t c : columns) map.xs.push_back(layer.steps[c]);
  bool any = false;
  for (const auto& norms : layer.credit) {
    map.values.emplace_back();
    for (const std::size_t c : columns) map.values.back().push_back(norms[c]);
    any |= any_positive(map.values.back());
  }
  return any ? to_svg(map) : "";
}

std::string section(const CellReport& report, std::size_t number) {
  std::string text = fmt::format(
      "<h2>{}</h2>\n<p>{}, {} steps, loss {:.4g}.</p>\n<p class=\"verdict\">Verdict: {}</p>\n<ul>\n", report.cell,
      escaped(report.task), report.top().steps.size(), report.flow.loss, to_string(report.judgement.verdict));
  for (const std::string& ground : report.judgement.grounds) text += "<li>" + escaped(ground) + "</li>\n";
  text += "</ul>\n";
  for (const auto& plots :
       {gate_plots(report, number), contribution_plots(report, number), singular_value_plots(report, number)})
    for (const Plot& plot : plots) text += inline_svg(plot);
  if (!report.asked.empty())
    text += "<p>Credit assignment: how much the loss at step s (row) depends on the state at step t (column).</p>\n";
  for (const LayerFlow& layer : report.flow.layers) {
    text += credit_map(report, layer);
    if (layer.bound)
      text += fmt::format(
          "<p>|dh_t/dh_(t-1)| is at most {:.4g}, the largest singular value of {} (largest |eigenvalue| {:.4g}).</p>\n",
          layer.bound->sigma_max, escaped(layer.bound->parameter), layer.bound->spectral_radius);
    text += steps_table(layer);
  }
  return text;
}

}  // namespace

std::string to_picture(const std::vector<CellReport>& reports, bool page) {
  std::vector<Plot> plots = gradient_plots(reports);
  if (page) {
    std::string text = head + overview(reports);
    for (const Plot& plot : plots) text += inline_svg(plot);
    for (std::size_t i = 0; i < reports.size(); ++i) text += section(reports[i], i);
    return text + "</body>\n</html>\n";
  }
  for (std::size_t i = 0; i < reports.size(); ++i)
    for (Plot& plot : gate_plots(reports[i], i)) plots.push_back(std::move(plot));
  if (plots.empty()) throw Error("there is nothing to draw: every gradient is 0 or not finite");
  return to_svg(plots);
}

}  // namespace unroll::cli
