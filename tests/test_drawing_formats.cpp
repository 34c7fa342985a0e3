#include "drawn_networks.hpp"
#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/dot.hpp>
#include <unroll/core/render/graphviz.hpp>
#include <unroll/core/render/raster.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/render/svg.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <graphviz/cgraph.h>
#include <unistd.h>

#include <fmt/format.h>

// Every cell and form in every format: what other programs say of the files.

namespace unroll::test {

namespace {

using drawing::compose;
using drawing::Drawing;
using drawing::DrawnEdge;
using drawing::DrawnFrame;
using drawing::DrawnNode;

constexpr Theme themes[] = {Theme::light, Theme::dark, Theme::print};

// What a program says of a file, and whether it fails.
std::string messages_of(const std::string& command, const std::filesystem::path& file) {
  std::FILE* pipe = ::popen((command + " '" + file.string() + "' 2>&1").c_str(), "r");
  REQUIRE(pipe);
  std::string said;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
  const int status = ::pclose(pipe);
  return status == 0 ? said : said + " (it fails)";
}

struct TemporaryFolder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("unroll-drawing-formats-" + std::to_string(::getpid()));
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

// The first identifier that an SVG has twice; "" if there is none. `ids` are all of them.
std::string twice(const std::string& svg, std::set<std::string>& ids) {
  static const std::regex id(" id=\"([^\"]*)\"");
  for (auto m = std::sregex_iterator(svg.begin(), svg.end(), id); m != std::sregex_iterator(); ++m)
    if (!ids.insert((*m)[1]).second) return (*m)[1];
  return {};
}

// ---- DOT, as libcgraph reads it

std::string dot_messages;
int keep_dot_message(char* text) {
  dot_messages += text;
  return 0;
}

struct Graph {
  Agraph_t* graph;
  explicit Graph(const std::string& text) {
    dot_messages.clear();
    agseterrf(keep_dot_message);
    graph = agmemread(text.c_str());
    agseterrf(nullptr);
  }
  ~Graph() {
    if (graph) agclose(graph);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
};

// Width and height of a PNG: its first block says them.
std::pair<std::uint32_t, std::uint32_t> size_of_png(const std::string& bytes) {
  const auto at = [&](std::size_t i) {
    std::uint32_t value = 0;
    for (std::size_t k = i; k < i + 4; ++k) value = value << 8U | static_cast<unsigned char>(bytes.at(k));
    return value;
  };
  return {at(16), at(20)};
}

struct Recorded {
  Tape tape;
  Gradients gradients;
  Recorded(const DrawnNetwork& network, std::int64_t steps)
      : gradients(backward(network.record(tape, steps), {.keep = Keep::all})) {}
};

std::size_t frames_in(const std::vector<DrawnFrame>& frames) {
  std::size_t count = frames.size();
  for (const DrawnFrame& frame : frames) count += frames_in(frame.inner);
  return count;
}

}  // namespace

TEST_CASE("drawing formats: every SVG is well-formed and has no identifier twice") {
  const TemporaryFolder folder;
  int files = 0;
  for (const DrawnNetwork& network : drawn_networks()) {
    Recorded r(network, 2);
    for (const Theme theme : themes)
      for (const Level level : {theme == Theme::light  ? Level::ops
                                : theme == Theme::dark ? Level::cells
                                                       : Level::folded}) {
        INFO(network.name, ", theme ", static_cast<int>(theme), ", level ", static_cast<int>(level));
        const bool plain = theme == Theme::dark;
        const Drawing drawing = compose(
            r.tape,
            {.level = level, .gradients = plain ? nullptr : &r.gradients, .theme = theme, .title = "a < b & c"});
        const std::string svg = drawing::svg_text(drawing, theme);
        write_whole_file(folder.path / fmt::format("{}.svg", files++), svg);
        std::set<std::string> ids;
        CHECK(twice(svg, ids).empty());
        for (const DrawnNode& node : drawing.nodes) {
          CAPTURE(node.id);
          CHECK(ids.contains(node.id));
        }
      }
  }
  CHECK(files > 100);
  // one run of a strict reader for all; it is there where the project is developed
  if (std::system("command -v xmllint >/dev/null 2>&1") == 0)
    CHECK(messages_of("cd '" + folder.path.string() + "' && xmllint --nonet --huge --noout *.svg && ls -d",
                      folder.path) == folder.path.string() + "\n");
  write_whole_file(folder.path / "bad.svg", "<svg><g></svg>");
  if (std::system("command -v xmllint >/dev/null 2>&1") == 0)
    CHECK_FALSE(messages_of("xmllint --noout", folder.path / "bad.svg").empty());
}

TEST_CASE("drawing formats: librsvg opens every SVG, as a PNG of bounded size and a PDF") {
  for (const DrawnNetwork& network : drawn_networks()) {
    Recorded r(network, 1);
    for (const Level level : {Level::cells}) {
      INFO(network.name, ", level ", static_cast<int>(level));
      const std::string svg = render(r.tape, {.level = level, .gradients = &r.gradients});
      const drawing::Raster png = drawing::png_of(svg);
      REQUIRE(png.bytes.starts_with("\x89PNG"));
      const auto [width, height] = size_of_png(png.bytes);
      CHECK(width > 100);
      CHECK(height > 50);
      CHECK(width <= drawing::longest_side);
      CHECK(height <= drawing::longest_side);
    }
    CHECK(drawing::pdf_of(render(r.tape, {.level = Level::cells})).bytes.starts_with("%PDF"));
  }
}

TEST_CASE("drawing formats: a long network is a PNG with fewer pixels and not more of them than can be shown") {
  Tape tape;
  drawn_network("RNN").record(tape, 100);
  const drawing::Raster png = drawing::png_of(render(tape, {.budget = 0}));
  const auto [width, height] = size_of_png(png.bytes);
  CHECK(width <= drawing::longest_side);
  CHECK(width > 0.9 * drawing::longest_side);
  CHECK(height > 10);
  CHECK_FALSE(png.note.empty());
}

TEST_CASE("drawing formats: libcgraph reads every DOT text, with all boxes, lines and frames, at their places") {
  for (const DrawnNetwork& network : drawn_networks()) {
    Recorded r(network, 3);
    for (const Theme theme : themes) {
      const Level level = theme == Theme::light ? Level::ops : theme == Theme::dark ? Level::gates : Level::folded;
      INFO(network.name, ", theme ", static_cast<int>(theme));
      const Drawing drawing = compose(r.tape, {.level = level, .gradients = &r.gradients});
      const Graph read(drawing::dot_text(drawing, theme));
      REQUIRE(read.graph);
      CHECK(dot_messages.empty());
      int found = 0;
      for (const DrawnNode& node : drawing.nodes) {
        std::string id = node.id;
        Agnode_t* n = agnode(read.graph, id.data(), 0);
        if (!n) continue;
        ++found;
        char pos[] = "pos";
        double x = 0, y = 0;
        const char* text = agget(n, pos);
        REQUIRE(text);
        REQUIRE(std::sscanf(text, "%lf,%lf", &x, &y) == 2);
        CHECK(std::abs(x - node.box.centre().x) < 0.01);
        CHECK(std::abs(y - node.box.centre().y) < 0.01);
      }
      CHECK(found == static_cast<int>(drawing.nodes.size()));
      CHECK(agnedges(read.graph) >= static_cast<int>(drawing.edges.size()));
      std::size_t clusters = 0;
      const std::function<void(Agraph_t*)> count = [&](Agraph_t* graph) {
        for (Agraph_t* inner = agfstsubg(graph); inner; inner = agnxtsubg(inner)) {
          if (std::string(agnameof(inner)).starts_with("cluster")) ++clusters;
          count(inner);
        }
      };
      count(read.graph);
      CHECK(clusters == frames_in(drawing.frames));
    }
  }
}

TEST_CASE("drawing formats: dot lays every DOT text out anew without a message, and neato draws it as it is") {
  const TemporaryFolder folder;
  for (const DrawnNetwork& network : drawn_networks()) {
    Recorded r(network, 2);
    std::string file = network.name;
    std::replace(file.begin(), file.end(), ' ', '_');
    render(r.tape, folder.path / (file + ".dot"), {.level = Level::gates, .gradients = &r.gradients});
  }
  const std::string each = "cd '" + folder.path.string() + "' && for f in *.dot; do ";
  const std::string end = " \"$f\" >/dev/null || echo \"$f\"; done; ls -d";
  const std::string nothing = folder.path.string() + "\n";
  CHECK(messages_of(each + "dot -Tplain" + end, folder.path) == nothing);
  CHECK(messages_of(each + "neato -n2 -Tplain" + end, folder.path) == nothing);
  write_whole_file(folder.path / "bad.dot", "digraph { a -> }");
  CHECK(messages_of(each + "dot -Tplain" + end, folder.path) != nothing);
}

TEST_CASE("drawing formats: equal programs give equal bytes in every format") {
  const auto check = [](const std::string& name, std::int64_t steps, const std::vector<Format>& formats) {
    const Recorded a(drawn_network(name), steps), b(drawn_network(name), steps);
    for (const Format format : formats) {
      CAPTURE(name);
      CAPTURE(static_cast<int>(format));
      const bool same = render(a.tape, {.format = format, .gradients = &a.gradients}) ==
                        render(b.tape, {.format = format, .gradients = &b.gradients});
      CHECK(same);
    }
  };
  for (const DrawnNetwork& network : drawn_networks()) check(network.name, 1, {Format::dot});
  // The layout engine must not go by addresses, which are others each time.
  for (int again = 0; again < 8; ++again) check("mask, reverse", 2, {Format::dot});
  for (const char* name : {"RNN", "textbook GRU, reset after"}) check(name, 2, {Format::svg, Format::json});
  check("RNN", 2, {Format::png, Format::pdf, Format::html});
  check("textbook LSTM", 2, {Format::png, Format::pdf, Format::html});
}

}  // namespace unroll::test
