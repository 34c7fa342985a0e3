#include <unroll/core/render/json_value.hpp>

#include <unroll/core/array/error.hpp>

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace unroll::drawing {

Json json_number(double value, int digits) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  constexpr double exact = 9e15;  // whole numbers below it are written as such: "1", not "1.0"
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "{:.{}g}", value, digits);
  double rounded = 0;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  if (std::abs(rounded) < exact && rounded == std::trunc(rounded)) return static_cast<std::int64_t>(rounded);
  return rounded;
}

std::int64_t in_hundredths(double points) { return std::llround(points * 100); }

Json json_hundredths(std::int64_t hundredths) {
  if (hundredths % 100 == 0) return hundredths / 100;
  return static_cast<double>(hundredths) / 100;
}

Json json_step(std::int64_t step) { return step == no_step ? Json() : Json(step); }

std::string json_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace unroll::drawing
