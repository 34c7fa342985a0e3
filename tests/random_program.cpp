#include "random_program.hpp"

#include "program_operations.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::test {

namespace {

// The lines that have a part in the last one, inputs first, renumbered.
std::vector<Line> tidied(const std::vector<Line>& lines) {
  std::vector<bool> used(lines.size());
  used.back() = true;
  for (std::size_t i = lines.size(); i-- > 0;)
    if (used[i])
      for (const std::size_t operand : lines[i].operands) used[operand] = true;
  std::vector<Line> result;
  std::vector<std::size_t> number(lines.size());
  for (const bool inputs : {true, false})
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!used[i] || lines[i].is_input() != inputs) continue;
      number[i] = result.size();
      result.push_back(lines[i]);
    }
  for (Line& line : result)
    for (std::size_t& operand : line.operands) operand = number[operand];
  return result;
}

// Gives every line the shape that follows from those of the inputs; false where operands do not fit any more.
bool infer_shapes(std::vector<Line>& lines) {
  for (Line& line : lines) {
    if (line.is_input()) continue;
    std::vector<Shape> shapes;
    for (const std::size_t operand : line.operands) shapes.push_back(lines[operand].shape);
    const std::optional<Shape> shape = line.operation->shape(line, shapes);
    if (!shape) return false;
    line.shape = *shape;
  }
  return true;
}

std::size_t total_size(const std::vector<Line>& lines) {
  std::size_t total = 0;
  for (const Line& line : lines) total += line.shape.size() + line.shape.rank();
  return total;
}

// Every use of one value replaced by another.
std::vector<Line> with_uses_replaced(std::vector<Line> lines, std::size_t of, std::size_t by) {
  for (Line& line : lines) std::replace(line.operands.begin(), line.operands.end(), of, by);
  return lines;
}

// `from` everywhere where it is an extent.
std::vector<Line> with_extents_replaced(std::vector<Line> lines, std::int64_t from, std::int64_t to) {
  const auto replaced = [&](std::vector<std::int64_t> extents) {
    std::replace(extents.begin(), extents.end(), from, to);
    return extents;
  };
  for (Line& line : lines) {
    if (line.is_input()) line.shape = Shape(replaced(line.shape.vector()));
    for (Attribute& attribute : line.attributes)
      if (attribute.name == "shape") attribute.values = replaced(attribute.values);
  }
  return lines;
}

std::string value_name(const std::vector<Line>& lines, std::size_t i) {
  return fmt::format("v{} {}", i, to_string(lines[i].shape));
}

std::string call_text(const std::vector<Line>& lines, const Line& line) {
  std::vector<std::string> arguments;
  for (const std::size_t operand : line.operands) arguments.push_back(value_name(lines, operand));
  std::string text(line.operation->text);
  if (text.find("{}") == std::string::npos) {
    for (const Attribute& attribute : line.attributes)
      arguments.push_back(fmt::format("{}=[{}]", attribute.name, fmt::join(attribute.values, ", ")));
    return fmt::format("{}({})", text, fmt::join(arguments, ", "));
  }
  for (const std::string& argument : arguments) text.replace(text.find("{}"), 2, argument);
  return text;
}

}  // namespace

const std::vector<std::int64_t>& Line::ints(std::string_view name) const {
  return std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.name == name; })->values;
}

std::size_t RandomProgram::input_count() const {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](const Line& l) { return l.is_input(); }));
}

std::vector<Array> RandomProgram::inputs() const {
  std::vector<Array> result;
  for (const Line& line : lines) {
    if (!line.is_input()) continue;
    Generator generator(line.seed);
    Array elements(line.shape, DType::f64);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double element = generator.uniform(-1.5, 1.5);
      elements.set_flat(i, round ? std::round(4 * element) / 4 : static_cast<float>(element));
    }
    result.push_back(elements);
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const RandomProgram& program) {
  const std::vector<Array> inputs = program.inputs();
  for (std::size_t i = 0; i < program.lines.size(); ++i) {
    const Line& line = program.lines[i];
    if (line.is_input())
      out << fmt::format("v{} = input {} {}\n", i, to_string(line.shape), to_string(inputs[i]));
    else
      out << fmt::format("v{} = {}\n", i, call_text(program.lines, line));
  }
  return out;
}

RandomProgram draw_program(Generator& random, std::size_t operations) {
  Draft draft(random);
  const auto& all = program_operations();
  for (std::size_t i = 0; i < operations; ++i) {
    Line line;
    line.operation = &all[random.below(all.size())];
    line.operation->draw(draft, line);
    draft.append(line);
  }
  return {tidied(draft.take())};
}

std::vector<RandomProgram> smaller_programs(const RandomProgram& program) {
  const std::vector<Line>& lines = program.lines;
  const std::size_t first = program.input_count();
  std::vector<RandomProgram> result;
  // a program that ends earlier
  for (std::size_t end = first + 1; end < lines.size(); ++end)
    result.push_back({tidied({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(end)}), program.round});
  // an operation given as an input, or left out
  for (std::size_t i = lines.size(); i-- > first;) {
    std::vector<Line> given = lines;
    given[i] = {.operation = nullptr, .operands = {}, .attributes = {}, .shape = lines[i].shape, .seed = i};
    if (i + 1 < lines.size()) result.push_back({tidied(given), program.round});
    for (const std::size_t operand : lines[i].operands)
      if (i + 1 < lines.size() && lines[operand].shape == lines[i].shape)
        result.push_back({tidied(with_uses_replaced(lines, i, operand)), program.round});
  }
  // one input in place of two
  for (std::size_t i = 0; i < first; ++i)
    for (std::size_t j = i + 1; j < first; ++j)
      if (lines[i].shape == lines[j].shape) result.push_back({tidied(with_uses_replaced(lines, j, i)), program.round});
  // smaller arrays
  const auto add_if_smaller = [&](std::vector<Line> candidate) {
    if (infer_shapes(candidate) && total_size(candidate) < total_size(lines))
      result.push_back({std::move(candidate), program.round});
  };
  std::set<std::int64_t> extents;
  for (const Line& line : lines) extents.insert(line.shape.begin(), line.shape.end());
  for (const std::int64_t extent : extents)
    for (std::int64_t smaller = 1; smaller < extent; ++smaller)
      add_if_smaller(with_extents_replaced(lines, extent, smaller));
  for (std::size_t i = 0; i < first; ++i)
    for (std::size_t axis = 0; axis < lines[i].shape.rank(); ++axis) {
      std::vector<Line> shorter = lines, without = lines;
      shorter[i].shape = lines[i].shape.with(axis, 1);
      add_if_smaller(shorter);
      std::vector<std::int64_t> others = lines[i].shape.vector();
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
      without[i].shape = Shape(others);
      add_if_smaller(without);
    }
  if (!program.round) result.push_back({lines, true});
  return result;
}

Var run_line(const Line& line, std::span<const Var> values) {
  std::vector<Var> operands;
  for (const std::size_t operand : line.operands) operands.push_back(values[operand]);
  const Var result = line.operation->call(line, operands);
  if (result.shape() != line.shape)
    throw std::logic_error(fmt::format("{} has shape {}, expected {}", line.operation->text, to_string(result.shape()),
                                       to_string(line.shape)));
  return result;
}

std::vector<Var> run(const RandomProgram& program, std::span<const Var> inputs) {
  std::vector<Var> values(inputs.begin(), inputs.end());
  for (std::size_t i = inputs.size(); i < program.lines.size(); ++i)
    values.push_back(run_line(program.lines[i], values));
  return values;
}

std::vector<Var> kink_sides(const RandomProgram& program, std::span<const Var> values) {
  std::vector<Var> result;
  for (const Line& line : program.lines) {
    if (line.is_input() || !line.operation->sides) continue;
    std::vector<Var> operands;
    for (const std::size_t operand : line.operands) operands.push_back(values[operand]);
    result.push_back(line.operation->sides(line, operands));
  }
  return result;
}

}  // namespace unroll::test

rc::Gen<unroll::test::RandomProgram> rc::Arbitrary<unroll::test::RandomProgram>::arbitrary() {
  return [](const rc::Random& random, int size) {
    unroll::Generator generator(rc::Random(random).next());
    const std::size_t operations = 1 + static_cast<std::size_t>(size) / 10;
    return rc::shrinkable::shrinkRecur(unroll::test::draw_program(generator, operations),
                                       [](const unroll::test::RandomProgram& program) {
                                         return rc::seq::fromContainer(unroll::test::smaller_programs(program));
                                       });
  };
}
