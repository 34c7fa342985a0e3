#include "drawn_networks.hpp"
#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

#include <unistd.h>

// What can be asked of a drawing: gradients, contributions, a budget, values, hooks, files. Where things stand is in test_drawing_structure.cpp.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;
using drawing::compose;
using drawing::Drawing;
using drawing::DrawnBar;
using drawing::DrawnEdge;
using drawing::DrawnFrame;
using drawing::DrawnNode;
using drawing::Flow;
using drawing::Look;

Var record(Tape& tape, const std::string& network, std::int64_t steps) {
  return drawn_network(network).record(tape, steps);
}

// By the first line of the box; not the ports.
const DrawnNode& box(const Drawing& drawing, const std::string& title) {
  for (const DrawnNode& node : drawing.nodes)
    if (node.text.title == title && node.look != Look::port) return node;
  throw std::invalid_argument("no box is called " + title);
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

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A loss at every step, of a packed cell, and its gradients with the contributions of all its parameters.
template <class Cell> Var loss_at_every_step(Tape& tape, const Cell& cell, std::int64_t steps) {
  Generator generator(4);
  const Array x = normal({steps, 2, 3}, 1, generator, DType::f64);
  return mean(square(over_time(cell, tape.constant(x, "x")).stacked())).named("loss");
}

template <class Cell> void check_contributions(const Cell& cell) {
  constexpr std::int64_t steps = 9;
  Tape tape;
  const Var loss = loss_at_every_step(tape, cell, steps);
  const Gradients gradients = backward(loss, {.keep = Keep::all, .by_step = cell.parameters()});
  for (const Parameter& parameter : cell.parameters())
    for (const std::int64_t collapse : {0, 2})
      for (const Level level : {Level::cells, Level::folded}) {
        CAPTURE(parameter.name());
        CAPTURE(collapse);
        CAPTURE(static_cast<int>(level));
        const Drawing drawing =
            compose(tape, {.level = level, .collapse = collapse, .gradients = &gradients, .contributions = parameter});
        double shares = 0;
        for (const DrawnBar& bar : drawing.bars) shares += bar.share;
        CHECK(std::abs(shares - 1) < 1e-9);
        std::size_t frames = 0;
        for (const DrawnFrame& frame : drawing.frames) frames += frame.kind == DrawnFrame::Kind::step ? 1 : 0;
        CHECK(drawing.bars.size() == frames);
        // each below its step, from one line up, no higher than the largest
        for (std::size_t i = 0; i < drawing.bars.size(); ++i) {
          const DrawnBar& bar = drawing.bars[i];
          CHECK(bar.box.bottom == drawing.bars[0].box.bottom);
          const auto frame = std::find_if(drawing.frames.begin(), drawing.frames.end(), [&](const DrawnFrame& f) {
            return f.kind == DrawnFrame::Kind::step && f.first_step <= bar.step && bar.step <= f.last_step;
          });
          REQUIRE(frame != drawing.frames.end());
          CHECK(bar.box.centre().x == doctest::Approx(frame->box.centre().x));
          CHECK(bar.box.top < frame->box.bottom);
        }
      }
}

}  // namespace

// ---- the text

TEST_CASE("drawing: the text of a small LSTM") {
  Tape tape;
  Generator generator(1);
  const textbook::LSTM lstm({.input = 3, .hidden = 4, .dtype = DType::f64}, generator);
  const Var x = tape.constant(normal({2, 1, 3}, 1, generator, DType::f64), "x");
  const Var loss = mean(square(over_time(lstm, x).outputs.back())).named("loss");
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  std::string text = render(tape, {.format = Format::dot, .gradients = &gradients, .title = "An LSTM"});
  // Positions and sizes come from the fonts of the machine, so they are no part of the golden file: other tests look at them.
  text = std::regex_replace(text, std::regex(R"re((, )?(pos|lp|bb)="[^"]*"(, )?)re"), ", ");
  text = std::regex_replace(text, std::regex(R"re(\b(width|height)=[0-9.]+, )re"), "");
  CHECK(matches_golden("lstm.dot", text));
}

TEST_CASE("drawing: networks without time, and an empty tape") {
  Tape tape;
  Generator generator(1);
  const Linear layer({.input = 3, .output = 2, .name = "layer", .dtype = DType::f64}, generator);
  const Var x = tape.input(Array({1, 3}, DType::f64), "x");
  mean(square(tanh(layer(x)).named("y"))).named("loss");
  const Drawing drawing = compose(tape, {});
  CHECK(drawing.nodes.size() == 5);  // x, affine, tanh, square, mean
  for (const DrawnNode& node : drawing.nodes) CHECK(drawing.box.overlaps(node.box));

  const Tape empty;
  for (const Level level : {Level::ops, Level::gates, Level::cells, Level::folded}) {
    CHECK(compose(empty, {.level = level}).nodes.empty());
    CHECK(render(empty, {.format = Format::dot, .level = level}).starts_with("digraph"));
    CHECK(has(render(empty, {.level = level}), "</svg>"));
  }
}

TEST_CASE("drawing: title and description are what was asked for, or say what is drawn") {
  Tape tape;
  record(tape, "lstm, 2 layers", 4);
  const Drawing plain = compose(tape, {});
  CHECK(plain.title.empty());
  CHECK(has(plain.description, "time steps 1 to 4"));
  CHECK(has(plain.description, "lstm1"));
  CHECK(has(plain.description, "lstm2"));
  const Drawing asked = compose(tape, {.title = "A title", .description = "What there is to see."});
  CHECK(asked.title == "A title");
  CHECK(asked.description == "What there is to see.");
}

// ---- gradients

TEST_CASE("drawing: a gradient that was not computed is not a gradient of zero") {
  Tape tape;
  Generator generator(1);
  const textbook::LSTM lstm({.input = 3, .hidden = 4, .dtype = DType::f64}, generator);
  const Var x = tape.constant(normal({2, 1, 3}, 1, generator, DType::f64), "x");
  const Var loss = mean(square(over_time(lstm, x).outputs.back())).named("loss");
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  const Drawing drawing = compose(tape, {.gradients = &gradients});
  CHECK(drawing.has_gradients);
  CHECK(box(drawing, "x_1").flow.kind == Flow::Kind::absent);  // a constant
  CHECK(box(drawing, "x_1").text.gradient == "∇ –");
  CHECK(box(drawing, "f_1").flow.kind == Flow::Kind::zero);  // c_0 is 0, and so is what the forget gate lets through
  CHECK(box(drawing, "f_1").text.gradient == "∇ 0");
  CHECK(box(drawing, "loss").text.gradient == "∇ 1");
  // loss = mean(square(h_2))
  const double last = gradients.norm(tape.var(loss.id() - 2));
  CHECK(box(drawing, "h_2").flow.kind == Flow::Kind::finite);
  CHECK(box(drawing, "h_2").flow.norm == last);
  CHECK(std::stod(box(drawing, "h_2").text.gradient.substr(std::string("∇ ").size())) ==
        doctest::Approx(last).epsilon(0.01));
  for (const DrawnNode& node : drawing.nodes) CHECK(node.flow.kind != Flow::Kind::unasked);
  for (const DrawnEdge& edge : drawing.edges) CHECK(edge.flow.kind != Flow::Kind::unasked);
  for (const DrawnNode& node : compose(tape, {}).nodes) {
    CHECK(node.flow.kind == Flow::Kind::unasked);
    CHECK(node.text.gradient.empty());
  }
}

TEST_CASE("drawing: the scale of gradients reaches from the largest down, over three decades at least") {
  Tape tape;
  const Var loss = record(tape, "textbook LSTM", 5);
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  const Drawing drawing = compose(tape, {.gradients = &gradients});
  CHECK(drawing.largest / drawing.smallest >= 1000 * (1 - 1e-12));
  double largest = 0;
  for (const DrawnNode& node : drawing.nodes) {
    if (node.flow.kind != Flow::Kind::finite) continue;
    largest = std::max(largest, node.flow.norm);
    CHECK(node.flow.level >= 0);
    CHECK(node.flow.level <= 1);
    if (node.flow.norm == drawing.largest) CHECK(node.flow.level == doctest::Approx(1));
  }
  CHECK(largest == doctest::Approx(drawing.largest));
}

TEST_CASE("drawing: NaN and infinity in a gradient are broken, and the scale does without them") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Tape tape;
    Var h = tape.input(Array({2}, {1, 2}), "h");
    for (int t = 1; t <= 3; ++t) {
      const Step step(tape, t);
      h = (t == 2 ? h * tape.constant(Array({2}, {1, static_cast<float>(bad)}), "w") : tanh(h)).named("h");
    }
    const Var loss = mean(h).named("loss");
    const Gradients gradients = backward(loss, {.keep = Keep::all});
    const Drawing drawing = compose(tape, {.gradients = &gradients});
    CHECK(box(drawing, "h_1").flow.kind == Flow::Kind::broken);
    CHECK(box(drawing, "loss").flow.kind == Flow::Kind::finite);
    CHECK(std::isfinite(drawing.largest));
    CHECK(std::isfinite(drawing.smallest));
    const auto broken = [](const DrawnEdge& edge) { return edge.flow.kind == Flow::Kind::broken; };
    CHECK(std::any_of(drawing.edges.begin(), drawing.edges.end(), broken));
    for (const Format format : {Format::svg, Format::dot})
      CHECK(has(render(tape, {.format = format, .gradients = &gradients}), "NaN"));
  }
}

TEST_CASE("drawing: with flows the line of a state shows what comes back along it, and without all of its gradient") {
  Tape tape;
  const Var loss = record(tape, "losses of single steps", 4);
  const Gradients whole = backward(loss, {.keep = Keep::all});
  const Gradients parts = backward(loss, {.keep = Keep::all, .flows = true});
  const auto line = [&](const Gradients& gradients) {
    const Drawing drawing = compose(tape, {.gradients = &gradients});
    const NodeId h = box(drawing, "h_2").node;
    for (const DrawnEdge& edge : drawing.edges)
      if (edge.kind == DrawnEdge::Kind::state && edge.source == h && !edge.label.empty()) return edge;
    throw std::invalid_argument("no line from h_2");
  };
  const DrawnEdge all = line(whole), back = line(parts);
  const Var h = tape.var(all.source);
  CHECK(all.flow.norm == whole.norm(h));
  CHECK(back.flow.norm == parts.flow(h, 3).value());
  CHECK(all.flow.norm != back.flow.norm);
}

// ---- contributions

TEST_CASE("drawing: the contributions of the steps add up to the gradient of every parameter") {
  Generator generator(1);
  check_contributions(GRU({.input = 3, .hidden = 4, .reset = Reset::after, .dtype = DType::f64}, generator));
  check_contributions(textbook::LSTM({.input = 3, .hidden = 4, .peepholes = true, .dtype = DType::f64}, generator));
}

TEST_CASE("drawing: contributions that nobody kept are an error that says how to keep them") {
  Generator generator(1);
  const LSTM lstm({.input = 3, .hidden = 4, .dtype = DType::f64}, generator);
  const Parameter parameter = lstm.parameters()[0], other("other", Array({2}, DType::f64));
  Tape tape;
  const Var loss = loss_at_every_step(tape, lstm, 3);
  const Gradients without = backward(loss, {.keep = Keep::all});
  CHECK(has(message([&] { compose(tape, {.gradients = &without, .contributions = parameter}); }), "by_step"));
  CHECK(has(message([&] { compose(tape, {.contributions = parameter}); }), "need gradients"));
  const Gradients with = backward(loss, {.by_step = {parameter}});
  CHECK(
      has(message([&] { compose(tape, {.gradients = &with, .contributions = other}); }), "other is not on this tape"));
}

// ---- as large as the reader can take

TEST_CASE("drawing: no drawing is larger than its budget, and it says what was left out") {
  for (const char* name : {"textbook LSTM", "gru, 3 layers", "lstm, bidirectional, 2", "losses of single steps"})
    for (const Level level : {Level::ops, Level::gates, Level::cells})
      for (const std::int64_t budget : {60, 500}) {
        CAPTURE(name);
        CAPTURE(static_cast<int>(level));
        CAPTURE(budget);
        Tape tape;
        record(tape, name, 40);
        const std::size_t all = compose(tape, {.level = level, .budget = 0}).nodes.size();
        const Drawing drawing = compose(tape, {.level = level, .budget = budget});
        CHECK(drawing.nodes.size() <= static_cast<std::size_t>(budget));
        if (all <= static_cast<std::size_t>(budget)) {
          CHECK(drawing.nodes.size() == all);
          CHECK(drawing.notes.empty());
          continue;
        }
        REQUIRE(drawing.notes.size() == 1);
        CHECK(has(drawing.notes[0], std::to_string(all)));
        CHECK(has(drawing.notes[0], std::to_string(budget)));
        CHECK(has(render(tape, {.level = level, .budget = budget}), "Too large to read"));
      }
}

TEST_CASE("drawing: the budget does not draw what was folded by hand any larger") {
  Tape tape;
  record(tape, "textbook LSTM", 40);
  const auto steps = [](const Drawing& drawing) {
    return std::count_if(drawing.frames.begin(), drawing.frames.end(),
                         [](const DrawnFrame& frame) { return frame.kind == DrawnFrame::Kind::step; });
  };
  const Drawing by_hand = compose(tape, {.collapse = 1});
  CHECK(steps(by_hand) == 3);
  CHECK(steps(compose(tape, {.collapse = 1, .budget = static_cast<std::int64_t>(by_hand.nodes.size())})) == 3);
  CHECK(steps(compose(tape, {.collapse = 1, .budget = static_cast<std::int64_t>(by_hand.nodes.size()) - 1})) <= 3);
}

TEST_CASE("drawing: options that cannot be are errors") {
  Tape tape;
  record(tape, "RNN", 2);
  CHECK(has(message([&] { render(tape, {.collapse = -1}); }), "collapse is -1"));
  CHECK(has(message([&] { render(tape, {.budget = -5}); }), "budget is -5"));
  CHECK(has(message([&] { render(tape, {.backward = BackwardView::below}); }), "no backward pass is recorded"));
}

// ---- what the boxes say

TEST_CASE("drawing: values are drawn as shapes, as statistics, as numbers, or not at all") {
  Tape tape;
  {
    const Step step(tape, 1);
    const Var x = tape.input(Array({2, 2}, {1, 2, 3, 6}), "x");
    square(x).named("y");
    const Var wide = tape.input(Array({13}, DType::f64), "wide");
    square(wide).named("z");
  }
  const auto notes = [&](ValueView values, const char* title) {
    std::string all;
    const Drawing drawing = compose(tape, {.values = values});
    for (const std::string& note : box(drawing, title).text.notes) all += note + "\n";
    return all;
  };
  CHECK(has(notes(ValueView::shapes, "y_1"), "(2, 2)"));
  CHECK_FALSE(has(notes(ValueView::none, "y_1"), "(2, 2)"));
  CHECK_FALSE(has(notes(ValueView::shapes, "y_1"), "36"));
  const std::string statistics = notes(ValueView::statistics, "y_1");
  CHECK(has(statistics, "36"));
  CHECK(has(statistics, "12.5"));  // the mean of 1, 4, 9, 36
  const std::string numbers = notes(ValueView::numbers, "y_1");
  for (const char* number : {"1", "4", "9", "36"}) CHECK(has(numbers, number));
  CHECK(notes(ValueView::numbers, "z_1") == notes(ValueView::statistics, "z_1"));
}

TEST_CASE("drawing: parameters as boxes have a line to every use, and else are in the labels") {
  Tape tape;
  record(tape, "textbook LSTM", 3);
  const Drawing labels = compose(tape, {}), nodes = compose(tape, {.parameters = ParameterView::nodes});
  const auto parameters = [&](const Drawing& drawing) {
    return std::count_if(drawing.nodes.begin(), drawing.nodes.end(),
                         [](const DrawnNode& node) { return node.look == Look::parameter; });
  };
  CHECK(parameters(labels) == 0);
  // 4 gates, each with W, U and b
  std::set<NodeId> drawn;
  for (const DrawnNode& node : nodes.nodes)
    if (node.look == Look::parameter) drawn.insert(node.node);
  CHECK(drawn.size() == 12);
  CHECK(std::any_of(labels.nodes.begin(), labels.nodes.end(),
                    [](const DrawnNode& node) { return node.text.title == "x W_f"; }));
  std::map<NodeId, std::set<std::string>> uses;
  for (const DrawnEdge& edge : nodes.edges)
    if (edge.kind == DrawnEdge::Kind::parameter) uses[edge.source].insert(edge.to);
  for (const NodeId id : drawn) {
    CAPTURE(tape.where(id));
    CHECK(uses[id].size() >= 3);  // at each step
  }
}

TEST_CASE("drawing: a hook gives boxes other first lines and other colours") {
  Tape tape;
  record(tape, "RNN", 2);
  const auto is_state = [](const Tape& t, NodeId id) { return t.name(id) == "h"; };
  const Drawing drawing = compose(
      tape, {.label = [&](const Tape& t, NodeId id) { return is_state(t, id) ? std::string("memory") : ""; },
             .colour = [&](const Tape& t, NodeId id) { return is_state(t, id) ? std::string("#12AB34") : ""; }});
  int states = 0;
  for (const DrawnNode& node : drawing.nodes) {
    if (node.look == Look::port) continue;
    const bool state = tape.name(node.node) == "h";
    states += state ? 1 : 0;
    CHECK((node.text.title == "memory") == state);
    CHECK((node.colour == "#12AB34") == state);
  }
  CHECK(states == 2);
  // boxes are as large as their words
  const Drawing wide = compose(tape, {.label = [&](const Tape& t, NodeId id) {
                                 return is_state(t, id) ? std::string("a name that is very long") : "";
                               }});
  for (const DrawnNode& node : wide.nodes)
    if (node.text.title == "a name that is very long")
      CHECK(node.box.width() > drawing::text_width(node.text.title, 0.8 * drawing::title_size));
}

TEST_CASE("drawing: a hook is asked for nodes of the tape only, each of its boxes") {
  Tape tape;
  record(tape, "LSTM", 5);
  for (const Level level : {Level::ops, Level::gates, Level::cells, Level::folded})
    for (const std::int64_t collapse : {0, 1}) {
      std::set<NodeId> asked;
      const Drawing drawing =
          compose(tape, {.level = level, .collapse = collapse, .colour = [&](const Tape& t, NodeId id) {
                           REQUIRE(id < t.size());
                           asked.insert(id);
                           return std::string();
                         }});
      for (const DrawnNode& node : drawing.nodes) CHECK(asked.contains(node.node));
    }
}

TEST_CASE("drawing: a hook that gives no colour is an error that says which") {
  Tape tape;
  record(tape, "RNN", 2);
  for (const std::string bad : {"red", "#12345", "#12345G", "#1234567", " #123456", "#\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    CAPTURE(bad);
    for (const Format format : {Format::dot, Format::svg, Format::png, Format::pdf, Format::json, Format::html}) {
      const std::string said =
          message([&] { render(tape, {.format = format, .colour = [&](const Tape&, NodeId) { return bad; }}); });
      CHECK(has(said, "colour"));
      CHECK(has(said, "#RRGGBB"));
      if (bad == "red") CHECK(has(said, "red"));
    }
  }
  for (const char* good : {"#000000", "#abcdef", "#ABCDEF"})
    CHECK(message([&] { render(tape, {.colour = [&](const Tape&, NodeId) { return std::string(good); }}); }) ==
          "nothing");
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
    for (const Level level : {Level::ops, Level::gates, Level::cells}) {
      render(tape, folder.path / "names.svg", {.level = level, .title = name, .description = name});
      const std::string svg = read_whole_file(folder.path / "names.svg");
      CHECK(has(svg, "</svg>"));
      for (const char c : svg) CHECK_UNARY(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
      CHECK_FALSE(has(svg, "<B>"));
      CHECK_NOTHROW(render(tape, folder.path / "names.png", {.level = level, .title = name}));
    }
  }
}

// ---- files and streams

TEST_CASE("drawing: files by suffix, whole or not at all") {
  const Folder folder;
  Tape tape;
  record(tape, "textbook LSTM", 2);
  const std::map<std::string, std::string> beginnings{{"dot", "digraph"}, {"svg", "<svg"}, {"png", "\x89PNG"},
                                                      {"pdf", "%PDF"},    {"json", "{"},   {"html", "<!"}};
  for (const auto& entry : beginnings) {
    const std::string &suffix = entry.first, &beginning = entry.second;
    CAPTURE(suffix);
    const fs::path file = folder.path / ("lstm." + suffix);
    // the suffix wins over the option
    const RenderReport report = render(tape, file, {.format = Format::pdf});
    CHECK(read_whole_file(file).starts_with(beginning));
    CHECK(report.boxes > 0);
  }
  CHECK(folder.files() == beginnings.size());

  const std::string unknown = message([&] { render(tape, folder.path / "lstm.jpeg"); });
  CHECK(has(unknown, ".jpeg is not a suffix that can be drawn: .dot, .svg, .png, .pdf, .json or .html"));
  CHECK(has(message([&] { render(tape, folder.path / "lstm"); }), "no suffix"));
  // A folder that is a file: nobody can write there, not even the superuser.
  CHECK(has(message([&] { render(tape, folder.path / "lstm.dot" / "lstm.svg"); }), "lstm.svg"));
  CHECK(folder.files() == beginnings.size());
}

TEST_CASE("drawing: what fails leaves the file that was there as it was") {
  const Folder folder;
  const fs::path file = folder.path / "rnn.svg";
  Tape tape;
  record(tape, "RNN", 2);
  render(tape, file);
  const std::string before = read_whole_file(file);
  CHECK_THROWS_AS(render(tape, file, {.colour = [](const Tape&, NodeId) { return std::string("no colour"); }}), Error);
  CHECK_THROWS_AS(render(tape, file, {.backward = BackwardView::below}), Error);
  CHECK_THROWS_AS(render(tape, file, {.collapse = -1}), Error);
  CHECK(read_whole_file(file) == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("drawing: a stream gets what the string is, and one that takes no more is an error") {
  Tape tape;
  record(tape, "RNN", 2);
  for (const Format format : {Format::dot, Format::svg, Format::png}) {
    std::ostringstream out;
    render(tape, out, {.format = format});
    CHECK(out.str() == render(tape, {.format = format}));
  }
  struct Full : std::streambuf {};  // takes no letter
  Full full;
  std::ostream out(&full);
  CHECK(has(message([&] { render(tape, out); }), "stream"));
  // one that is full later
  struct Small : std::streambuf {
    std::streamsize room = 100;
    std::streamsize xsputn(const char*, std::streamsize n) override {
      const std::streamsize taken = std::min(n, room);
      room -= taken;
      return taken;
    }
    int overflow(int) override { return traits_type::eof(); }
  } small;
  std::ostream almost(&small);
  CHECK(has(message([&] { render(tape, almost); }), "stream"));
}

TEST_CASE("drawing: the backward pass below has a line against every line of the forward pass between steps") {
  Tape tape;
  backward(record(tape, "textbook GRU, reset before", 3), {.create_graph = true});
  const Drawing drawing = compose(tape, {.backward = BackwardView::below});
  std::size_t forward = 0, backward = 0;
  for (const DrawnFrame& frame : drawing.frames)
    if (frame.kind == DrawnFrame::Kind::step) ++(frame.id.ends_with("_backward") ? backward : forward);
  CHECK(forward == 3);
  CHECK(backward == 3);
  CHECK(std::any_of(drawing.nodes.begin(), drawing.nodes.end(),
                    [](const DrawnNode& node) { return node.text.title == "dh_2"; }));
  for (const DrawnEdge& edge : drawing.edges) {
    const bool of_backward = tape[edge.source].place.phase == Phase::backward;
    CHECK(edge.backward == of_backward);
  }
  for (const DrawnNode& node : drawing.nodes)
    if (tape[node.node].place.phase == Phase::backward) CHECK(node.dashed);
}

}  // namespace unroll::test
