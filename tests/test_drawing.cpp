#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/arrange.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/dot.hpp>
#include <unroll/core/render/draw.hpp>
#include <unroll/core/render/scene.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <unistd.h>

// Drawings: where things stand, what the text says, and which files appear.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;
using drawing::Drawing;
using drawing::DrawnCluster;
using drawing::DrawnEdge;
using drawing::DrawnNode;
using drawing::Point;
using drawing::Rectangle;

constexpr std::int64_t inputs = 3, hidden = 4;

Var input_sequence(Tape& tape, std::int64_t steps) { return tape.constant(Array({steps, 1, inputs}, DType::f64), "x"); }

template <class Cell> Var last_output_loss(Tape& tape, const Cell& cell, std::int64_t steps) {
  return mean(square(over_time(cell, input_sequence(tape, steps)).outputs.back())).named("loss");
}

textbook::LSTM lstm(bool peepholes = false) {
  Generator generator(1);
  return textbook::LSTM({.input = inputs, .hidden = hidden, .peepholes = peepholes, .dtype = DType::f64}, generator);
}

struct Network {
  std::string name;
  std::function<Var(Tape&, std::int64_t)> record;
};

std::vector<Network> networks() {
  Generator generator(1);
  const textbook::RNN rnn({.input = inputs, .hidden = hidden, .dtype = DType::f64}, generator);
  const textbook::GRU before({.input = inputs, .hidden = hidden, .reset = Reset::before, .dtype = DType::f64},
                             generator);
  const textbook::GRU after({.input = inputs, .hidden = hidden, .reset = Reset::after, .dtype = DType::f64}, generator);
  const LSTM packed({.input = inputs, .hidden = hidden, .dtype = DType::f64}, generator);
  const textbook::LSTM first({.input = inputs, .hidden = hidden, .name = "lower", .dtype = DType::f64}, generator);
  const textbook::LSTM second({.input = hidden, .hidden = hidden, .name = "upper", .dtype = DType::f64}, generator);
  const Linear readout({.input = hidden, .output = 2, .name = "readout", .dtype = DType::f64}, generator);
  const auto over = [](auto cell) {
    return [cell](Tape& tape, std::int64_t steps) { return last_output_loss(tape, cell, steps); };
  };
  return {{"RNN", over(rnn)},
          {"LSTM", over(lstm())},
          {"LSTM with peepholes", over(lstm(true))},
          {"packed LSTM", over(packed)},
          {"GRU, reset before", over(before)},
          {"GRU, reset after", over(after)},
          {"stacked outputs",
           [=](Tape& tape, std::int64_t steps) {
             return mean(over_time(lstm(), input_sequence(tape, steps)).stacked()).named("loss");
           }},
          {"two layers and a readout", [=](Tape& tape, std::int64_t steps) {
             const auto lower = over_time(first, input_sequence(tape, steps));
             const auto upper = over_time(second, lower.outputs, second.zero_state(tape, 1));
             std::vector<Var> logits;
             for (std::size_t t = 0; t < upper.outputs.size(); ++t) {
               const Step step(tape, static_cast<std::int64_t>(t) + 1);
               logits.push_back(readout(upper.outputs[t]).named("y"));
             }
             return cross_entropy(logits, std::vector<std::int64_t>(static_cast<std::size_t>(steps), 1)).named("loss");
           }}};
}

Drawing drawing_of(const Tape& tape, const DrawOptions& options = {}) {
  return drawing::arrange(tape, drawing::read_scene(tape, Phase::forward, options), options);
}

void collect(const DrawnCluster& cluster, std::vector<std::string>& ids) {
  ids.insert(ids.end(), cluster.nodes.begin(), cluster.nodes.end());
  for (const DrawnCluster& inner : cluster.inner) collect(inner, ids);
}

// The boxes of each time step, from the corner of its frame.
std::vector<std::vector<Rectangle>> boxes_by_step(const Drawing& drawing) {
  std::map<std::string, Rectangle> boxes;
  for (const DrawnNode& node : drawing.nodes) boxes[node.id] = node.box;
  std::vector<std::vector<Rectangle>> result;
  for (const DrawnCluster& step : drawing.clusters) {
    if (!step.id.starts_with("cluster_t")) continue;
    std::vector<std::string> ids;
    collect(step, ids);
    result.emplace_back();
    for (const std::string& id : ids) result.back().push_back(boxes.at(id).moved({-step.box.left, -step.box.bottom}));
  }
  return result;
}

bool same(const Rectangle& a, const Rectangle& b) {
  constexpr double hair = 1e-6;
  return std::abs(a.left - b.left) < hair && std::abs(a.right - b.right) < hair &&
         std::abs(a.bottom - b.bottom) < hair && std::abs(a.top - b.top) < hair;
}

// Points along a chain of Bezier curves.
std::vector<Point> points_along(const drawing::Curve& curve) {
  std::vector<Point> result;
  for (std::size_t i = 0; i + 3 < curve.size(); i += 3)
    for (int k = 0; k <= 40; ++k) {
      const double t = k / 40.0, s = 1 - t;
      result.push_back(s * s * s * curve[i] + 3 * s * s * t * curve[i + 1] + 3 * s * t * t * curve[i + 2] +
                       t * t * t * curve[i + 3]);
    }
  return result;
}

// A folder of its own for each test that writes, gone with it.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("unroll-drawing-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) { return error.what(); }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("drawing: steps are alike, follow each other to the right, and nothing covers anything") {
  for (const Network& network : networks())
    for (const std::int64_t steps : {1, 2, 3, 10}) {
      CAPTURE(network.name);
      CAPTURE(steps);
      Tape tape;
      network.record(tape, steps);
      const Drawing drawing = drawing_of(tape);

      const auto by_step = boxes_by_step(drawing);
      REQUIRE(by_step.size() == static_cast<std::size_t>(steps));
      for (const auto& boxes : by_step) {
        REQUIRE(boxes.size() == by_step.front().size());
        for (std::size_t i = 0; i < boxes.size(); ++i) CHECK(same(boxes[i], by_step.front()[i]));
      }
      for (std::size_t t = 1; t < drawing.clusters.size(); ++t)
        if (drawing.clusters[t].id.starts_with("cluster_t"))
          CHECK(drawing.clusters[t - 1].box.right < drawing.clusters[t].box.left);

      for (std::size_t i = 0; i < drawing.nodes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
          CAPTURE(drawing.nodes[i].id);
          CAPTURE(drawing.nodes[j].id);
          CHECK_FALSE(drawing.nodes[i].box.overlaps(drawing.nodes[j].box));
        }
    }
}

TEST_CASE("drawing: no state's line crosses a box") {
  for (const Network& network : networks()) {
    CAPTURE(network.name);
    Tape tape;
    network.record(tape, 3);
    const Drawing drawing = drawing_of(tape);
    for (const DrawnEdge& edge : drawing.edges) {
      if (!edge.state) continue;
      for (const DrawnNode& node : drawing.nodes) {
        if (node.id == edge.from || node.id == edge.to) continue;
        CAPTURE(edge.from);
        CAPTURE(edge.to);
        CAPTURE(node.id);
        bool crosses = false;
        for (const Point& p : points_along(edge.curve)) crosses |= node.box.overlaps({p.x, p.y, p.x, p.y});
        CHECK_FALSE(crosses);
      }
    }
  }
}

TEST_CASE("drawing: the cell state of an LSTM runs on one straight line") {
  Tape tape;
  last_output_loss(tape, lstm(), 3);
  const Drawing drawing = drawing_of(tape);
  std::map<std::string, std::string> title;
  std::map<std::string, double> height;
  for (const DrawnNode& node : drawing.nodes) {
    title[node.id] = node.text.title;
    height[node.id] = node.box.centre().y;
  }
  int pieces = 0;
  for (const DrawnEdge& edge : drawing.edges) {
    if (!edge.state || !title[edge.from].starts_with("c_") || !title[edge.to].starts_with("⊙")) continue;
    ++pieces;
    for (const Point& p : edge.curve) CHECK(p.y == doctest::Approx(height[edge.from]));
    CHECK(height[edge.to] == doctest::Approx(height[edge.from]));
  }
  CHECK(pieces == 3);  // c_0, c_1, c_2
}

TEST_CASE("drawing: the text of a small LSTM") {
  Tape tape;
  const Var loss = last_output_loss(tape, lstm(), 2);
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  std::string text = to_dot(tape, {.gradients = &gradients, .title = "An LSTM"});
  // Positions and sizes come from the fonts of the machine, so they are no part of the golden file: other tests look at them.
  text = std::regex_replace(text, std::regex(R"re((, )?(pos|lp|bb)="[^"]*"(, )?)re"), ", ");
  text = std::regex_replace(text, std::regex(R"re((width|height)=[0-9.]+, )re"), "");
  CHECK(matches_golden("lstm.dot", text));
}

TEST_CASE("drawing: equal programs give equal text") {
  Tape a, b;
  last_output_loss(a, lstm(), 3);
  last_output_loss(b, lstm(), 3);
  CHECK(to_dot(a) == to_dot(b));
}

TEST_CASE("drawing: networks without time, and an empty tape") {
  Tape tape;
  Generator generator(1);
  const Linear layer({.input = 3, .output = 2, .name = "layer", .dtype = DType::f64}, generator);
  const Var x = tape.input(Array({1, 3}, DType::f64), "x");
  mean(square(tanh(layer(x)).named("y"))).named("loss");
  const Drawing drawing = drawing_of(tape);
  CHECK(drawing.nodes.size() == 5);  // x, affine, tanh, square, mean
  for (const DrawnNode& node : drawing.nodes) CHECK(drawing.box.overlaps(node.box));

  const Tape empty;
  CHECK(drawing_of(empty).nodes.empty());
  CHECK(to_dot(empty).find("digraph") == 0);
}

TEST_CASE("drawing: a gradient that was not computed is not a gradient of zero") {
  Tape tape;
  const Var loss = last_output_loss(tape, lstm(), 2);
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  const Drawing drawing = drawing_of(tape, {.gradients = &gradients});
  std::map<std::string, std::string> by_title;
  for (const DrawnNode& node : drawing.nodes) by_title[node.text.title] = node.text.gradient;
  CHECK(by_title.at("x_1") == "∇ –");  // a constant
  CHECK(by_title.at("f_1") == "∇ 0");  // c_0 is 0, and so is what the forget gate lets through
  CHECK(by_title.at("loss") == "∇ 1");
  const double last = gradients.norm(tape.var(loss.id() - 2));  // loss = mean(square(h_2))
  CHECK(std::stod(by_title.at("h_2").substr(std::string("∇ ").size())) == doctest::Approx(last).epsilon(0.01));
  for (const DrawnEdge& edge : drawing.edges)
    if (edge.state) CHECK(edge.width > 0);
}

TEST_CASE("drawing: the backward pass stands below the forward pass, step below step, and flows to the left") {
  for (const Network& network : networks()) {
    CAPTURE(network.name);
    Tape tape;
    const Var loss = network.record(tape, 3);
    CHECK(message_of([&] { to_dot(tape, {.backward = true}); }).find("no backward pass is recorded") !=
          std::string::npos);
    backward(loss, {.create_graph = true});
    const Drawing drawing = drawing::compose(tape, {.backward = true});

    double floor = 0;
    std::map<std::string, Rectangle> frames;
    for (const DrawnCluster& cluster : drawing.clusters) frames[cluster.label] = cluster.box;
    for (const char* step : {"t = 1", "t = 2", "t = 3"}) {
      const Rectangle forward = frames.at(step), backward = frames.at(std::string(step) + ", backward");
      CHECK(backward.top < forward.bottom);
      CHECK(backward.centre().x == doctest::Approx(forward.centre().x).epsilon(0.01));
      floor = std::min(floor, forward.bottom);
    }
    for (const DrawnEdge& edge : drawing.edges)
      if (edge.state && edge.dashed && edge.curve.front().y < floor) CHECK(edge.curve.back().x < edge.curve.front().x);
    for (std::size_t i = 0; i < drawing.nodes.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(drawing.nodes[i].box.overlaps(drawing.nodes[j].box));
  }
}

TEST_CASE("drawing: any name is written so that every format can show it") {
  const Folder folder;
  for (const std::string name : {"\"quoted\"", "a < b & c > d", "back\\slash\\N", "two\nlines", "한국어", "<B>bold</B>",
                                 "&amp;", "\x01\x1F control", "\xFF\xC3 not UTF-8", "]]> -->", "%s %d {0}", ""}) {
    CAPTURE(name);
    Tape tape;
    const Scope scope(tape, name);
    const Step step(tape, 1);
    const Var h = tape.input(Array({2}, DType::f64), name);
    const Parameter weight("layer." + name, Array({2}, DType::f64));
    {
      const Scope gate(tape, name + " gate");
      tanh(h * tape.use(weight)).named(name);
    }
    draw(tape, folder.path / "names.svg", {.title = name});
    const std::string svg = read_whole_file(folder.path / "names.svg");
    CHECK(svg.find("</svg>") != std::string::npos);
    for (const char c : svg) CHECK((static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'));
    CHECK(svg.find("<B>") == std::string::npos);
    CHECK_NOTHROW(draw(tape, folder.path / "names.png", {.title = name}));
  }
}

TEST_CASE("drawing: files by suffix, whole or not at all") {
  const Folder folder;
  Tape tape;
  last_output_loss(tape, lstm(), 2);
  const std::map<std::string, std::string> beginnings{
      {"dot", "digraph"}, {"svg", "<?xml"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}};
  for (const auto& [suffix, beginning] : beginnings) {
    const fs::path file = folder.path / ("lstm." + suffix);
    draw(tape, file);
    CHECK(read_whole_file(file).starts_with(beginning));
  }
  CHECK(folder.files() == 4);

  const std::string unknown = message_of([&] { draw(tape, folder.path / "lstm.jpeg"); });
  CHECK(unknown.find(".jpeg is not a suffix that can be drawn: .dot, .svg, .png or .pdf") != std::string::npos);
  CHECK(message_of([&] { draw(tape, folder.path / "lstm"); }).find("no suffix") != std::string::npos);
  // A folder that is a file: nobody can write there, not even the superuser.
  const std::string unwritable = message_of([&] { draw(tape, folder.path / "lstm.dot" / "lstm.svg"); });
  CHECK(unwritable.find("lstm.svg") != std::string::npos);
  CHECK(folder.files() == 4);
}

}  // namespace unroll::test
