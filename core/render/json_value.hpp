#pragma once

#include <unroll/core/render/render.hpp>

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

// What the JSON outputs share. For .cpp files of this room only: who uses the library does not need nlohmann's headers.
namespace unroll::drawing {

// Keeps the keys in the order in which they were written.
using Json = nlohmann::ordered_json;

// A number rounded to so many significant digits; NaN and the infinities, which JSON does not have, are the strings "nan", "inf", "-inf".
Json json_number(double value, int digits);

// A coordinate, in whole hundredths of a point.
Json json_hundredths(std::int64_t hundredths);
std::int64_t in_hundredths(double points);

// null outside of time.
Json json_step(std::int64_t step);

// Text of a JSON value on one line. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const Json& value);

}  // namespace unroll::drawing
