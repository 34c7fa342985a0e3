#include "support.hpp"

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/heat_map.hpp>

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

namespace unroll::test {

namespace {

HeatMap small() {
  HeatMap map;
  map.title = "a < b";
  map.x_label = "t";
  map.y_label = "s";
  map.xs = {1, 2, 3};
  map.ys = {1, 2};
  map.values = {{1, 0, std::nan("")}, {1e-4, 1e-2, 1}};
  return map;
}

}  // namespace

TEST_CASE("heat map: a field for each positive number, the largest lightest, the smallest darkest") {
  const std::string svg = to_svg(small());
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.find("a &lt; b") != std::string::npos);
  std::size_t fields = 0;
  for (std::size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) ++fields;
  CHECK(fields == 4);
  CHECK(svg.find("fill=\"#fee838\"><title>s 1, t 1: 1</title>") != std::string::npos);
  CHECK(svg.find("fill=\"#00224e\"><title>s 2, t 1: 0.0001</title>") != std::string::npos);
  CHECK(svg.find("fill=\"#7d7c78\"><title>s 2, t 2: 0.01</title>") != std::string::npos);
  CHECK(svg.find(">1e-4<") != std::string::npos);
  CHECK(svg.find(">1e0<") != std::string::npos);
}

TEST_CASE("heat map: a table that does not fit, or without a positive number, is refused") {
  HeatMap map = small();
  map.values.pop_back();
  CHECK(message([&] { to_svg(map); }) == "heat map a < b: 1 rows for 2 ys");
  map = small();
  map.values[1].pop_back();
  CHECK(message([&] { to_svg(map); }) == "heat map a < b: a row of 2 values for 3 xs");
  map.values = {{0, 0, 0}, {-1, 0, std::nan("")}};
  CHECK(message([&] { to_svg(map); }) == "heat map a < b: no value is above 0");
}

}  // namespace unroll::test
