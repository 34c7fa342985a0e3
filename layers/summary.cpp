#include <unroll/layers/summary.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

std::string summary(const Module& module) {
  std::size_t name_width = 9, shape_width = 5;
  for (const Parameter& p : module.parameters()) {
    name_width = std::max(name_width, p.name().size());
    shape_width = std::max(shape_width, to_string(p.shape()).size());
  }
  const auto row = [&](std::string_view name, std::string_view shape, auto count) {
    return fmt::format("{:<{}}  {:<{}}  {:>10}\n", name, name_width, shape, shape_width, count);
  };
  std::string text = row("parameter", "shape", "count");
  for (const Parameter& p : module.parameters()) text += row(p.name(), to_string(p.shape()), p.size());
  return text + row("total", "", module.parameter_count());
}

}  // namespace unroll
