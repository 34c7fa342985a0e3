#include <unroll/layers/state.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

std::vector<std::string> state_names(std::span<const Var> vars) {
  std::vector<std::string> names;
  for (const Var& v : vars) {
    const std::string& name = v.tape().name(v.id());
    names.push_back(name.empty() ? "state" : name);
  }
  const auto alone = [&](std::size_t i) { return std::count(names.begin(), names.end(), names[i]) == 1; };
  // `change` says how a name becomes longer that others have too
  const auto distinguish = [&](const auto& change) {
    std::vector<std::string> longer = names;
    for (std::size_t i = 0; i < vars.size(); ++i)
      if (!alone(i)) longer[i] = change(i);
    names = std::move(longer);
  };
  distinguish([&](std::size_t i) {
    const std::string& path = vars[i].tape().path(vars[i].node().place.scope);
    return path.empty() ? names[i] : path + "." + names[i];
  });
  distinguish([&](std::size_t i) { return fmt::format("{}.{}", names[i], i + 1); });
  return names;
}

namespace detail {

void fail_state_parts(std::size_t given, std::size_t expected) {
  throw ShapeError(fmt::format("state: {} arrays were given for a state of {}", given, expected));
}

void fail_state_shape(const Var& form, const Array& given) {
  const Tape& tape = form.tape();
  throw ShapeError(fmt::format("state: {} has shape {} in {}, expected {} in {}  {}", tape.name(form.id()),
                               to_string(given.shape()), to_string(given.dtype()), to_string(form.shape()),
                               to_string(form.dtype()), tape.where(form.id())));
}

}  // namespace detail

}  // namespace unroll
