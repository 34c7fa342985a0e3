#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/render/gnuplot.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include <unistd.h>

namespace unroll::test {

namespace {

Plot decay() {
  Plot plot{.title = "It's <a> decay & more_of_it", .x_label = "t", .y_label = "|dL/dh_t|", .log_y = true};
  plot.series = {{.label = "fast", .xs = {1, 2, 3}, .ys = {1e-200, 1e-100, 1}},
                 {.label = "slow_c", .xs = {1, 2, 3}, .ys = {0.25, 0, std::nan("")}}};
  return plot;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Puts another value into an environment variable while it lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name), before_(std::getenv(name) ? std::getenv(name) : "") {
    ::setenv(name, value, 1);
  }
  ~Environment() { ::setenv(name_, before_.c_str(), 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::string before_;
};

}  // namespace

TEST_CASE("gnuplot: a plot has its labels as they were given, each series its colour, and no date") {
  const std::string svg = to_svg(decay());
  CHECK(svg.starts_with("<?xml"));
  CHECK(svg.ends_with("</svg>\n\n"));
  for (const char* text : {"It's &lt;a> decay &amp; more_of_it", ">t<", "|dL/dh_t|", "fast", "slow_c"})
    CHECK_MESSAGE(svg.find(text) != std::string::npos, text);
  CHECK(svg.find("rgb(  0, 114, 178)") != std::string::npos);
  CHECK(svg.find("rgb(213,  94,   0)") != std::string::npos);
  CHECK(svg == to_svg(decay()));
}

TEST_CASE("gnuplot: a curve is broken where a point cannot be drawn") {
  const auto moves = [](double middle) {  // "M x,y" lifts the pen
    Plot plot{.title = "t", .x_label = "x", .y_label = "y"};
    plot.series = {{.label = "s", .xs = {1, 2, 3, 4, 5}, .ys = {1, 2, middle, 2, 1}, .points = false}};
    return count(to_svg(plot), "M");
  };
  CHECK(moves(std::nan("")) == moves(1.5) + 1);
}

TEST_CASE("gnuplot: a reader's own settings do not change the plot") {
  const std::string svg = to_svg(decay());
  const auto folder = std::filesystem::temp_directory_path() / ("unroll-test-plot-home-" + std::to_string(::getpid()));
  write_whole_file(folder / ".gnuplot", "set xrange [0:99]\n");
  {
    const Environment home("HOME", folder.c_str());
    CHECK(to_svg(decay()) == svg);
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("gnuplot: plots one below the other stand in one file, with all they have, and twelve curves differ") {
  Plot upper = decay(), lower = decay();
  lower.id = "lower";
  lower.y_range = {1e-3, 1};
  lower.series.clear();
  for (int k = 0; k < 12; ++k)
    lower.series.push_back({.label = "curve " + std::to_string(k), .xs = {1, 2}, .ys = {0.1, 0.01 * (k + 1)}});
  const std::string both = to_svg(std::vector<Plot>{upper, lower});
  CHECK(both.starts_with("<?xml"));
  CHECK(both.find("viewBox=\"0 0 860 800\"") != std::string::npos);
  CHECK(count(both, "<?xml") == 1);
  CHECK(count(both, "</svg>") == 3);
  for (const char* text : {"slow_c", "curve 0", "curve 11", "lower_gp", "plot_gp"})
    CHECK_MESSAGE(both.find(text) != std::string::npos, text);
  // the seventh curve has the colour of the first, and other dashes
  const auto style = [&](const std::string& label) {
    const std::size_t at = both.find("stroke='rgb(", both.find(">" + label + "<"));
    return both.substr(at, both.find(" d='", at) - at);
  };
  const std::string first = style("curve 0"), seventh = style("curve 6");
  CHECK(first.substr(0, 27) == seventh.substr(0, 27));
  CHECK(first != seventh);
}

TEST_CASE("gnuplot: the identifiers of two plots in one page do not meet") {
  Plot plot = decay();
  plot.id = "second";
  const std::string first = to_svg(decay()), second = to_svg(plot);
  CHECK(count(first, "id=") > 5);
  CHECK(count(first, "id=") == count(first, "id='plot_") + count(first, "id=\"plot_"));
  CHECK(count(second, "id=") == count(second, "id='second_") + count(second, "id=\"second_"));
  CHECK(count(second, "href='#second_") == count(second, "href="));
}

TEST_CASE("gnuplot: what cannot be drawn is refused with the reason") {
  Plot plot = decay();
  plot.series[0].ys.pop_back();
  CHECK(message([&] { to_svg(plot); }) ==
        "plot It's <a> decay & more_of_it: series fast has 3 xs and 2 ys, expected as many");
  plot.series = {{.label = "zeros", .xs = {1, 2}, .ys = {0, -1}}};
  CHECK(message([&] { to_svg(plot); }) ==
        "plot It's <a> decay & more_of_it: there is no point to draw: every value is missing, infinite or not above 0, "
        "which a logarithmic axis needs");
  plot.log_y = false;
  plot.series = {{.label = "nothing", .xs = {1}, .ys = {std::numeric_limits<double>::infinity()}}};
  CHECK(
      message([&] { to_svg(plot); }) ==
      "plot It's <a> decay & more_of_it: there is no point to draw: every value is missing, infinite or not a number");
  CHECK(message([&] { draw(decay(), "plot.png"); }) == "a plot is drawn as .svg, not as plot.png");
}

TEST_CASE("gnuplot: where the program is missing the message says what to install, and no file is left") {
  const auto file =
      std::filesystem::temp_directory_path() / ("unroll-test-plot-" + std::to_string(::getpid()) + ".svg");
  {
    const Environment path("PATH", "/nonexistent");
    CHECK(message([&] { draw(decay(), file); }) ==
          "gnuplot: this program draws the plots, and it is not installed: the package is called gnuplot-nox");
    CHECK(!std::filesystem::exists(file));
  }
  draw(decay(), file);
  CHECK(read_whole_file(file) == to_svg(decay()));
  std::filesystem::remove(file);
}

TEST_CASE("gnuplot: what the program has to say against its script arrives") {
  Plot plot = decay();
  plot.width = 0;
  CHECK(message([&] { to_svg(plot); }).starts_with("gnuplot: it failed: "));
}

}  // namespace unroll::test
