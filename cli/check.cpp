#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/textbook.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace unroll::cli {

namespace {

// One form of a layer and what the check said.
struct Checked {
  std::string layer;
  GradcheckReport report;
};

// Checks all forms of the wanted cells.
class Checks {
 public:
  explicit Checks(const CheckOptions& options) : options_(options) {}

  std::vector<Checked> run() {
    if (wanted(CellKind::rnn)) {
      for (const auto& [suffix, activation] : {std::pair{"tanh", Activation::tanh}, {"relu", Activation::relu}}) {
        const RNNOptions o{options_.input, options_.hidden, activation, "rnn", DType::f64};
        both_forms<RNN, textbook::RNN>(fmt::format("rnn {}", suffix), o);
      }
    }
    if (wanted(CellKind::lstm)) {
      for (const bool peepholes : {false, true}) {
        const LSTMOptions o{options_.input, options_.hidden, peepholes, 1, "lstm", DType::f64};
        both_forms<LSTM, textbook::LSTM>(peepholes ? "lstm peepholes" : "lstm", o);
      }
    }
    if (wanted(CellKind::gru)) {
      for (const Reset reset : {Reset::before, Reset::after}) {
        const GRUOptions o{options_.input, options_.hidden, reset, "gru", DType::f64};
        both_forms<GRU, textbook::GRU>(reset == Reset::before ? "gru reset before" : "gru reset after", o);
      }
    }
    return std::move(all_);
  }

 private:
  bool wanted(CellKind cell) const {
    return options_.cells.empty() ||
           std::find(options_.cells.begin(), options_.cells.end(), cell) != options_.cells.end();
  }

  template <class Packed, class Textbook, class Options> void both_forms(const std::string& layer, const Options& o) {
    Generator generator(options_.seed);
    const Packed packed(o, generator);
    // biases start at 0, where a mistake might not show
    for (Parameter p : packed.parameters()) {
      Array& value = p.mutable_value();
      for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, value.flat(i) + generator.uniform(-0.1, 0.1));
    }
    check(layer, packed);
    check(layer + ", textbook", Textbook(packed));
  }

  template <class Layer> void check(const std::string& name, const Layer& layer) {
    const GradcheckOptions gradcheck_options{
        .order = options_.order, .tolerance = options_.tolerance, .seed = options_.seed};
    all_.push_back(
        {name, gradcheck(layer, {.steps = options_.steps, .batch = options_.batch, .gradcheck = gradcheck_options})});
  }

  const CheckOptions& options_;
  std::vector<Checked> all_;
};

const GradcheckRow& worst(const GradcheckReport& report) {
  return *std::max_element(report.rows.begin(), report.rows.end(), [](const GradcheckRow& a, const GradcheckRow& b) {
    return !std::isnan(a.relative_error) && (std::isnan(b.relative_error) || a.relative_error < b.relative_error);
  });
}

std::string index(const GradcheckRow& row) { return fmt::format("[{}]", fmt::join(row.index, ", ")); }

// One line for each layer, with the entry where analytic and numeric derivative are furthest apart.
void print_table(const std::vector<Checked>& all) {
  fmt::print("{:<26}  {:>7}  {:<16}  {:>12}  {:>12}  {:>9}\n", "layer", "entries", "worst entry", "analytic", "numeric",
             "rel.error");
  for (const auto& [layer, report] : all) {
    std::size_t entries = 0;
    for (const GradcheckRow& row : report.rows) entries += row.entries;
    const GradcheckRow& row = worst(report);
    fmt::print("{:<26}  {:>7}  {:<16}  {:>12.6g}  {:>12.6g}  {:>9.1e}  {}\n", layer, entries, row.name + index(row),
               row.analytic, row.numeric, row.relative_error, report.passed ? "ok" : "WRONG");
  }
}

// What was wrong, for people.
void print_verdict(const std::vector<Checked>& all, const CheckOptions& o) {
  std::size_t failed = 0;
  for (const Checked& checked : all) failed += !checked.report.passed;
  const char* what = o.order == 1 ? "gradients" : "second derivatives";
  if (failed == 0) {
    fmt::print("\nThe {} of all {} agree with finite differences (relative error at most {:g}).\n", what, all.size(),
               o.tolerance);
    return;
  }
  fmt::print("\n{} of {} do not agree with finite differences (relative error above {:g}):\n", failed, all.size(),
             o.tolerance);
  for (const auto& [layer, report] : all)
    for (const GradcheckRow& row : report.rows)
      if (!row.passed)
        fmt::print("  {}: {}{} analytic {:.9g}, numeric {:.9g}\n", layer, row.name, index(row), row.analytic,
                   row.numeric);
}

}  // namespace

int run_check(const CheckOptions& o) {
  const std::vector<Checked> all = Checks(o).run();
  bool passed = true;
  Json rows = Json::array();
  for (const auto& [layer, report] : all) {
    passed &= report.passed;
    for (const GradcheckRow& row : report.rows)
      rows.push_back({{"layer", layer},
                      {"name", row.name},
                      {"index", row.index},
                      {"analytic", row.analytic},
                      {"numeric", row.numeric},
                      {"relative_error", row.relative_error},
                      {"passed", row.passed}});
  }
  if (o.json) {
    print_json({{"passed", passed}, {"rows", rows}});
  } else {
    if (o.parameters)
      for (const auto& [layer, report] : all) fmt::print("{}\n{}\n", layer, to_string(report));
    else
      print_table(all);
    print_verdict(all, o);
  }
  return passed ? done : check_failed;
}

}  // namespace unroll::cli
