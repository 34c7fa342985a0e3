#include <unroll/cli/flow_report.hpp>

#include <algorithm>

namespace unroll::cli {

namespace {

constexpr std::size_t rows = 12;

Json gates_json(const LayerFlow& layer) {
  Json all = Json::object();
  for (const GateFlow& gate : layer.gates) all[gate.name] = {{"mean", gate.mean}, {"saturated", gate.saturated}};
  return all;
}

Json layer_json(const LayerFlow& layer) {
  const FlowEvidence found = evidence(0, layer.layer, layer.signal, layer.gates);
  Json json{{"layer", layer.layer},
            {"units", layer.units},
            {"half_life", found.half_life ? Json(*found.half_life) : Json(nullptr)},
            {"steps", layer.steps},
            {"gradient_norm_h", layer.gradient_norm_h},
            {"gradient_norm_c", layer.gradient_norm_c.empty() ? Json(nullptr) : Json(layer.gradient_norm_c)},
            {"last_loss_norm_h", layer.signal.h},
            {"last_loss_norm_c", layer.signal.c.empty() ? Json(nullptr) : Json(layer.signal.c)},
            {"error", found.error},
            {"arriving", found.arriving},
            {"growth", found.growth},
            {"saturated", found.saturated},
            {"gates", gates_json(layer)},
            {"bound", nullptr},
            {"singular_values", nullptr},
            {"credit", nullptr}};
  if (const auto& bound = layer.bound)
    json["bound"] = {{"parameter", bound->parameter},       {"gamma", bound->gamma},
                     {"sigma_max", bound->sigma_max},       {"spectral_radius", bound->spectral_radius},
                     {"must_vanish", bound->must_vanish()}, {"steps", bound->step}};
  if (!layer.singular_values.empty()) json["singular_values"] = layer.singular_values;
  if (!layer.credit.empty()) json["credit"] = layer.credit;
  return json;
}

}  // namespace

std::vector<std::size_t> spread(std::size_t size, std::size_t count) {
  std::vector<std::size_t> chosen;
  if (size <= count)
    for (std::size_t i = 0; i < size; ++i) chosen.push_back(i);
  else
    for (std::size_t k = 0; k < count; ++k) chosen.push_back(k * (size - 1) / (count - 1));
  return chosen;
}

Json to_json(const CellReport& report) {
  Json json{{"cell", report.cell}, {"verdict", to_string(report.judgement.verdict)}};
  const Json top = layer_json(report.top());
  for (const char* key : {"half_life", "gradient_norm_h", "gradient_norm_c"}) json[key] = top[key];
  json["grounds"] = report.judgement.grounds;
  json["task"] = report.task;
  json["loss"] = report.flow.loss;
  json["loss_at_beginning"] = report.beginning.loss;
  json["error_at_beginning"] = report.beginning.error;
  json["asked"] = report.asked;
  Json contributions = Json::object();
  for (const ContributionFlow& c : report.flow.contributions) contributions[c.parameter] = c.norms;
  json["contributions"] = contributions;
  json["layers"] = Json::array();
  for (const LayerFlow& layer : report.flow.layers) json["layers"].push_back(layer_json(layer));
  return json;
}

std::string to_text(const CellReport& report) {
  std::string text = fmt::format("{}  {}, {} steps, loss {:.4g}\n", report.cell, report.task, report.top().steps.size(),
                                 report.flow.loss);
  for (const LayerFlow& layer : report.flow.layers) {
    const bool every_step = layer.signal.h != layer.gradient_norm_h;
    if (report.flow.layers.size() > 1) text += fmt::format("\n{}", layer.layer);
    text += fmt::format("\n{:>7}  {:>9}", "t", "|dL/dh|");
    if (!layer.gradient_norm_c.empty()) text += fmt::format("  {:>9}", "|dL/dc|");
    if (every_step) text += fmt::format("  {:>9}", "|dL_T/dh|");
    for (const GateFlow& gate : layer.gates) text += fmt::format("  {:>8}", "mean " + gate.name);
    text += layer.gates.empty() ? "\n" : fmt::format("  {:>9}\n", "saturated");
    for (const std::size_t i : spread(layer.steps.size(), rows)) {
      text += fmt::format("{:>7}  {:>9.3g}", layer.steps[i], layer.gradient_norm_h[i]);
      if (!layer.gradient_norm_c.empty()) text += fmt::format("  {:>9.3g}", layer.gradient_norm_c[i]);
      if (every_step) text += fmt::format("  {:>9.3g}", layer.signal.h[i]);
      double saturated = 0;
      for (const GateFlow& gate : layer.gates) {
        text += fmt::format("  {:>8.3f}", gate.mean[i]);
        saturated += gate.saturated[i] / static_cast<double>(layer.gates.size());
      }
      text += layer.gates.empty() ? "\n" : fmt::format("  {:>7.1f} %\n", 100 * saturated);
    }
    if (const auto& bound = layer.bound)
      text += fmt::format(
          "\n  |dh_t/dh_(t-1)| is at most {:.4g} (largest singular value of {}; largest |eigenvalue| {:.4g}){}\n",
          bound->sigma_max, bound->parameter, bound->spectral_radius,
          bound->must_vanish() ? fmt::format(": below {:g}, the gradient must vanish", 1 / bound->gamma) : "");
    if (!layer.singular_values.empty()) {
      text += "\n  singular values of dh_t/dh_(t-1)\n";
      text += fmt::format("{:>7}  {:>9}  {:>9}  {:>9}\n", "t", "largest", "median", "smallest");
      for (const std::size_t i : spread(layer.singular_values.size(), rows)) {
        const std::vector<double>& values = layer.singular_values[i];
        text += fmt::format("{:>7}  {:>9.3g}  {:>9.3g}  {:>9.3g}\n", layer.steps[i + 1], values.front(),
                            values[values.size() / 2], values.back());
      }
    }
  }
  text += fmt::format("\n  verdict: {}\n", to_string(report.judgement.verdict));
  for (const std::string& ground : report.judgement.grounds) text += fmt::format("    {}\n", ground);
  return text;
}

}  // namespace unroll::cli
