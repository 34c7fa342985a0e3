#include "drawing_by_hand.hpp"
#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/page.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

// The model behind the interactive page, and the page around it.

namespace unroll::test {

namespace {

using drawing::Drawing;
using drawing::DrawnEdge;
using drawing::DrawnFrame;
using drawing::DrawnNode;
using drawing::Flow;
using drawing::LeveledDrawing;
using drawing::page_model;
using drawing::page_text;
using drawing::Point;
using drawing::Rectangle;
using Json = nlohmann::json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

Var lstm_loss(Tape& tape, std::int64_t steps) {
  Generator generator(1);
  const textbook::LSTM lstm({.input = 3, .hidden = 4, .dtype = DType::f64}, generator);
  const Var x = tape.constant(Array({steps, 1, 3}, DType::f64), "x");
  return mean(square(over_time(lstm, x).outputs.back())).named("loss");
}

Json model_of(const Tape& tape, const Drawing& drawing, const RenderOptions& options = {}) {
  return Json::parse(page_model(tape, {{options.level, drawing}}, options));
}
Json model_of(const Tape& tape, const RenderOptions& options = {}) {
  return model_of(tape, drawing_by_hand(tape), options);
}

// The text that a column has at a node.
std::string text_at(const Json& model, const std::string& column, NodeId id) {
  return model["strings"][model["nodes"][column][id].get<std::size_t>()];
}

NodeId node_named(const Tape& tape, std::string_view name, std::int32_t step = no_step) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.name(id) == name && tape[id].place.step == step) return id;
  return no_node;
}

// ---- the model, expanded into a drawing again

struct Box {
  double x = 0, y = 0, w = 0, h = 0;
};

Box box_of(const Json& list, double dx = 0, double dy = 0) {
  return {list[0].get<double>() + dx, list[1].get<double>() + dy, list[2], list[3]};
}

Box on_page(const Drawing& drawing, const Rectangle& box) {
  return {box.left - drawing.box.left, drawing.box.top - box.top, box.width(), box.height()};
}

// The origin of a block and a place in it are both rounded to hundredths.
bool near(double a, double b) { return std::abs(a - b) < 0.0101; }
bool near(const Box& a, const Box& b) { return near(a.x, b.x) && near(a.y, b.y) && near(a.w, b.w) && near(a.h, b.h); }

// "M1,2C3,4 5,6 7,8"
std::vector<Point> points_of(const std::string& path, double dx = 0, double dy = 0) {
  std::vector<Point> points;
  REQUIRE(path.starts_with("M"));
  std::string numbers = path;
  for (char& c : numbers)
    if (c == 'M' || c == 'C' || c == ',') c = ' ';
  std::istringstream in(numbers);
  double x = 0, y = 0;
  while (in >> x >> y) points.push_back({x + dx, y + dy});
  return points;
}

bool same_way(const Drawing& drawing, const drawing::Curve& curve, const std::vector<Point>& points) {
  if (curve.size() != points.size()) return false;
  for (std::size_t i = 0; i < curve.size(); ++i)
    if (!near(curve[i].x - drawing.box.left, points[i].x) || !near(drawing.box.top - curve[i].y, points[i].y))
      return false;
  return true;
}

double level_of(const Flow& flow) {
  switch (flow.kind) {
    case Flow::Kind::unasked: return -1;
    case Flow::Kind::absent: return -2;
    case Flow::Kind::zero: return -3;
    case Flow::Kind::finite: return flow.level;
    case Flow::Kind::broken: break;
  }
  return -4;
}

void flatten(const std::vector<DrawnFrame>& frames, std::vector<const DrawnFrame*>& all) {
  for (const DrawnFrame& frame : frames) {
    all.push_back(&frame);
    flatten(frame.inner, all);
  }
}

// Every box, line and frame of the drawing is in the model, at its place, once.
void check_expansion(const Drawing& drawing, const Json& model, const std::string& level) {
  const Json& page = model["levels"][level];
  const auto text = [&](const Json& index) { return model["strings"][index.get<std::size_t>()].get<std::string>(); };
  CHECK(near(page["width"], drawing.box.width()));
  CHECK(near(page["height"], drawing.box.height()));

  std::map<std::pair<std::size_t, std::size_t>, std::string> ids;  // by block and position
  std::multimap<std::pair<std::string, std::string>, const DrawnEdge*> edges;
  for (const DrawnEdge& edge : drawing.edges) edges.emplace(std::pair{edge.from, edge.to}, &edge);
  const auto take_edge = [&](const std::string& from, const std::string& to,
                             const std::vector<Point>& points) -> const DrawnEdge* {
    const auto [begin, end] = edges.equal_range({from, to});
    for (auto it = begin; it != end; ++it)
      if (same_way(drawing, it->second->curve, points)) {
        const DrawnEdge* found = it->second;
        edges.erase(it);
        return found;
      }
    return nullptr;
  };
  std::vector<const DrawnFrame*> frames;
  flatten(drawing.frames, frames);
  const auto take_frame = [&](const Json& list, double dx, double dy) {
    const auto found = std::find_if(frames.begin(), frames.end(), [&](const DrawnFrame* frame) {
      return near(on_page(drawing, frame->box), box_of(list, dx, dy)) && frame->label == text(list[4]) &&
             near(frame->label_at.x - drawing.box.left, list[5].get<double>() + dx) &&
             near(drawing.box.top - frame->label_at.y, list[6].get<double>() + dy) &&
             static_cast<int>(frame->kind) == list[7] && frame->tint == list[8];
    });
    if (found == frames.end()) return false;
    frames.erase(found);
    return true;
  };

  std::size_t next = 0;
  for (std::size_t b = 0; b < page["blocks"].size(); ++b) {
    const Json& block = page["blocks"][b];
    const Json& shape = page["shapes"][block["shape"].get<std::size_t>()];
    const double dx = block["x"], dy = block["y"];
    if (b < drawing.blocks.size()) {
      CHECK(block["step"] == (drawing.blocks[b].step == no_step ? Json() : Json(drawing.blocks[b].step)));
      CHECK(text(block["layer"]) == drawing.blocks[b].layer);
    }
    REQUIRE(block["nodes"].size() == shape["nodes"].size());
    for (std::size_t i = 0; i < shape["nodes"].size(); ++i, ++next) {
      REQUIRE(next < drawing.nodes.size());
      const DrawnNode& node = drawing.nodes[next];
      const Json& place = shape["nodes"][i];
      CAPTURE(node.id);
      CHECK(near(on_page(drawing, node.box), box_of(place, dx, dy)));
      CHECK(place[4] == static_cast<int>(node.look));
      CHECK(place[5] == node.tint);
      CHECK(place[6] == static_cast<int>(node.dashed));
      CHECK(block["nodes"][i] == (node.node == no_node ? Json() : Json(node.node)));
      CHECK(block["members"][i] == Json(node.members));
      CHECK(text(block["titles"][i]) == node.text.title);
      REQUIRE(block["notes"][i].size() == node.text.notes.size());
      for (std::size_t k = 0; k < node.text.notes.size(); ++k) CHECK(text(block["notes"][i][k]) == node.text.notes[k]);
      ids[{b, i}] = node.id;
    }
    REQUIRE(block["flows"].size() == shape["edges"].size());
    for (std::size_t i = 0; i < shape["edges"].size(); ++i) {
      const Json& edge = shape["edges"][i];
      const DrawnEdge* drawn = take_edge(ids[{b, edge[0]}], ids[{b, edge[1]}], points_of(edge[2], dx, dy));
      REQUIRE(drawn);
      CHECK(edge[3] == static_cast<int>(drawn->kind));
      CHECK(edge[4] == static_cast<int>(drawn->cut));
      CHECK(edge[5] == static_cast<int>(drawn->backward));
      CHECK(block["flows"][i].get<double>() == doctest::Approx(level_of(drawn->flow)).epsilon(0.005));
    }
    for (const Json& frame : shape["frames"]) CHECK(take_frame(frame, dx, dy));
  }
  CHECK(next == drawing.nodes.size());

  double left = -infinity;
  for (const Json& link : page["links"]) {
    const auto spot = [&](const char* end) { return ids[{link[end][0], link[end][1]}]; };
    const std::vector<Point> points = points_of(link["d"]);
    const DrawnEdge* drawn = take_edge(spot("from"), spot("to"), points);
    REQUIRE(drawn);
    CHECK(link["source"] == (drawn->source == no_node ? Json() : Json(drawn->source)));
    CHECK(link["kind"] == static_cast<int>(drawn->kind));
    CHECK(link["cut"] == static_cast<int>(drawn->cut));
    CHECK(link["backward"] == static_cast<int>(drawn->backward));
    CHECK(link["flow"].get<double>() == doctest::Approx(level_of(drawn->flow)).epsilon(0.005));
    CHECK(text(link["label"]) == drawn->label);
    if (!drawn->label.empty()) {
      CHECK(near(link["lx"], drawn->label_at.x - drawing.box.left));
      CHECK(near(link["ly"], drawing.box.top - drawn->label_at.y));
    }
    double begin = infinity;
    for (const Point& p : points) begin = std::min(begin, p.x);
    CHECK(begin >= left - 0.01);  // from the left to the right
    left = begin;
  }
  for (const Json& frame : page["frames"]) CHECK(take_frame(frame, 0, 0));
  CHECK(edges.empty());
  CHECK(frames.empty());

  REQUIRE(page["texts"].size() == drawing.texts.size());
  for (std::size_t i = 0; i < drawing.texts.size(); ++i) {
    CHECK(text(page["texts"][i][0]) == drawing.texts[i].text);
    CHECK(near(page["texts"][i][1], drawing.texts[i].at.x - drawing.box.left));
    CHECK(near(page["texts"][i][2], drawing.box.top - drawing.texts[i].at.y));
    CHECK(page["texts"][i][3] == drawing.texts[i].size);
  }
  REQUIRE(page["bars"].size() == drawing.bars.size());
  for (std::size_t i = 0; i < drawing.bars.size(); ++i) {
    const Json& bar = page["bars"][i];
    CHECK(bar[0] == drawing.bars[i].step);
    const Box box{bar[1], bar[2], bar[3], bar[4]};
    CHECK(near(box, on_page(drawing, drawing.bars[i].box)));
    CHECK(bar[5].get<double>() == doctest::Approx(drawing.bars[i].norm));
    CHECK(bar[6].get<double>() == doctest::Approx(drawing.bars[i].share));
    CHECK(text(bar[7]) == drawing.bars[i].label);
    CHECK(near(bar[8], drawing.bars[i].label_at.x - drawing.box.left));
    CHECK(near(bar[9], drawing.box.top - drawing.bars[i].label_at.y));
  }
}

}  // namespace

TEST_CASE("the page's shapes and origins give every box, line and frame of the drawing its place") {
  Tape tape;
  lstm_loss(tape, 6);
  const Drawing drawing = drawing_by_hand(tape);
  const Json model = model_of(tape, drawing);
  check_expansion(drawing, model, "ops");
  const Json& page = model["levels"]["ops"];
  CHECK(page["shapes"].size() < page["blocks"].size());  // otherwise nothing is shared
  for (const Json& frame : page["frames"]) {
    const std::string label = model["strings"][frame[4].get<std::size_t>()];
    CHECK(label == (frame[9].is_null() ? "outside of time" : fmt::format("t = {}", frame[9].get<int>())));
  }
}

TEST_CASE("the page expands to the composed drawing at every level") {
  Tape tape;
  const Var loss = lstm_loss(tape, 5);
  const Gradients gradients = backward(loss, {.create_graph = true});
  RenderOptions options{.gradients = &gradients, .values = ValueView::statistics, .title = "composed"};
  SUBCASE("forward") {}
  SUBCASE("with the backward pass below") { options.backward = BackwardView::below; }
  SUBCASE("with parameters as nodes") { options.parameters = ParameterView::nodes; }
  const std::vector<LeveledDrawing> drawings = drawing::compose_levels(tape, options);
  const Json model = Json::parse(page_model(tape, drawings, options));
  CHECK(model["title"] == "composed");
  CHECK(drawings.size() > 2);
  for (const LeveledDrawing& one : drawings) {
    const std::string level = std::map<Level, std::string>{
        {Level::ops, "ops"},
        {Level::gates, "gates"},
        {Level::cells, "cells"},
        {Level::folded, "folded"}}.at(one.level);
    CAPTURE(level);
    check_expansion(one.drawing, model, level);
  }
}

TEST_CASE("a block of the page that differs from its shape gets a shape of its own") {
  Tape tape;
  lstm_loss(tape, 6);
  Drawing drawing = drawing_by_hand(tape);
  const std::size_t shapes = model_of(tape, drawing)["levels"]["ops"]["shapes"].size();
  const drawing::DrawnBlock block = drawing.blocks[4];
  SUBCASE("a line that is cut") { drawing.edges[block.first_edge].cut = true; }
  SUBCASE("a dashed box") { drawing.nodes[block.first_node].dashed = !drawing.nodes[block.first_node].dashed; }
  SUBCASE("another look") { drawing.nodes[block.first_node].look = drawing::Look::parameter; }
  SUBCASE("another place") {
    DrawnNode& node = drawing.nodes[block.first_node];
    node.box = node.box.moved({0, 1});
  }
  SUBCASE("another end of a line") { drawing.edges[block.first_edge].to = drawing.nodes[block.first_node + 9].id; }
  const Json model = model_of(tape, drawing);
  check_expansion(drawing, model, "ops");
  CHECK(model["levels"]["ops"]["shapes"].size() == shapes + 1);
}

TEST_CASE("a line of a block that has a label or leaves the block is a link of the page") {
  Tape tape;
  lstm_loss(tape, 2);
  Drawing drawing = drawing_by_hand(tape);
  const std::size_t links = model_of(tape, drawing)["levels"]["ops"]["links"].size();
  drawing.edges[drawing.blocks[2].first_edge].label = "∇ 0.1";
  drawing.edges[drawing.blocks[3].first_edge].to = "gap";
  const Json model = model_of(tape, drawing);
  check_expansion(drawing, model, "ops");
  CHECK(model["levels"]["ops"]["links"].size() == links + 2);
}

TEST_CASE("the page's columns say what the tape says of every node") {
  Tape tape;
  const Var loss = lstm_loss(tape, 2);
  const Gradients gradients = backward(loss, {.create_graph = true});
  const Json model = model_of(tape, {.gradients = &gradients});
  const Json& nodes = model["nodes"];
  CHECK(model["version"] == 1);
  CHECK(model["title"] == "by hand");
  CHECK(model["description"] == "all forward nodes");
  CHECK(model["notes"] == Json{"a note"});
  CHECK(model["level"] == "ops");
  CHECK(model["has_gradients"] == true);
  CHECK(model["scale"] == Json{{"smallest", 1e-4}, {"largest", 10}});
  CHECK(model["strings"][0] == "");
  std::set<std::string> once;
  for (const Json& text : model["strings"]) CHECK(once.insert(text).second);
  for (const auto& column : nodes.items()) {
    CAPTURE(column.key());
    CHECK(column.value().size() == tape.size());
  }
  bool has_origin = false;
  for (NodeId id = 0; id < tape.size(); ++id) {
    CAPTURE(id);
    const Node& node = tape[id];
    CHECK(text_at(model, "op", id) == node.op->name);
    CHECK(text_at(model, "scope", id) == tape.path(node.place.scope));
    CHECK(text_at(model, "shape", id) == to_string(node.value.shape));
    CHECK(text_at(model, "dtype", id) == "float64");
    CHECK(nodes["step"][id] == (node.place.step == no_step ? Json() : Json(node.place.step)));
    CHECK(nodes["phase"][id] == static_cast<int>(node.place.phase));
    const auto inputs = tape.inputs(id);
    CHECK(nodes["inputs"][id] == Json(std::vector<NodeId>(inputs.begin(), inputs.end())));
    CHECK(nodes["origin"][id] == (node.origin == no_node ? Json() : Json(node.origin)));
    has_origin |= node.origin != no_node;
    const Json& stats = nodes["stats"][id];
    double smallest = infinity, sum = 0, largest = -infinity;
    for (std::size_t i = 0; i < node.value.size(); ++i) {
      smallest = std::min(smallest, node.value.flat(i));
      largest = std::max(largest, node.value.flat(i));
      sum += node.value.flat(i);
    }
    CHECK(stats[0].get<double>() == doctest::Approx(smallest).epsilon(1e-4));
    CHECK(stats[1].get<double>() == doctest::Approx(sum / static_cast<double>(node.value.size())).epsilon(1e-4));
    CHECK(stats[2].get<double>() == doctest::Approx(largest).epsilon(1e-4));
    const Var var = tape.var(id);
    CHECK(nodes["gradient"][id].is_null() == !gradients.contains(var));
    if (gradients.contains(var))
      CHECK(nodes["gradient"][id][0].get<double>() == doctest::Approx(gradients.norm(var)).epsilon(1e-4));
  }
  CHECK(has_origin);
  CHECK(text_at(model, "name", node_named(tape, "h", 2)) == "h_2");
  const NodeId forget = node_named(tape, "f", 2);
  REQUIRE(forget != no_node);
  CHECK(text_at(model, "equation", forget).starts_with("f_2 = sigmoid("));
  CHECK(text_at(model, "equation", forget).find("h_1 U_f") != std::string::npos);
  CHECK(text_at(model, "equation", tape[node_named(tape, "h", 1)].adjoint).starts_with("dh_1 = "));
}

TEST_CASE("the page keeps a gradient of zero apart from one that was not computed") {
  Tape tape;
  const Var x = tape.input(Array({2}, {1.0, 2.0}), "x"), y = tape.input(Array({2}, {3.0, 4.0}), "y");
  const Var unused = tape.input(Array({2}, {5.0, 6.0}), "unused");
  const Var loss = sum(x * 0.0 + y);
  const Gradients gradients = backward(loss);
  const Json model = model_of(tape, {.gradients = &gradients});
  CHECK(model["nodes"]["gradient"][x.id()] == Json{0, 0, 0, 0});
  CHECK(model["nodes"]["gradient"][y.id()] == Json{1.4142, 1, 1, 1});
  CHECK(model["nodes"]["gradient"][unused.id()].is_null());
  CHECK(model["gradients"]["0"] == Json{0, 0});
  CHECK_FALSE(model["gradients"].contains(fmt::format("{}", unused.id())));
  CHECK(model_of(tape)["has_gradients"] == false);
  CHECK(model_of(tape)["gradients"].empty());
}

TEST_CASE("NaN and infinities are strings in the page's model") {
  Tape tape;
  tape.input(Array({3}, {nan, infinity, -infinity}), "x");
  tape.input(Array({2}, {infinity, 1}), "y");
  const Json model = model_of(tape);
  CHECK(model["values"]["0"] == Json{"nan", "inf", "-inf"});
  CHECK(model["nodes"]["stats"][0][1] == "nan");
  CHECK(model["nodes"]["stats"][1] == Json{1, "inf", "inf"});
}

TEST_CASE("an array without elements has no statistics on the page") {
  Tape tape;
  tape.input(Array({0, 3}), "x");
  CHECK(model_of(tape)["nodes"]["stats"][0].is_null());
}

TEST_CASE("numbers of the page are rounded to five significant digits") {
  Tape tape;
  tape.input(Array({5}, {1.0 / 3, -123456.789, 1e-300 / 3, 100000, 0}), "x");
  const std::string model = page_model(tape, {{Level::ops, drawing_by_hand(tape)}}, {});
  CHECK(model.find("\"values\":{\"0\":[0.33333,-123460,3.3333e-301,100000,0]}") != std::string::npos);
}

TEST_CASE("the page has the elements of arrays from 2 to 256 elements") {
  Tape tape;
  for (const std::int64_t size : {1, 2, 256, 257}) tape.input(Array({size}), "x");
  const Json values = model_of(tape)["values"];
  CHECK(values.size() == 2);
  CHECK(values["1"].size() == 2);
  CHECK(values["2"].size() == 256);
}

TEST_CASE("where there is no room for the elements of all arrays the page leaves out steps in the middle and says so") {
  Tape tape;
  tape.input(Array({256}), "outside");
  for (std::int64_t t = 1; t <= 300; ++t) {
    const Step step(tape, t);
    for (int k = 0; k < 5; ++k) tape.input(Array({256}), "x");
  }
  const Json model = model_of(tape);
  std::size_t numbers = 0;
  for (const Json& list : model["values"]) numbers += list.size();
  CHECK(numbers <= 300'000);
  CHECK(numbers > 297'000);
  CHECK(model["values"].contains("0"));
  std::set<int> shown;
  for (const auto& [id, list] : model["values"].items())
    if (id != "0") shown.insert(model["nodes"]["step"][std::stoul(id)].get<int>());
  // 256 outside of time leave room for 234 steps of 1280
  CHECK(shown.size() == 234);
  CHECK(shown.contains(117));
  CHECK_FALSE(shown.contains(118));
  CHECK_FALSE(shown.contains(183));
  CHECK(shown.contains(184));
  CHECK(model["notes"].back() == "The elements of arrays are on this page up to step 117 and from step 184 on.");
}

TEST_CASE("the page says what each step contributes to the gradient of a parameter") {
  Tape tape;
  const Parameter w("cell.w", Array({2}, {1, 2}, DType::f64)), other("cell.v", Array({2}, {1, 1}, DType::f64));
  Var loss = sum(tape.use(other) * 0.0);
  for (std::int64_t t = 1; t <= 2; ++t) {
    const Step step(tape, t);
    const Var scaled = tape.use(w) * static_cast<double>(t), part = sum(scaled);
    loss = loss + part;
  }
  const Gradients gradients = backward(loss, {.by_step = {w}});
  const Json parameters = model_of(tape, {.gradients = &gradients})["parameters"];
  REQUIRE(parameters.size() == 2);
  CHECK(parameters[0] == Json{{"node", 0}, {"name", "cell.v"}, {"norm", 0}, {"contributions", Json::array()}});
  CHECK(parameters[1]["name"] == "cell.w");
  CHECK(parameters[1]["norm"] == 4.2426);  // (3, 3)
  CHECK(parameters[1]["contributions"] == Json{{1, 1.4142, 0.33333}, {2, 2.8284, 0.66667}});
  const Json without = model_of(tape)["parameters"];
  CHECK(without[1]["norm"].is_null());
  CHECK(without[1]["contributions"].empty());
}

TEST_CASE("any text is safe in the page's model") {
  Tape tape;
  const std::string nasty = "</script><!-- \"quoted\" \\ 은닉 \u2028 \u2029 & '";
  tape.input(Array({2}, {1, 2}), nasty);
  Drawing drawing = drawing_by_hand(tape);
  drawing.title = drawing.nodes[0].text.title = nasty;
  drawing.notes = {nasty, "broken \xff byte"};
  const std::string text = page_model(tape, {{Level::ops, drawing}}, {});
  CHECK(text.find('<') == std::string::npos);
  CHECK(text.find("\u2028") == std::string::npos);
  CHECK(text.find("\u2029") == std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
  const Json model = Json::parse(text);
  CHECK(model["title"] == nasty);
  CHECK(model["notes"] == Json{nasty, "broken \uFFFD byte"});
  CHECK(text_at(model, "name", 0) == nasty);
}

TEST_CASE("equal programs have equal pages") {
  const auto page = [] {
    Tape tape;
    const Var loss = lstm_loss(tape, 3);
    const Gradients gradients = backward(loss, {.keep = Keep::all});
    return page_text(tape, {{Level::ops, drawing_by_hand(tape)}, {Level::cells, drawing_by_hand(tape)}},
                     {.gradients = &gradients});
  };
  CHECK(page() == page());
}

TEST_CASE("the page shows the level that was asked for first, or else the first that there is") {
  Tape tape;
  lstm_loss(tape, 2);
  Drawing cells = drawing_by_hand(tape);
  cells.title = "cells";
  cells.notes = {"a note", "of cells"};
  const std::vector<LeveledDrawing> both{{Level::gates, drawing_by_hand(tape)}, {Level::cells, cells}};
  const Json asked = Json::parse(page_model(tape, both, {.level = Level::cells}));
  CHECK(asked["level"] == "cells");
  CHECK(asked["title"] == "cells");
  CHECK(asked["notes"] == Json{"a note", "of cells"});
  CHECK(asked["levels"].size() == 2);
  CHECK(Json::parse(page_model(tape, both, {.level = Level::folded}))["level"] == "gates");
}

TEST_CASE("a page without a drawing, with two of one level, or with a line to nowhere is refused") {
  Tape tape;
  lstm_loss(tape, 1);
  Drawing drawing = drawing_by_hand(tape);
  CHECK(message([&] { page_model(tape, {}, {}); }) == "page: there is no drawing to show");
  CHECK(message([&] {
          page_model(tape, {{Level::gates, drawing}, {Level::gates, drawing}}, {});
        }) == "page: two drawings of the level gates");
  drawing.edges.back().to = "nowhere";
  CHECK(message([&] { model_of(tape, drawing); }).ends_with("needs a box nowhere, and the drawing has none"));
}

// ---- the page

TEST_CASE("the page holds the model as its model and reads nothing from elsewhere") {
  Tape tape;
  lstm_loss(tape, 2);
  Drawing drawing = drawing_by_hand(tape);
  drawing.title = "a <b> & \"c\" <!-- js -->";
  const std::string page = page_text(tape, {{Level::ops, drawing}}, {});
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.find("<title>a &lt;b&gt; &amp; &quot;c&quot; &lt;!-- js --&gt;</title>") != std::string::npos);
  CHECK(page.find("http:") == std::string::npos);
  CHECK(page.find("https:") == std::string::npos);
  for (const char* mark : {"<!-- css -->", "<!-- js -->", "<!-- model -->", "<!-- title -->"})
    CHECK(page.find(mark) == std::string::npos);
  const std::string opening = "<script type=\"application/json\" id=\"model\">";
  const std::size_t begin = page.find(opening);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("</script>", begin);
  CHECK(page.substr(begin + opening.size(), end - begin - opening.size()) ==
        page_model(tape, {{Level::ops, drawing}}, {}));
}

TEST_CASE("a page without a title has one all the same") {
  Tape tape;
  lstm_loss(tape, 1);
  Drawing drawing = drawing_by_hand(tape);
  drawing.title.clear();
  CHECK(page_text(tape, {{Level::ops, drawing}}, {}).find("<title>unroll</title>") != std::string::npos);
}

}  // namespace unroll::test
