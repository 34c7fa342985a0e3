#pragma once

#include <unroll/core/array/array.hpp>

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

// What the tests share: comparisons that say what differs, finite differences, fixtures, golden files.
namespace unroll::test {

// The outcome of a comparison: CHECK(close(...)) prints the message where it is not empty.
struct Comparison {
  std::string message;  // empty: nothing differs

  explicit operator bool() const { return message.empty(); }
  friend std::ostream& operator<<(std::ostream& out, const Comparison& comparison) { return out << comparison.message; }
};

// Equal shapes, and every |a - b| <= absolute + relative * |b|. Infinities must be equal; NaN is close to NaN only. The
// element types may differ.
Comparison close(const ArrayView& a, const ArrayView& b, double absolute, double relative);

// Equal shapes, element types and bits.
Comparison same_bits(const ArrayView& a, const ArrayView& b);

// What an action throws as Error; "nothing" where it does not.
std::string message(const std::function<void()>& action);

// A program of several arrays, run anew at each call.
using Program = std::function<Array(const std::vector<Array>&)>;

// The sum of the products of equal positions.
double dot(const ArrayView& a, const ArrayView& b);

// The gradient of <u, f(at)> by the elements of argument i, by central differences. float64 only.
Array numeric_gradient(const Program& f, const std::vector<Array>& at, std::size_t i, const ArrayView& u,
                       double step = 1e-5);

// The derivative of f(at) as all arguments move along `directions` (an array without elements: does not move), by
// central differences. float64 only.
Array numeric_tangent(const Program& f, const std::vector<Array>& at, const std::vector<Array>& directions,
                      double step = 1e-5);

// The contents of a file below tests/. Throws std::runtime_error where it cannot be read.
std::string read_file(const std::string& path);

// tests/fixtures/NAME, parsed. Files that read it include <nlohmann/json.hpp>.
nlohmann::json fixture(const std::string& name);

// A tensor of a fixture, {"shape": [...], "data": [...]}, in float64; and one of integers.
Array tensor(const nlohmann::json& json);
std::vector<std::int64_t> integers(const nlohmann::json& json);

// Compares a text with tests/golden/NAME and names the first line that differs. With the environment variable
// UNROLL_UPDATE_GOLDEN set, writes the file instead: look at the difference before committing it.
Comparison matches_golden(const std::string& name, std::string_view text);

}  // namespace unroll::test
