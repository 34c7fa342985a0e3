#include "laws.hpp"
#include "property.hpp"
#include "random_program.hpp"

#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/core/ops/ops.hpp>

#include <algorithm>
#include <string>
#include <vector>

// The laws of derivatives, on random programs of all operations.

namespace unroll::test {

namespace {

// A way to run a program: gives the values of all lines, but for those that it does not keep.
using Run = std::function<std::vector<Var>(const RandomProgram& program, std::span<const Var> inputs)>;

Recorded recorded(Tape& tape, const std::vector<Array>& at, const RandomProgram& program, const Run& run) {
  Recorded r;
  for (const Array& array : at) r.leaves.push_back(tape.input(array));
  r.y = run(program, r.leaves).back();
  return r;
}

Function function_of(const RandomProgram& program, const Run& way = run) {
  return {program.inputs(),
          [&program, way](Tape& tape, const std::vector<Array>& at) { return recorded(tape, at, program, way); }};
}

// The same with the sides of its kinks.
Function function_with_kinks(const RandomProgram& program) {
  return {program.inputs(), [&program](Tape& tape, const std::vector<Array>& at) {
            std::vector<Var> sides;
            const Run way = [&](const RandomProgram&, std::span<const Var> inputs) {
              const std::vector<Var> values = run(program, inputs);
              sides = kink_sides(program, values);
              return values;
            };
            Recorded r = recorded(tape, at, program, way);
            r.sides = sides;
            return r;
          }};
}

void check_law(int cases, std::string (*law)(const Function&)) {
  check_property(cases, [law](const RandomProgram& program) { return law(function_of(program)); });
}

// Runs a program on inputs that are strided views of other memory: transposed, cut from a wider array, every other element of one.
std::vector<Var> run_strided(const RandomProgram& program, std::span<const Var> inputs) {
  std::vector<Var> views;
  for (const Var& x : inputs) {
    const Shape shape = x.shape();
    const auto beside = [&](std::int64_t n) {
      return x.tape().constant(Array::filled(shape.with(shape.rank() - 1, n), 99, x.dtype()));
    };
    const std::size_t way = (views.size() + shape.rank()) % 3;
    if (shape.rank() >= 2 && way == 0) {
      const Var turned = transpose(x);
      views.push_back(transpose(reshape(turned, turned.shape())));  // a copy, turned back
    } else if (shape.rank() >= 1 && way == 1) {
      views.push_back(slice(concat({beside(1), x, beside(2)}, -1), -1, 1, -2));
    } else if (shape.rank() >= 1) {
      views.push_back(select(stack({x, beside(shape[shape.rank() - 1])}, -1), -1, 0));
    } else {
      views.push_back(x);
    }
  }
  return run(program, views);
}

// Operations that stand one after the other: lines from .. to - 1.
struct Passage {
  std::size_t from, to;
};

Passage draw_passage(const RandomProgram& program) {
  const std::size_t end = program.lines.size(),
                    from = *rc::gen::inRange(program.input_count(), end).as("first line in the checkpoint");
  return {from, *rc::gen::inRange(from + 1, end + 1).as("line after it")};
}

// The values before line `before` that are operands of the lines from .. to - 1, and the last value of all if it is among those.
std::vector<std::size_t> used(const RandomProgram& program, std::size_t before, std::size_t from, std::size_t to) {
  std::vector<bool> is_used(before);
  if (before == program.lines.size()) is_used.back() = true;
  for (std::size_t i = from; i < to; ++i)
    for (const std::size_t operand : program.lines[i].operands)
      if (operand < before) is_used[operand] = true;
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < before; ++i)
    if (is_used[i]) result.push_back(i);
  return result;
}

std::vector<Var> picked(const std::vector<Var>& values, const std::vector<std::size_t>& places) {
  std::vector<Var> result;
  for (const std::size_t place : places) result.push_back(values[place]);
  return result;
}

void run_lines(const RandomProgram& program, std::size_t to, std::vector<Var>& values) {
  while (values.size() < to) values.push_back(run_line(program.lines[values.size()], values));
}

// Runs a program with a passage in a checkpoint. It gives its values, and hands its operands through: of the lines behind it, every other one takes those.
Run with_checkpoint(Passage passage, bool hands_through) {
  return [=](const RandomProgram& program, std::span<const Var> inputs) {
    const std::size_t from = passage.from, to = passage.to, end = program.lines.size();
    std::vector<Var> values(inputs.begin(), inputs.end());
    run_lines(program, from, values);
    const std::vector<std::size_t> taken = used(program, from, from, to);
    std::vector<std::size_t> given = used(program, to, to, end);
    std::erase_if(given, [&](std::size_t i) { return i < from; });
    if (hands_through) given.insert(given.begin(), taken.begin(), taken.end());
    const Part part = [&program, from, to, taken, given](std::span<const Var> x) {
      std::vector<Var> inside(from);
      for (std::size_t k = 0; k < taken.size(); ++k) inside[taken[k]] = x[k];
      run_lines(program, to, inside);
      return picked(inside, given);
    };
    const std::vector<Var> results = checkpoint(part, picked(values, taken));
    values.resize(to);
    std::vector<Var> handed_through = values;
    for (std::size_t k = 0; k < given.size(); ++k) {
      handed_through[given[k]] = results[k];
      if (given[k] >= from) values[given[k]] = results[k];
    }
    for (std::size_t i = to; i < end; ++i) {
      values.push_back(run_line(program.lines[i], i % 2 == 0 ? values : handed_through));
      handed_through.push_back(values.back());
    }
    return values;
  };
}

// Whether all values that a passage hands on are contiguous.
bool gives_contiguous(const RandomProgram& program, Passage passage) {
  Tape tape;
  std::vector<Var> inputs;
  for (const Array& array : program.inputs()) inputs.push_back(tape.input(array));
  const std::vector<Var> values = run(program, inputs);
  const std::vector<std::size_t> handed_on = used(program, passage.to, passage.to, program.lines.size());
  return std::all_of(handed_on.begin(), handed_on.end(),
                     [&](std::size_t i) { return i < passage.from || values[i].value().contiguous(); });
}

void check_law_with_checkpoint(int cases, std::string (*law)(const Function&)) {
  check_property(cases, [law](const RandomProgram& program) {
    return law(function_of(program, with_checkpoint(draw_passage(program), true)));
  });
}

}  // namespace

TEST_CASE("property: for random programs, forward mode is the transpose of reverse mode") {
  check_law(1000, forward_is_transposed_reverse);
}

TEST_CASE("property: for random programs, gradients are what central differences say") {
  check_property(
      1000, [](const RandomProgram& program) { return gradient_is_central_difference(function_with_kinks(program)); });
}

TEST_CASE("property: for random programs, a recorded backward pass gives the gradients of an unrecorded one") {
  check_law(1000, recorded_is_unrecorded);
}

TEST_CASE("property: for random programs, second derivatives are symmetric, in whatever order the modes are nested") {
  check_law(1000, second_derivative_is_symmetric);
}

TEST_CASE("property: for random programs, float32 gives what float64 gives, but for rounding") {
  check_property(1000,
                 [](const RandomProgram& program) { return float32_is_near_float64(function_with_kinks(program)); });
}

TEST_CASE("property: for random programs, values and gradients have the same bits the second time") {
  check_law(1000, same_bits_again);
}

TEST_CASE("property: for random programs, gradients are linear in the adjoint") { check_law(1000, reverse_is_linear); }

TEST_CASE("property: for random programs, strided inputs give what contiguous ones give") {
  check_property(1000, [](const RandomProgram& program) {
    return equal_functions(function_of(program, run_strided), function_of(program));
  });
}

TEST_CASE("property: for random programs, going back in two parts is going back at once") {
  check_property(1000, [](const RandomProgram& program) {
    const std::size_t end = program.lines.size(),
                      middle = *rc::gen::inRange(program.input_count(), end + 1).as("first line of the second part");
    return chain_rule_holds_at_cut({program.inputs(), [&](Tape& tape, const std::vector<Array>& at) {
                                      Recorded r;
                                      for (const Array& array : at) r.leaves.push_back(tape.input(array));
                                      const std::vector<Var> values = run(program, r.leaves);
                                      r.y = values.back();
                                      r.cut = picked(values, used(program, middle, middle, end));
                                      return r;
                                    }});
  });
}

TEST_CASE("property: for random programs, a checkpoint changes no digit of a value or gradient") {
  check_property(1000, [](const RandomProgram& program) {
    const Passage passage = draw_passage(program);
    const Function kept = function_of(program), forgotten = function_of(program, with_checkpoint(passage, false));
    // what it hands on is copied: a sum over a strided view may add in another order than one over its copy
    return gives_contiguous(program, passage) ? equal_digits(forgotten, kept) : equal_functions(forgotten, kept);
  });
}

TEST_CASE("property: for random programs with a checkpoint, forward mode is the transpose of reverse mode") {
  check_law_with_checkpoint(500, forward_is_transposed_reverse);
}

TEST_CASE("property: for random programs with a checkpoint, a recorded backward pass gives the same gradients") {
  check_law_with_checkpoint(500, recorded_is_unrecorded);
}

TEST_CASE("property: for random programs with a checkpoint, second derivatives are symmetric") {
  check_law_with_checkpoint(500, second_derivative_is_symmetric);
}

}  // namespace unroll::test
