#include <unroll/core/render/listing.hpp>

#include <unroll/core/grad/cuts.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace unroll {

namespace {

// A node may have any number of inputs or attributes (the targets of a loss, the outputs of 100,000 steps); a line shows
// the first.
constexpr std::size_t most_shown = 8;

template <class Range, class Text> std::string shortened_list(const Range& items, Text&& text) {
  std::string list;
  for (std::size_t i = 0; i < std::min(items.size(), most_shown); ++i) list += (i ? ", " : "") + text(items[i]);
  if (items.size() > most_shown) list += fmt::format(", ... ({})", items.size());
  return list;
}

std::string operation(const Node& node) {
  std::string text(node.op->name);
  const Attributes& a = node.attributes;
  if (!a.ints.empty())
    text += " [" + shortened_list(a.ints, [](std::int64_t value) { return fmt::format("{}", value); }) + "]";
  if (!a.reals.empty())
    text += " {" + shortened_list(a.reals, [](double value) { return fmt::format("{:.6g}", value); }) + "}";
  return text;
}

// Characters as a terminal counts them: names may hold any UTF-8 text.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string aligned_columns(const std::vector<std::string>& cells, std::size_t columns, std::size_t widest) {
  std::vector<std::size_t> widths(columns);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t width = characters(cells[i]);
    if (width <= widest) widths[i % columns] = std::max(widths[i % columns], width);
  }
  std::string text;
  std::size_t spaces = 0;  // owed before the next cell that is not empty
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].empty()) {
      text.append(spaces, ' ').append(cells[i]);
      spaces = 0;
    }
    const std::size_t column = i % columns, width = characters(cells[i]);
    spaces += widths[column] - std::min(widths[column], width) + 2;
    if (column + 1 < columns) continue;
    text += '\n';
    spaces = 0;
  }
  return text;
}

std::string listing(const Tape& tape) {
  const Names names(tape);
  std::vector<std::string> cells{"node", "name", "operation", "inputs", "shape", "dtype", "scope", "t", "phase"};
  const std::size_t columns = cells.size();
  cells.reserve((tape.size() + 1) * columns);
  const auto with_name = [&](NodeId id) {
    return names[id].empty() ? fmt::format("{}", id) : fmt::format("{}:{}", id, names[id]);
  };
  for (NodeId id = 0; id < tape.size(); ++id) {
    const Node& node = tape[id];
    const Place& place = node.place;
    cells.push_back(fmt::format("{}", id));
    cells.push_back(names[id]);
    cells.push_back(operation(node));
    cells.push_back((is_cut(tape, id) ? "✂ " : "") + shortened_list(tape.inputs(id), with_name));
    cells.push_back(to_string(node.value.shape));
    cells.emplace_back(to_string(node.value.dtype));
    cells.push_back(tape.path(place.scope));
    cells.push_back(place.step == no_step ? "" : fmt::format("{}", place.step));
    cells.emplace_back(to_string(place.phase));
    if (node.origin != no_node) cells.back() += " of " + with_name(node.origin);
  }
  return aligned_columns(cells, columns);
}

void Tape::dump() const {
  const std::string text = listing(*this);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace unroll
