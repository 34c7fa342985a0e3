#include <unroll/examples/examples.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll::examples {

namespace {

constexpr Example table[] = {
    {"digit", "one-to-one", "an 8x8 picture of a handwritten digit -> which digit it is", 1000, digit},
};

}  // namespace

std::span<const Example> all() { return table; }

const Example& find(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const Example& example) { return example.name == name; });
  if (found != std::end(table)) return *found;
  std::string names;
  for (const Example& example : table) names += fmt::format("{}{}", names.empty() ? "" : ", ", example.name);
  throw Error(fmt::format("there is no example {}: choose one of {}", name, names));
}

}  // namespace unroll::examples
