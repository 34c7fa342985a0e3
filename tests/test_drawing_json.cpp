#include "drawing_by_hand.hpp"
#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/json.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

// Drawings as JSON, for programs that process them further.

namespace unroll::test {

namespace {

using drawing::Drawing;
using drawing::DrawnEdge;
using drawing::DrawnFrame;
using drawing::DrawnNode;
using drawing::Flow;
using drawing::json_text;
using drawing::Point;
using drawing::Rectangle;
using Json = nlohmann::ordered_json;

Var lstm_loss(Tape& tape, std::int64_t steps) {
  Generator generator(1);
  const textbook::LSTM lstm({.input = 3, .hidden = 4, .dtype = DType::f32}, generator);
  const Var x = tape.constant(Array({steps, 1, 3}, DType::f32), "x");
  return mean(square(over_time(lstm, x).outputs.back())).named("loss");
}

Json json_of(const Tape& tape, const Drawing& drawing, const RenderOptions& options = {}) {
  return Json::parse(json_text(tape, drawing, options));
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> result;
  for (const auto& [key, value] : object.items()) result.push_back(key);
  return result;
}

bool near(const Json& number, double value) { return std::abs(number.get<double>() - value) <= 0.0050001; }

bool at(const Json& json, const Drawing& drawing, Point p) {
  return json.size() == 2 && near(json[0], p.x - drawing.box.left) && near(json[1], drawing.box.top - p.y);
}

bool has_box(const Json& json, const Drawing& drawing, const Rectangle& box) {
  return near(json["x"], box.left - drawing.box.left) && near(json["y"], drawing.box.top - box.top) &&
         near(json["width"], box.width()) && near(json["height"], box.height());
}

Json step_json(std::int32_t step) { return step == no_step ? Json() : Json(step); }

void check_frames(const Json& list, const Drawing& drawing, const std::vector<DrawnFrame>& frames) {
  REQUIRE(list.size() == frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const DrawnFrame& frame = frames[i];
    CHECK(keys(list[i]) ==
          std::vector<std::string>{"id", "kind", "label", "label_at", "x", "y", "width", "height", "nodes", "inner"});
    CHECK(list[i]["id"] == frame.id);
    CHECK(list[i]["label"] == frame.label);
    CHECK(list[i]["kind"] == (frame.kind == DrawnFrame::Kind::step ? "step" : "gate"));
    CHECK(at(list[i]["label_at"], drawing, frame.label_at));
    CHECK(has_box(list[i], drawing, frame.box));
    CHECK(list[i]["nodes"] == Json(frame.nodes));
    check_frames(list[i]["inner"], drawing, frame.inner);
  }
}

}  // namespace

TEST_CASE("a drawing as JSON has every box, line, frame and bar at its place") {
  Tape tape;
  lstm_loss(tape, 3);
  const Drawing drawing = drawing_by_hand(tape);
  const Json json = json_of(tape, drawing, {.level = Level::gates});
  CHECK(keys(json) == std::vector<std::string>{"format", "version", "title", "description", "notes", "level", "width",
                                               "height", "has_gradients", "scale", "nodes", "edges", "frames", "blocks",
                                               "texts", "bars"});
  CHECK(json["format"] == "unroll drawing");
  CHECK(json["version"] == 1);
  CHECK(json["title"] == "by hand");
  CHECK(json["description"] == "all forward nodes");
  CHECK(json["notes"] == Json{"a note"});
  CHECK(json["level"] == "gates");
  CHECK(near(json["width"], drawing.box.width()));
  CHECK(near(json["height"], drawing.box.height()));
  CHECK(json["has_gradients"] == true);
  CHECK(json["scale"] == Json{{"smallest", 1e-4}, {"largest", 10}});

  REQUIRE(json["nodes"].size() == drawing.nodes.size());
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const DrawnNode& drawn = drawing.nodes[i];
    const Json& node = json["nodes"][i];
    CAPTURE(drawn.id);
    CHECK(keys(node) == std::vector<std::string>{"id",    "node", "members", "look",    "name",   "operation",
                                                 "scope", "step", "phase",   "shape",   "dtype",  "text",
                                                 "x",     "y",    "width",   "height",  "dashed", "colour",
                                                 "min",   "mean", "max",     "gradient"});
    CHECK(node["id"] == drawn.id);
    CHECK(has_box(node, drawing, drawn.box));
    CHECK(node["members"] == Json(drawn.members));
    CHECK(node["dashed"] == drawn.dashed);
    if (drawn.node == no_node) {
      for (const char* key : {"node", "step", "shape", "min", "mean", "max", "gradient", "colour"})
        CHECK(node[key].is_null());
      for (const char* key : {"name", "operation", "scope", "phase", "dtype"}) CHECK(node[key] == "");
      CHECK(node["look"] == "gap");
      CHECK(node["text"] == Json{"× 94"});
      continue;
    }
    const Node& on_tape = tape[drawn.node];
    CHECK(node["node"] == drawn.node);
    CHECK(node["look"] == (drawn.look == drawing::Look::input   ? "input"
                           : drawn.look == drawing::Look::state ? "state"
                                                                : "operation"));
    CHECK(node["operation"] == on_tape.op->name);
    CHECK(node["scope"] == tape.path(on_tape.place.scope));
    CHECK(node["step"] == step_json(on_tape.place.step));
    CHECK(node["phase"] == "forward");
    CHECK(node["shape"] == Json(on_tape.value.shape.vector()));
    CHECK(node["dtype"] == "float32");
    CHECK(node["text"] == Json{drawn.text.title, drawn.text.notes[0], drawn.text.gradient});
    CHECK(node["gradient"] == 1.5);
    CHECK(static_cast<float>(node["mean"].get<double>()) <= static_cast<float>(node["max"].get<double>()));
    if (on_tape.value.size() == 1)
      CHECK(static_cast<float>(node["mean"].get<double>()) == static_cast<float>(on_tape.value.item()));
  }

  REQUIRE(json["edges"].size() == drawing.edges.size());
  for (std::size_t i = 0; i < drawing.edges.size(); ++i) {
    const DrawnEdge& drawn = drawing.edges[i];
    const Json& edge = json["edges"][i];
    CHECK(keys(edge) == std::vector<std::string>{"from", "to", "source", "kind", "cut", "backward", "points", "label",
                                                 "label_at", "gradient"});
    CHECK(edge["from"] == drawn.from);
    CHECK(edge["to"] == drawn.to);
    CHECK(edge["source"] == (drawn.source == no_node ? Json() : Json(drawn.source)));
    CHECK(edge["kind"] == (drawn.kind == DrawnEdge::Kind::state ? "state" : "data"));
    CHECK(edge["cut"] == drawn.cut);
    CHECK(edge["backward"] == drawn.backward);
    REQUIRE(edge["points"].size() == drawn.curve.size());
    for (std::size_t k = 0; k < drawn.curve.size(); ++k) CHECK(at(edge["points"][k], drawing, drawn.curve[k]));
    CHECK(edge["label"] == drawn.label);
    CHECK((drawn.label.empty() ? edge["label_at"].is_null() : at(edge["label_at"], drawing, drawn.label_at)));
    CHECK(edge["gradient"] == (drawn.flow.kind == Flow::Kind::finite ? Json(0.7) : Json()));
  }

  check_frames(json["frames"], drawing, drawing.frames);
  REQUIRE(json["blocks"].size() == drawing.blocks.size());
  for (std::size_t i = 0; i < drawing.blocks.size(); ++i) {
    const drawing::DrawnBlock& drawn = drawing.blocks[i];
    const Json& block = json["blocks"][i];
    CHECK(block["step"] == step_json(drawn.step));
    CHECK(block["layer"] == "lstm");
    CHECK(block["shape"] == drawn.shape);
    CHECK(at(block["origin"], drawing, drawn.origin));
    CHECK(block["nodes"] == Json{drawn.first_node, drawn.node_count});
    CHECK(block["edges"] == Json{drawn.first_edge, drawn.edge_count});
  }
  REQUIRE(json["texts"].size() == 1);
  CHECK(json["texts"][0]["text"] == "words");
  CHECK(at(json["texts"][0]["at"], drawing, drawing.texts[0].at));
  CHECK(json["texts"][0]["size"] == 8);
  REQUIRE(json["bars"].size() == 1);
  CHECK(has_box(json["bars"][0], drawing, drawing.bars[0].box));
  CHECK(json["bars"][0]["step"] == 1);
  CHECK(json["bars"][0]["norm"] == 0.5);
  CHECK(json["bars"][0]["share"] == 0.25);
  CHECK(json["bars"][0]["label"] == "0.5");
  CHECK(at(json["bars"][0]["label_at"], drawing, drawing.bars[0].label_at));
}

TEST_CASE("a drawing as JSON says names, statistics and hooks' colours") {
  Tape tape;
  {
    const Step step(tape, 2);
    const Scope scope(tape, "lstm");
    tape.input(Array({3}, {0.1, 0.2, 0.6}, DType::f32), "h");
  }
  tape.input(Array({0}), "empty");
  Drawing drawing = drawing_by_hand(tape);
  for (DrawnNode& node : drawing.nodes)
    if (node.node == 0) node.colour = "#AABBCC";
  const Json json = json_of(tape, drawing);
  CHECK(json["level"] == "ops");
  for (const Json& node : json["nodes"]) {
    if (node["node"] == 0) {
      CHECK(node["name"] == "h_2");
      CHECK(node["scope"] == "lstm");
      CHECK(node["step"] == 2);
      CHECK(node["colour"] == "#AABBCC");
      CHECK(node["min"] == 0.100000001);  // nine digits of a float32
      CHECK(node["mean"].get<double>() == doctest::Approx(0.3));
      CHECK(node["max"] == 0.600000024);
    } else {
      CHECK(node["min"].is_null());
      CHECK(node["mean"].is_null());
      CHECK(node["max"].is_null());
    }
  }
}

TEST_CASE("JSON keeps a gradient of zero apart from one that was not computed, and spells NaN and infinities") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  Tape tape;
  for (int i = 0; i < 6; ++i) tape.input(Array({2}, {nan, infinity}), "x");
  Drawing drawing = drawing_by_hand(tape);
  const Flow flows[] = {{Flow::Kind::unasked},           {Flow::Kind::absent},      {Flow::Kind::zero},
                        {Flow::Kind::finite, 1e-7, 0.1}, {Flow::Kind::broken, nan}, {Flow::Kind::broken, infinity}};
  for (std::size_t i = 0; i < 6; ++i) drawing.nodes[i].flow = flows[i];
  drawing.bars[0].share = -infinity;
  const Json json = json_of(tape, drawing);
  const Json expected[] = {nullptr, nullptr, 0, 1e-7, "nan", "inf"};
  for (std::size_t i = 0; i < 6; ++i) CHECK(json["nodes"][i]["gradient"] == expected[i]);
  CHECK(json["nodes"][0]["mean"] == "nan");
  CHECK(json["bars"][0]["share"] == "-inf");
}

TEST_CASE("a drawing without gradients has no scale in JSON") {
  Tape tape;
  lstm_loss(tape, 1);
  Drawing drawing = drawing_by_hand(tape);
  drawing.has_gradients = false;
  CHECK(json_of(tape, drawing)["has_gradients"] == false);
  CHECK(json_of(tape, drawing)["scale"].is_null());
  drawing.has_gradients = true;
  drawing.largest = drawing.smallest = 0;  // none was above zero
  CHECK(json_of(tape, drawing)["scale"].is_null());
}

TEST_CASE("any text is safe in JSON, which has a line for each node and ends with a line break") {
  Tape tape;
  const std::string nasty = "\"quoted\" \\ 은닉\n\t\x01 </script>";
  tape.input(Array({2}, {1, 2}), nasty);
  Drawing drawing = drawing_by_hand(tape);
  drawing.title = nasty;
  drawing.description = "broken \xff byte";
  const std::string text = json_text(tape, drawing, {});
  const Json json = Json::parse(text);
  CHECK(json["title"] == nasty);
  CHECK(json["description"] == "broken \uFFFD byte");
  CHECK(json["nodes"][0]["name"] == nasty);
  CHECK(text.ends_with("\n}\n"));
  CHECK(text.find("\n{\"id\":\"n0\"") != std::string::npos);
  CHECK(text.find("\n{\"id\":\"gap\"") != std::string::npos);
}

TEST_CASE("an empty drawing is a JSON object, too") {
  const Tape tape;
  const Json json = json_of(tape, {});
  for (const char* list : {"nodes", "edges", "frames", "blocks", "texts", "bars", "notes"})
    CHECK(json[list] == Json::array());
}

TEST_CASE("equal programs have equal JSON") {
  const auto text = [] {
    Tape tape;
    lstm_loss(tape, 3);
    return json_text(tape, drawing_by_hand(tape), {});
  };
  CHECK(text() == text());
}

}  // namespace unroll::test
