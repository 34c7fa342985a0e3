#include "support.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::test {

namespace {

std::string place(const Shape& shape, std::size_t position) {
  return fmt::format("({})", fmt::join(index_of(shape, position), ", "));
}

Array evaluate_moved(const Program& f, const std::vector<Array>& at, std::size_t i, std::size_t element, double by) {
  std::vector<Array> moved = at;
  moved[i] = at[i].copy();
  moved[i].set_flat(element, at[i].flat(element) + by);
  return f(moved);
}

}  // namespace

Comparison close(const ArrayView& a, const ArrayView& b, double absolute, double relative) {
  if (a.shape != b.shape) return {fmt::format("shape {} against {}", to_string(a.shape), to_string(b.shape))};
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a.flat(i), y = b.flat(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::abs(x - y) <= absolute + relative * std::abs(y)) || std::isinf(x) || std::isinf(y))
      return {fmt::format("entry {}: {} against {}, off by {:.3g}", place(a.shape, i), x, y, std::abs(x - y))};
  }
  return {};
}

Comparison same_bits(const ArrayView& a, const ArrayView& b) {
  if (a.shape != b.shape) return {fmt::format("shape {} against {}", to_string(a.shape), to_string(b.shape))};
  if (a.dtype != b.dtype) return {fmt::format("{} against {}", to_string(a.dtype), to_string(b.dtype))};
  const Array x = a.copy(), y = b.copy();
  const auto* p = static_cast<const std::byte*>(x.data());
  const auto* q = static_cast<const std::byte*>(y.data());
  const std::size_t bytes = size_of(a.dtype);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::memcmp(p + i * bytes, q + i * bytes, bytes) != 0)
      return {fmt::format("entry {}: {} against {}", place(a.shape, i), x.flat(i), y.flat(i))};
  return {};
}

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) { return e.what(); }
  return "nothing";
}

double dot(const ArrayView& a, const ArrayView& b) {
  if (a.shape != b.shape) throw std::invalid_argument("dot: unequal shapes");
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a.flat(i) * b.flat(i);
  return total;
}

Array numeric_gradient(const Program& f, const std::vector<Array>& at, std::size_t i, const ArrayView& u, double step) {
  Array gradient(at[i].shape(), DType::f64);
  for (std::size_t e = 0; e < gradient.size(); ++e)
    gradient.set_flat(
        e, (dot(evaluate_moved(f, at, i, e, step), u) - dot(evaluate_moved(f, at, i, e, -step), u)) / (2 * step));
  return gradient;
}

Array numeric_tangent(const Program& f, const std::vector<Array>& at, const std::vector<Array>& directions,
                      double step) {
  const auto moved = [&](double by) {
    std::vector<Array> result;
    for (std::size_t i = 0; i < at.size(); ++i) {
      result.push_back(at[i].copy());
      for (std::size_t e = 0; e < directions[i].size(); ++e)
        result[i].set_flat(e, at[i].flat(e) + by * directions[i].flat(e));
    }
    return f(result);
  };
  const Array above = moved(step), below = moved(-step);
  Array tangent(above.shape(), DType::f64);
  for (std::size_t e = 0; e < tangent.size(); ++e) tangent.set_flat(e, (above.flat(e) - below.flat(e)) / (2 * step));
  return tangent;
}

std::string read_file(const std::string& path) {
  std::ifstream file(UNROLL_TEST_DIR "/" + path, std::ios::binary);
  if (!file) throw std::runtime_error("tests/" + path + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

nlohmann::json fixture(const std::string& name) { return nlohmann::json::parse(read_file("fixtures/" + name)); }

Array tensor(const nlohmann::json& json) {
  const auto shape = json.at("shape").get<std::vector<std::int64_t>>();
  const auto data = json.at("data").get<std::vector<double>>();
  return Array(Shape(shape), std::span<const double>(data));
}

std::vector<std::int64_t> integers(const nlohmann::json& json) {
  return json.at("data").get<std::vector<std::int64_t>>();
}

Comparison matches_golden(const std::string& name, std::string_view text) {
  const std::string path = "golden/" + name;
  if (std::getenv("UNROLL_UPDATE_GOLDEN") != nullptr) {
    const std::filesystem::path target = std::filesystem::path(UNROLL_TEST_DIR) / path;
    std::filesystem::create_directories(target.parent_path());
    std::ofstream file(target, std::ios::binary);
    if (!(file << text)) return {"tests/" + path + " cannot be written"};
    return {};
  }
  std::istringstream expected(read_file(path)), actual{std::string(text)};
  std::string wanted, found;
  for (int line = 1;; ++line) {
    const bool more_wanted = static_cast<bool>(std::getline(expected, wanted));
    const bool more_found = static_cast<bool>(std::getline(actual, found));
    if (!more_wanted && !more_found) return {};
    if (more_wanted != more_found || wanted != found)
      return {fmt::format("tests/{}, line {}: expected {}, found {}", path, line,
                          more_wanted ? "\"" + wanted + "\"" : "the end",
                          more_found ? "\"" + found + "\"" : "the end")};
  }
}

}  // namespace unroll::test
