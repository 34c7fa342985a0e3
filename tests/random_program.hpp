#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/random.hpp>
#include <unroll/core/tape/var.hpp>

#include <cstdint>
#include <ostream>
#include <span>
#include <string_view>
#include <vector>

#include <rapidcheck.h>

// Random programs as data, so that a failing one can be made smaller and printed:
//
//   v0 = input (2, 1)
//   v1 = input (3)
//   v2 = mul(v0 (2, 1), v1 (3))
namespace unroll::test {

struct Operation;  // tests/program_operations.hpp

// A named list of numbers that an operation takes besides its operands: axes=[0, -1].
struct Attribute {
  std::string_view name;
  std::vector<std::int64_t> values;
};

// One value of a program: an input, or an operation on values before it.
struct Line {
  const Operation* operation = nullptr;  // nullptr: an input
  std::vector<std::size_t> operands;
  std::vector<Attribute> attributes;
  Shape shape;
  std::uint64_t seed = 0;  // of an input's elements

  bool is_input() const { return operation == nullptr; }
  // The numbers of an attribute, which must be there; the only one.
  const std::vector<std::int64_t>& ints(std::string_view name) const;
  std::int64_t integer(std::string_view name) const { return ints(name).front(); }
};

// A straight-line program: its inputs, then its operations. The result is the value of the last line, in which every other line has a
// part.
struct RandomProgram {
  std::vector<Line> lines;
  bool round = false;  // the inputs' elements are multiples of 1/4

  std::size_t input_count() const;
  // Float64 elements of the inputs between -1.5 and 1.5, which float32 can hold.
  std::vector<Array> inputs() const;
};

std::ostream& operator<<(std::ostream& out, const RandomProgram& program);

// A program of so many operations; more where values grew large and were squashed, fewer where some had no part in the result.
RandomProgram draw_program(Generator& random, std::size_t operations);

// Programs like this one with fewer operations, fewer inputs, smaller arrays or rounder numbers.
std::vector<RandomProgram> smaller_programs(const RandomProgram& program);

// The value of an operation, given those of all lines before it. Throws std::logic_error where the library gives it another shape than
// the line has.
Var run_line(const Line& line, std::span<const Var> values);
// The values of all lines on the tape of the inputs.
std::vector<Var> run(const RandomProgram& program, std::span<const Var> inputs);

// On which side of the kinks of its operations (relu, abs, max, ...) a program stands: arrays of whole numbers that stay as they are where
// the program is smooth.
std::vector<Var> kink_sides(const RandomProgram& program, std::span<const Var> values);

}  // namespace unroll::test

template <> struct rc::Arbitrary<unroll::test::RandomProgram> {
  static rc::Gen<unroll::test::RandomProgram> arbitrary();
};
