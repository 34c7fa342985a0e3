#include <unroll/core/array/error.hpp>
#include <unroll/core/render/dot.hpp>
#include <unroll/core/render/graphviz.hpp>
#include <unroll/core/render/label.hpp>
#include <unroll/core/render/legend.hpp>
#include <unroll/core/render/raster.hpp>
#include <unroll/core/render/svg.hpp>
#include <unroll/core/render/theme.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include <graphviz/cgraph.h>

// The writers of finished drawings: themes, SVG, DOT, PNG, PDF. The drawings are made by hand.

namespace unroll::test {

namespace {

using namespace drawing;

constexpr std::array<Theme, 3> themes{Theme::light, Theme::dark, Theme::print};

DrawnNode box_at(std::string id, Look look, double x, double y, Text text) {
  DrawnNode n;
  n.id = std::move(id);
  n.look = look;
  n.box = around({x, y}, 60, 40);
  n.text = std::move(text);
  n.tooltip = n.text.title;
  return n;
}

DrawnEdge line_between(const DrawnNode& from, const DrawnNode& to) {
  DrawnEdge e;
  e.from = from.id;
  e.to = to.id;
  e.curve = rounded({{from.box.right, from.box.centre().y}, {to.box.left, to.box.centre().y}}, 0);
  return e;
}

// Two boxes in a step, and a line from one to the other.
Drawing little() {
  Drawing d;
  d.description = "Two boxes.";
  d.nodes = {box_at("n1", Look::input, 50, 50, {"x_1", {"(1, 2)"}, ""}),
             box_at("n2", Look::state, 150, 50, {"h_1", {"tanh", "(1, 3)"}, ""})};
  d.edges = {line_between(d.nodes[0], d.nodes[1])};
  DrawnFrame step;
  step.id = "t1";
  step.label = "t = 1";
  step.box = {10, 10, 190, 100};
  step.label_at = {100, 92};
  step.nodes = {"n1", "n2"};
  d.frames = {step};
  d.box = {0, 0, 200, 110};
  return d;
}

Flow flow(Flow::Kind kind, double norm = 0, double level = 0) { return {kind, norm, level}; }
Flow finite(double level) { return flow(Flow::Kind::finite, std::pow(10, 4 * level - 5), level); }
Flow not_a_number() { return flow(Flow::Kind::broken, std::numeric_limits<double>::quiet_NaN()); }

// The little drawing with one gradient everywhere.
Drawing with_gradient(Flow f) {
  Drawing d = little();
  d.has_gradients = true;
  d.smallest = 1e-5;
  d.largest = 0.1;
  for (DrawnNode& n : d.nodes) n.flow = f;
  for (DrawnEdge& e : d.edges) e.flow = f;
  return d;
}

std::string many_boxes(int count, double distance) {
  Drawing d;
  for (int i = 0; i < count; ++i)
    d.nodes.push_back(box_at("n" + std::to_string(i), Look::operation, 40 + distance * i, 50, {"+", {}, ""}));
  d.box = {0, 0, distance * count, 100};
  return svg_text(d, Theme::light);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++result;
  return result;
}

// ---- an XML reader, small and strict: elements must nest, attributes be quoted, and text hold only what XML allows

struct Xml {
  std::vector<std::string> elements;  // in order of their start tags
  std::string text;                   // all text between tags, entities resolved
  std::string mistake;                // "" if well-formed
};

std::string resolved(std::string text, std::string& mistake) {
  static const std::regex entity("&(amp|lt|gt|quot|apos);");
  if (count(text, "&") != static_cast<std::size_t>(std::distance(std::sregex_iterator(text.begin(), text.end(), entity),
                                                                 std::sregex_iterator())))
    mistake = "an & that begins no entity: " + text;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}})
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
      text.replace(at, name.size(), value);
  return text;
}

Xml read_xml(const std::string& svg) {
  static const std::regex tag("<(/?)([A-Za-z]+)((?:\\s+[A-Za-z:-]+=\"[^\"<]*\")*)\\s*(/?)>");
  Xml result;
  std::vector<std::string> open;
  auto at = svg.begin();
  for (std::smatch m; at != svg.end();) {
    const auto next = std::find(at, svg.end(), '<');
    result.text += resolved(std::string(at, next), result.mistake);
    if (next == svg.end()) break;
    if (!std::regex_search(next, svg.end(), m, tag, std::regex_constants::match_continuous)) {
      result.mistake = "no tag: " + std::string(next, next + std::min<std::ptrdiff_t>(60, svg.end() - next));
      return result;
    }
    if (m[1].length() > 0) {
      if (open.empty() || open.back() != m[2]) result.mistake = "closed but not open: " + m[2].str();
      if (!open.empty()) open.pop_back();
    } else {
      result.elements.push_back(m[2]);
      resolved(m[3], result.mistake);
      if (m[4].length() == 0) open.push_back(m[2]);
    }
    at = m[0].second;
  }
  if (!open.empty()) result.mistake = "never closed: " + open.back();
  for (const char c : svg)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') result.mistake = "a control character";
  return result;
}

// Well-formed, and opened by librsvg.
void check_opens(const std::string& svg) {
  CHECK(read_xml(svg).mistake == "");
  CHECK(png_of(svg).bytes.starts_with("\x89PNG"));
}

// ---- DOT, read by the library itself

std::string messages;
int keep(char* text) {
  messages += text;
  return 0;
}
std::string messages_of_reading(const std::string& dot) {
  messages.clear();
  agseterrf(keep);
  Agraph_t* graph = agmemread(dot.c_str());
  agseterrf(nullptr);
  if (!graph) return "not read: " + messages;
  agclose(graph);
  return messages;
}

// ---- colours, by the definitions of WCAG 2.1 and CIE 1976

double linear(const std::string& colour, std::size_t channel) {
  const double c = std::stoi(colour.substr(1 + 2 * channel, 2), nullptr, 16) / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}
double luminance(std::string_view colour) {
  const std::string c(colour);
  REQUIRE_MESSAGE(std::regex_match(c, std::regex("#[0-9A-F]{6}")), c);
  return 0.2126 * linear(c, 0) + 0.7152 * linear(c, 1) + 0.0722 * linear(c, 2);
}
double contrast(std::string_view a, std::string_view b) {
  const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return std::max(x, y) / std::min(x, y);
}
double lightness(std::string_view colour) {
  const double y = luminance(colour);
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

constexpr std::array<Look, 9> looks{Look::operation, Look::result, Look::state, Look::input, Look::port,
                                    Look::parameter, Look::gate,   Look::cell,  Look::gap};

const std::vector<std::string>& difficult_names() {
  static const std::vector<std::string> names{
      "\"quotes\" 'and' more", "a < b > c & d &amp; ]]>",          "은닉 상태",
      "line\nbreak\ttab",      std::string("nul\0bell\a\x1b", 10), "broken \xFF\xC3( \xED\xA0\x80 \xEF\xBF\xBF",
      "<!-- --> <script>",     "back\\slash\\n \\N {x|y}",         ""};
  return names;
}

}  // namespace

// ---- themes

TEST_CASE("letters can be read on every fill of every theme") {
  for (const Theme theme : themes) {
    const Palette& p = palette(theme);
    for (const Look look : looks)
      for (int tint = no_tint; tint < 8; ++tint)
        for (const Flow& f :
             {Flow{}, flow(Flow::Kind::absent), flow(Flow::Kind::zero), finite(0), finite(1), not_a_number()}) {
          DrawnNode n;
          n.look = look;
          n.tint = tint;
          n.flow = f;
          const Paint paint = paint_of(p, n);
          CAPTURE(static_cast<int>(theme));
          CAPTURE(static_cast<int>(look));
          CAPTURE(tint);
          CHECK(contrast(paint.letters, paint.fill) >= 4.5);
        }
    for (const auto kind : {DrawnFrame::Kind::step, DrawnFrame::Kind::layer, DrawnFrame::Kind::gate})
      for (int tint = no_tint; tint < 8; ++tint) {
        DrawnFrame frame;
        frame.kind = kind;
        frame.tint = tint;
        const Paint paint = paint_of(p, frame);
        CAPTURE(static_cast<int>(theme));
        CAPTURE(tint);
        CHECK(contrast(paint.letters, paint.fill) >= 4.5);
      }
    for (const std::string_view letters : {p.ink, p.faint, p.broken.colour})
      for (const std::string_view ground : {p.background, p.step_frame.fill, p.layer_frame.fill})
        CHECK(contrast(letters, ground) >= 4.5);
  }
}

TEST_CASE("letters are readable on any colour that a hook chooses") {
  for (int r = 0; r < 256; r += 51)
    for (int g = 0; g < 256; g += 51)
      for (int b = 0; b < 256; b += 51) {
        DrawnNode n;
        n.colour = "#";
        for (const int c : {r, g, b}) n.colour += {"0123456789ABCDEF"[c / 16], "0123456789ABCDEF"[c % 16]};
        const Paint paint = paint_of(palette(Theme::light), n);
        CHECK(paint.fill == n.colour);
        CHECK(contrast(paint.letters, n.colour) >= 4.5);
      }
}

TEST_CASE("the lightness of the gradient scale changes evenly, and every step of it is seen") {
  for (const Theme theme : themes) {
    const Palette& p = palette(theme);
    const double whole = lightness(p.scale.back()) - lightness(p.scale.front());
    CHECK(std::abs(whole) > 40);
    CHECK((whole > 0) == (theme == Theme::dark));  // the largest stands out from the ground
    for (std::size_t i = 0; i < p.scale.size(); ++i) {
      CAPTURE(i);
      CHECK(contrast(p.scale[i], p.background) >= 2.4);
      if (i == 0) continue;
      const double share = (lightness(p.scale[i]) - lightness(p.scale[i - 1])) / whole * (scale_steps - 1);
      CHECK(share > 0.5);
      CHECK(share < 1.7);
    }
  }
}

TEST_CASE("a wider line says a larger gradient, from a hairline to four points") {
  CHECK(scale_width(scale_step(0)) == doctest::Approx(0.4));
  CHECK(scale_width(scale_step(1)) == doctest::Approx(4));
  CHECK(scale_step(-1) == 0);
  CHECK(scale_step(7) == scale_steps - 1);
  for (int i = 1; i < scale_steps; ++i) CHECK(scale_width(i) > scale_width(i - 1));
}

TEST_CASE("print has no hue but the alarm") {
  const std::string text = svg_text(with_gradient(finite(0.5)), Theme::print);
  static const std::regex colour("#([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})");
  int colours = 0;
  for (std::sregex_iterator m(text.begin(), text.end(), colour), end; m != end; ++m) {
    if (m->str() == palette(Theme::print).broken.colour) continue;  // in the legend
    ++colours;
    CHECK((*m)[1] == (*m)[2]);
    CHECK((*m)[2] == (*m)[3]);
  }
  CHECK(colours > 10);
}

TEST_CASE("gates are known by the beginning of their names") {
  CHECK(tint_of("forget") == 0);
  CHECK(tint_of("update gate z") == 5);
  CHECK(tint_of("attention") == no_tint);
  CHECK(tint_of("") == no_tint);
}

TEST_CASE("the tints of two gates look different in every theme") {
  for (const Theme theme : themes) {
    const Palette& p = palette(theme);
    for (std::size_t a = 0; a < tint_count; ++a)
      for (std::size_t b = 0; b < a; ++b) {
        const Paint &one = p.tint_frame[a], &other = p.tint_frame[b];
        CHECK((one.border != other.border && p.tint_result[a].fill != p.tint_result[b].fill));
        if (theme == Theme::print) CHECK(one.dash != other.dash);
      }
  }
}

// ---- SVG

TEST_CASE("an SVG is one well-formed document that says its size, title and description") {
  Drawing d = little();
  d.title = "A <little> drawing";
  d.description = "Two boxes & a line.";
  for (const Theme theme : themes) {
    const std::string svg = svg_text(d, theme);
    check_opens(svg);
    CHECK(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
                        "aria-labelledby=\"drawing-title drawing-description\" width=\"208pt\" height=\"140pt\" "
                        "viewBox=\"-4 0 208 140\">\n<title id=\"drawing-title\">A &lt;little&gt; drawing</title>\n"
                        "<desc id=\"drawing-description\">Two boxes &amp; a line.</desc>\n"));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg == svg_text(d, theme));
  }
  CHECK(svg_text(d, Theme::light) != svg_text(d, Theme::dark));
}

TEST_CASE("a drawing without title or description still has a name for screen readers") {
  Drawing d = little();
  d.description = "";
  const std::string svg = svg_text(d, Theme::light);
  check_opens(svg);
  CHECK(svg.find("aria-labelledby=\"drawing-title\"") != std::string::npos);
  CHECK(svg.find("<desc") == std::string::npos);
  CHECK(svg.find("<title id=\"drawing-title\">A recorded program</title>") != std::string::npos);
}

TEST_CASE("the title stands above the drawing and is not cut off") {
  Drawing d = little();
  d.title = "Title";
  // Of what stands in the drawing, the label of the step is the highest, at 140 - 4 - 92.
  const std::string svg = svg_text(d, Theme::light);
  std::smatch m;
  REQUIRE(std::regex_search(svg, m, std::regex("<text x=\"100\" y=\"([\\d.]+)\" font-size=\"13\">Title</text>")));
  CHECK(std::stod(m[1]) > 13);
  CHECK(std::stod(m[1]) < 26);
  d.title = std::string(80, 'm');
  CHECK(svg_text(d, Theme::light).find("viewBox=\"-4 0 580 140\"") != std::string::npos);
  CHECK(dot_text(d, Theme::light).find("bb=\"0,0,200,132\"") != std::string::npos);
}

TEST_CASE("an empty drawing is a picture, too") {
  for (const Theme theme : themes) {
    check_opens(svg_text(Drawing{}, theme));
    CHECK(pdf_of(svg_text(Drawing{}, theme)).bytes.starts_with("%PDF"));
    CHECK(messages_of_reading(dot_text(Drawing{}, theme)) == "");
  }
}

TEST_CASE("any name survives in SVG and DOT") {
  for (const std::string& name : difficult_names()) {
    CAPTURE(name);
    Drawing d = little();
    d.title = d.description = d.frames[0].label = d.edges[0].label = d.nodes[0].tooltip = name;
    d.nodes[0].text = {name, {name, name}, name};
    d.texts = {{name, {20, 20}, 8}};
    d.notes = {name};
    const std::string svg = svg_text(d, Theme::light);
    check_opens(svg);
    // Twice for title and description, and at each place once more.
    if (!name.empty()) CHECK(count(read_xml(svg).text, clean(name)) >= 10);
    const std::string dot = dot_text(d, Theme::light);
    CHECK(messages_of_reading(dot) == "");
    CHECK(LaidOutGraph(dot, "nop2").node("n1").width() == doctest::Approx(60).epsilon(0.01));
  }
}

TEST_CASE("identifiers that are no words are quoted") {
  for (const std::string id : {"node", "Graph", "a b", "1st", "<x>", "é", ""}) {
    Drawing d = little();
    d.nodes[0].id = d.edges[0].from = d.frames[0].nodes[0] = id;
    check_opens(svg_text(d, Theme::light));
    CHECK(messages_of_reading(dot_text(d, Theme::light)) == "");
  }
}

TEST_CASE("every box has its identifier, its tooltip and its lines in their sizes") {
  Drawing d = little();
  d.nodes[1].tooltip = "rnn/h = tanh, step 1";
  d.nodes[1].box = around({150, 50}, 60, 44);
  d.nodes[1].text.gradient = "∇ 0.5";
  const std::string svg = svg_text(d, Theme::light);
  CHECK(svg.find("<g id=\"n2\" transform=\"translate(150,64)\"><title>rnn/h = tanh, step 1</title>"
                 "<rect x=\"-30\" y=\"-22\" width=\"60\" height=\"44\" rx=\"5\" class=\"state\"/>"
                 "<text y=\"-8.82\">h_1</text><text class=\"n\" y=\"-.35\">tanh</text>"
                 "<text class=\"n\" y=\"7.49\">(1, 3)</text><text class=\"v\" y=\"16.24\">∇ 0.5</text></g>") !=
        std::string::npos);
  CHECK(svg.find("font-size=\"10\"") != std::string::npos);
  CHECK(svg.find(".n{font-size:7px}") != std::string::npos);
  CHECK(svg.find(".v{font-size:8px}") != std::string::npos);
  // The label of a frame lies above the lines, with a rim that keeps them apart.
  CHECK(svg.find(">t = 1</text>") != std::string::npos);
  CHECK(svg.find(">t = 1</text>") > svg.find("<path class=\"data\""));
  CHECK(std::regex_search(svg, std::regex("\\.rimF8F8FA\\{stroke:#F8F8FA;[^}]*paint-order:stroke\\}")));
}

TEST_CASE("lines of text stand closer together in a low box") {
  Drawing d = little();
  d.nodes[1].box = around({150, 50}, 60, 29);
  d.nodes[1].text = {"h_1", {"tanh"}, "∇ 0.5"};
  const std::string svg = svg_text(d, Theme::light);
  static const std::regex lines(
      ">h_1</text><text class=\"n\" y=\"([-\\d.]+)\">tanh</text><text class=\"v\" y=\"([-\\d.]+)\">"),
      first("<text y=\"([-\\d.]+)\">h_1");
  std::smatch m;
  REQUIRE(std::regex_search(svg, m, first));
  CHECK(std::stod(m[1]) - 0.72 * title_size > -14.5);  // capitals are 0.72 high
  REQUIRE(std::regex_search(svg, m, lines));
  CHECK(std::stod(m[2]) < 14.5 - 1);
  CHECK(std::stod(m[2]) - std::stod(m[1]) > 0.9 * gradient_size);
}

TEST_CASE("the ground of a picture covers its last pixels") {
  Drawing d;
  d.box = {0, 0, 20.3, 20.3};  // 56.6 pixels with its margins
  d.title = "x";
  for (const Theme theme : {Theme::light, Theme::dark}) {
    const std::string svg = svg_text(d, theme);
    static const std::regex ground(
        "<rect x=\"(-?[\\d.]+)\" y=\"(-?[\\d.]+)\" width=\"([\\d.]+)\" height=\"([\\d.]+)\""),
        page("viewBox=\"(-?[\\d.]+) (-?[\\d.]+) ([\\d.]+) ([\\d.]+)\"");
    std::smatch r, v;
    REQUIRE(std::regex_search(svg, r, ground));
    REQUIRE(std::regex_search(svg, v, page));
    for (int side = 1; side <= 2; ++side) {
      CHECK(std::stod(r[side]) < std::stod(v[side]));
      CHECK(std::stod(r[side]) + std::stod(r[side + 2]) > std::stod(v[side]) + std::stod(v[side + 2]));
    }
  }
}

TEST_CASE("the tip of an arrow touches the box, however wide the line is") {
  for (const double level : {0.0, 0.5, 1.0}) {
    const Drawing d = with_gradient(finite(level));
    const std::string svg = svg_text(d, Theme::light);
    // The line begins at (80, 64), the box at x = 120.
    static const std::regex shaft("<path class=\"e\\d+\" d=\"M80 64h([\\d.]+)\"/>"),
        head("<path class=\"h-e\\d+\" d=\"M120 64l(-[\\d.]+)-([\\d.]+) ?0?v([\\d.]+)z");
    std::smatch m;
    REQUIRE(std::regex_search(svg, m, shaft));
    const double end = 80 + std::stod(m[1]);
    const Arrow a = arrow(d.edges[0].curve, scale_width(scale_step(level)));
    CHECK(svg.find("d=\"M120 64l-") != std::string::npos);
    CHECK(end < 120 - 3);
    CHECK(end > a.back.x);
    CHECK(a.half_width > scale_width(scale_step(level)) / 2);
  }
}

TEST_CASE("a short line keeps half of its way for the arrow") {
  const Arrow a = arrow(rounded({{0, 0}, {0, 3}}, 0), 4);
  CHECK(a.tip == Point{0, 3});
  CHECK(a.back.y == doctest::Approx(1.5));
  CHECK(a.shaft.back().y < 1.7);
}

TEST_CASE("paths are short, and their errors do not add up") {
  SvgText out;
  Curve zigzag{{0, 0}};
  for (int i = 1; i <= 300; ++i) {
    const Point from = zigzag.back(), to{i * 1.003, i % 2 * 1.0};
    const Curve piece = rounded({from, to}, 0);
    zigzag = joined(zigzag, piece);
  }
  out.path(zigzag, 0);
  CHECK(out.text.starts_with("M0 0l1-1l1.01 1l1-1"));
  double x = 0;
  static const std::regex step("l(-?[\\d.]+)");
  for (std::sregex_iterator m(out.text.begin(), out.text.end(), step), end; m != end; ++m) x += std::stod((*m)[1]);
  CHECK(x == doctest::Approx(300.9).epsilon(1e-9));

  const auto written = [](double value) {
    SvgText number;
    number << value;
    return number.text;
  };
  CHECK(written(12) == "12");
  CHECK(written(-0.5) == "-.5");
  CHECK(written(12.346) == "12.35");
  CHECK(written(0.07) == ".07");
  CHECK(written(-0.001) == "0");
  CHECK(written(-1203.1) == "-1203.1");
  CHECK_THROWS_WITH_AS(written(std::numeric_limits<double>::quiet_NaN()),
                       "render: a place in the drawing is not a finite number", Error);
}

TEST_CASE("what was not computed, zero and broken look different from each other and from numbers") {
  const std::vector<Flow> flows{Flow{}, flow(Flow::Kind::absent), flow(Flow::Kind::zero), finite(0), not_a_number()};
  for (const Theme theme : themes) {
    const Palette& p = palette(theme);
    for (const Look look : looks)
      for (std::size_t a = 0; a < flows.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) {
          DrawnNode one, other;
          one.look = other.look = look;
          one.flow = flows[a];
          other.flow = flows[b];
          const Paint x = paint_of(p, one), y = paint_of(p, other);
          CHECK((x.border != y.border || x.dash != y.dash || x.fill != y.fill));
          DrawnEdge line, another;
          line.flow = flows[a];
          another.flow = flows[b];
          const Stroke s = stroke_of(p, line), t = stroke_of(p, another);
          CHECK((s.colour != t.colour || s.dash != t.dash));
        }
    CHECK(p.absent.dash != p.zero.dash);
    CHECK(p.absent.colour != p.zero.colour);
    CHECK(p.broken.width == doctest::Approx(scale_width(scale_steps - 1)));
  }
  const std::string absent = svg_text(with_gradient(flow(Flow::Kind::absent)), Theme::light),
                    zero = svg_text(with_gradient(flow(Flow::Kind::zero)), Theme::light);
  CHECK(absent.find("<path class=\"absent\"") != std::string::npos);
  CHECK(absent.find("class=\"state absent-box\"") != std::string::npos);
  CHECK(zero.find("<path class=\"zero\"") != std::string::npos);
  CHECK(zero.find("class=\"state zero-box\"") != std::string::npos);
  CHECK(png_of(absent).bytes != png_of(zero).bytes);
}

TEST_CASE("a gradient that is not finite says so in red, even where there was no line for it") {
  Drawing d = with_gradient(not_a_number());
  d.nodes[1].flow.norm = std::numeric_limits<double>::infinity();
  const std::string svg = svg_text(d, Theme::light), dot = dot_text(d, Theme::light);
  for (const std::string& text : {svg, dot}) {
    CHECK(text.find("∇ NaN") != std::string::npos);
    CHECK(text.find("∇ Inf") != std::string::npos);
    CHECK(text.find(palette(Theme::light).broken.colour) != std::string::npos);
  }
  CHECK(count(svg, "broken-box\"") == 2);
  CHECK(count(svg, "<path class=\"broken\"") == 1);
  // It takes the place of the last note.
  CHECK(text_of(d.nodes[1]).notes == std::vector<std::string>{"tanh"});
}

TEST_CASE("broken lines lie above all others, and lines that were not computed below") {
  Drawing d = with_gradient(not_a_number());
  for (const Flow& f : {finite(1), flow(Flow::Kind::absent), finite(0.2)}) {
    d.edges.push_back(d.edges[0]);
    d.edges.back().flow = f;
  }
  const std::string svg = svg_text(d, Theme::light);
  const auto at = [&](const char* name) { return svg.find("<path class=\"" + std::string(name) + "\""); };
  CHECK(at("absent") < at("e23"));
  CHECK(at("e23") < at("e5"));
  CHECK(at("e5") < at("broken"));
  CHECK(at("broken") != std::string::npos);
}

TEST_CASE("where a gradient is cut, the line is dashed and says so, whatever its source has") {
  for (const Flow& f : {Flow{}, finite(1), not_a_number(), flow(Flow::Kind::absent)}) {
    Drawing d = with_gradient(f);
    d.edges[0].cut = true;
    d.edges[0].kind = DrawnEdge::Kind::state;
    d.edges[0].label = "✂ cut";
    d.edges[0].label_at = {100, 60};
    const std::string svg = svg_text(d, Theme::light), dot = dot_text(d, Theme::light);
    CHECK(svg.find("<path class=\"cut\"") != std::string::npos);
    CHECK(std::regex_search(svg, std::regex("\\.cut\\{[^}]*stroke-dasharray:")));
    CHECK(svg.find("font-size=\"8\" class=\"rimFFFFFF\">✂ cut</text>") != std::string::npos);
    CHECK(std::regex_search(dot, std::regex("n1 -> n2 \\[[^\\n]*style=dashed, label=\"✂ cut\"")));
  }
}

TEST_CASE("a colour from a hook fills the box, and the alarm is stronger") {
  Drawing d = with_gradient(finite(1));
  d.nodes[0].colour = "#123456";
  CHECK(count(svg_text(d, Theme::light), "fill:#123456") == 1);
  CHECK(count(dot_text(d, Theme::light), "#123456") == 1);
  d.nodes[0].flow = not_a_number();
  CHECK(count(svg_text(d, Theme::light), "#123456") == 0);
  CHECK(count(dot_text(d, Theme::light), "#123456") == 0);
}

TEST_CASE("a hook's colour cannot break the file") {
  Drawing d = little();
  d.nodes[0].colour = "\"><script>&";
  check_opens(svg_text(d, Theme::light));
  CHECK(read_xml(svg_text(d, Theme::light)).elements == read_xml(svg_text(little(), Theme::light)).elements);
}

TEST_CASE("bars stand below the steps with their shares, and a negative one is hollow") {
  Drawing d = little();
  d.bars = {{1, {80, 20, 120, 50}, 0.5, 1.25, "125 %", {100, 14}},
            {2, {140, 20, 180, 30}, 0.1, -0.25, "−25 %", {160, 14}}};
  const std::string svg = svg_text(d, Theme::light);
  check_opens(svg);
  CHECK(svg.find("<rect x=\"80\" y=\"64\" width=\"40\" height=\"30\" rx=\"0\" class=\"bar\"/>") != std::string::npos);
  CHECK(svg.find("height=\"10\" rx=\"0\" class=\"hollow-bar\"/>") != std::string::npos);
  CHECK(svg.find(">125 %</text>") != std::string::npos);
  CHECK(svg.find("<title>step 2: norm 0.1, share -0.25</title>") != std::string::npos);
  CHECK(messages_of_reading(dot_text(d, Theme::light)) == "");
}

TEST_CASE("a long network is written short and is still opened") {
  Drawing d;
  constexpr int steps = 400, per_step = 35;
  for (int t = 0; t < steps; ++t)
    for (int k = 0; k < per_step; ++k) {
      const int i = t * per_step + k;
      d.nodes.push_back(box_at("n" + std::to_string(i), Look::operation, 450.0 * t + 60.37 * (k % 7), 61.43 * (k / 7),
                               {"x W_f", {"matmul (1, 3)"}, ""}));
      d.nodes.back().tooltip = "lstm/forget = matmul, step " + std::to_string(t);
      if (i > 0) d.edges.push_back(line_between(d.nodes[static_cast<std::size_t>(i) - 1], d.nodes.back()));
    }
  d.box = {0, 0, 450.0 * steps, 400};
  const std::string svg = svg_text(d, Theme::light);
  CHECK(svg.size() / d.nodes.size() < 400);
  CHECK(pdf_of(svg).note.find("scaled down to 8 %") != std::string::npos);
}

TEST_CASE("what the XML reader takes for too large is read, too") {
  Drawing d = little();
  d.nodes[0].id.assign(12'000'000, 'm');  // one attribute, beyond what the XML reader takes from strangers
  const std::string svg = svg_text(d, Theme::light);
  REQUIRE(svg.size() > 12'000'000);
  CHECK(png_of(svg).bytes == png_of(svg_text(little(), Theme::light)).bytes);
}

// ---- the legend

TEST_CASE("there is a legend where there are gradients, and only there") {
  const std::string without = svg_text(little(), Theme::light);
  CHECK(without.find("Gradient") == std::string::npos);
  CHECK(without.find("not computed") == std::string::npos);
  CHECK(legend_lines(little()).empty());
  CHECK(dot_text(little(), Theme::light).find("legend") == std::string::npos);

  for (const Theme theme : themes) {
    const std::string with = svg_text(with_gradient(finite(0.5)), theme);
    check_opens(with);
    const std::string text = read_xml(with).text;
    for (const std::string part : {"Gradient |∇|:", "10−5", "10−1", "not computed", "NaN, ∞"})
      CHECK_MESSAGE(text.find(part) != std::string::npos, part);
    for (const std::string_view colour : palette(theme).scale) CHECK(with.find(colour) != std::string::npos);
    for (const Stroke& s : {palette(theme).zero, palette(theme).absent})
      CHECK(with.find("stroke-dasharray=\"" + std::string(s.dash) + "\"") != std::string::npos);
  }
  CHECK(dot_text(with_gradient(finite(0.5)), Theme::light).find("thin 10⁻⁵ to thick 10⁻¹") != std::string::npos);
}

TEST_CASE("a scale with one end or none has a legend without the missing end") {
  Drawing d = with_gradient(finite(1));
  d.smallest = d.largest = 3.2e-7;
  CHECK(read_xml(svg_text(d, Theme::light)).text.find("3.2·10−7") != std::string::npos);
  CHECK(legend_lines(d)[0].find("up to 3.2·10⁻⁷") != std::string::npos);
  d.smallest = d.largest = 0;
  check_opens(svg_text(d, Theme::light));
  CHECK(legend_lines(d)[0].find("to") == legend_lines(d)[0].find("tot"));  // nothing "to" anything, only "dotted"
  d.largest = std::numeric_limits<double>::infinity();
  check_opens(svg_text(d, Theme::light));
}

TEST_CASE("notes stand below the drawing, and the page has room for them") {
  Drawing d = little();
  const LegendSize none = legend_size(d, d.box.width());
  CHECK(none.height == 0);
  d.notes = {"94 steps are not drawn.", std::string(100, 'm')};
  const LegendSize size = legend_size(d, d.box.width());
  CHECK(size.height > 24);
  CHECK(size.width > 300);
  const std::string svg = svg_text(d, Theme::light);
  CHECK(svg.find(">94 steps are not drawn.</text>") != std::string::npos);
  CHECK(svg.find("viewBox=\"-4 0 448 148\"") != std::string::npos);
  CHECK(dot_text(d, Theme::light).find("94 steps are not drawn.\\l") != std::string::npos);
}

TEST_CASE("numbers of the legend are powers of ten") {
  CHECK(power_of_ten_line(1e-7) == "10⁻⁷");
  CHECK(power_of_ten_line(3.24e-12) == "3.2·10⁻¹²");
  CHECK(power_of_ten_line(2e5) == "2·10⁵");
  CHECK(power_of_ten_line(1) == "1");
  CHECK(power_of_ten_line(4.2) == "4.2");
  CHECK(power_of_ten_line(9.99e-3) == "10⁻²");
  CHECK(power_of_ten_line(0) == "0");
}

// ---- PNG and PDF

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < 4; ++i) result = result << 8 | static_cast<unsigned char>(bytes[at + i]);
  return result;
}

TEST_CASE("a PNG has 144 pixels to the inch") {
  const Raster png = png_of(svg_text(little(), Theme::light));
  CHECK(big_endian(png.bytes, 16) == 2 * 208);
  CHECK(big_endian(png.bytes, 20) == 2 * 118);
  CHECK(png.note == "");
}

TEST_CASE("a large PNG has fewer pixels to the inch and says so") {
  const Raster png = png_of(many_boxes(100, 200));  // 20,008 points
  CHECK(big_endian(png.bytes, 16) == 16384);
  CHECK(png.note.find("has 59 pixels per inch instead of 144") != std::string::npos);
}

TEST_CASE("a PNG that nobody could read is an error that says what to do") {
  std::string message;
  try {
    png_of(many_boxes(400, 200));
  } catch (const Error& e) { message = e.what(); }
  for (const std::string part :
       {"80008 x 108 points", "20002 x 27 pixels", "16384", "100 million", ".svg or .pdf", "collapse"})
    CHECK_MESSAGE(message.find(part) != std::string::npos, message);
}

TEST_CASE("a PDF is one page of the size of the drawing, at most 200 inches") {
  const auto media_box = [](const std::string& pdf) {
    std::smatch m;
    REQUIRE(std::regex_search(pdf, m, std::regex("/MediaBox \\[ 0 0 ([\\d.]+) ([\\d.]+) \\]")));
    return std::pair(std::stod(m[1]), std::stod(m[2]));
  };
  const Raster pdf = pdf_of(svg_text(little(), Theme::light));
  CHECK(media_box(pdf.bytes) == std::pair(208.0, 118.0));
  CHECK(pdf.note == "");
  const Raster large = pdf_of(many_boxes(100, 200));
  CHECK(media_box(large.bytes).first == 14400);
  CHECK(large.note.find("scaled down to 72 %") != std::string::npos);
}

TEST_CASE("pictures are equal on every run and have no date") {
  Drawing d = with_gradient(finite(0.5));
  d.title = "은닉 상태";
  for (const Theme theme : themes) {
    const std::string svg = svg_text(d, theme);
    CHECK(png_of(svg).bytes == png_of(svg).bytes);
    const std::string pdf = pdf_of(svg).bytes;
    CHECK(pdf == pdf_of(svg).bytes);
    CHECK(pdf.find("/CreationDate") == std::string::npos);
  }
}

TEST_CASE("the colours of a picture are those of its theme") {
  for (const Theme theme : themes) {
    // Another theme, another ground: other bytes, though all else is equal.
    Drawing d;
    d.box = {0, 0, 20, 20};
    CHECK((png_of(svg_text(d, theme)).bytes == png_of(svg_text(d, Theme::light)).bytes) == (theme != Theme::dark));
  }
}

TEST_CASE("what librsvg cannot read is an error with its reason") {
  CHECK_THROWS_WITH_AS(png_of("<svg"), doctest::Contains("librsvg does not read the drawing: XML"), Error);
  CHECK_THROWS_WITH_AS(pdf_of("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), doctest::Contains("no size"), Error);
}

// ---- DOT

TEST_CASE("DOT is read back without a message, and its positions are those of the drawing") {
  for (const Theme theme : themes)
    for (const Flow& f : {Flow{}, finite(1), not_a_number(), flow(Flow::Kind::zero), flow(Flow::Kind::absent)}) {
      Drawing d = with_gradient(f);
      d.has_gradients = f.kind != Flow::Kind::unasked;
      d.title = "title";
      d.notes = {"a note"};
      DrawnFrame gate;
      gate.id = "cluster_gate";
      gate.kind = DrawnFrame::Kind::gate;
      gate.tint = 1;
      gate.box = d.nodes[1].box.grown(4);
      gate.nodes = {"n2"};
      d.frames[0].nodes = {"n1"};
      d.frames[0].inner = {gate};
      const std::string dot = dot_text(d, theme);
      CHECK(messages_of_reading(dot) == "");
      CHECK(dot == dot_text(d, theme));
      const LaidOutGraph graph(dot, "nop2");
      for (const DrawnNode& n : d.nodes) {
        CHECK(graph.node(n.id).centre() == n.box.centre());
        CHECK(graph.node(n.id).width() == doctest::Approx(n.box.width()).epsilon(1e-3));
      }
      CHECK(graph.cluster("cluster_t1").box.right == 190);
      CHECK(graph.cluster("cluster_gate").box.left == 116);
      const Curve curve = graph.edge("n1", "n2");
      CHECK(curve.front().x == 80);
      CHECK(curve.back().x <= 120);
      CHECK(curve.back().x > 106);
    }
}

TEST_CASE("laid out anew, boxes stay in their clusters and time runs to the right") {
  Drawing d = little();
  d.nodes.push_back(box_at("n3", Look::state, 350, 50, {"h_2", {}, ""}));
  d.edges.push_back(line_between(d.nodes[1], d.nodes[2]));
  d.frames.push_back(d.frames[0]);
  d.frames[1].id = "t2";
  d.frames[1].nodes = {"n3"};
  const LaidOutGraph graph(dot_text(d, Theme::light), "dot");
  const Rectangle first = graph.cluster("cluster_t1").box, second = graph.cluster("cluster_t2").box;
  CHECK(first.right < second.left);
  CHECK(first.overlaps(graph.node("n1")));
  CHECK(first.overlaps(graph.node("n2")));
  CHECK(second.overlaps(graph.node("n3")));
  // What runs along one level does so again.
  d.edges[1].curve = rounded({{180, 50}, {320, 60}}, 0);
  const std::string dot = dot_text(d, Theme::light);
  CHECK(std::regex_search(dot, std::regex("n1 -> n2 \\[[^\\n]*weight=50")));
  CHECK(!std::regex_search(dot, std::regex("n2 -> n3 \\[[^\\n]*weight")));
  CHECK(graph.node("n1").centre().y == doctest::Approx(graph.node("n2").centre().y));
  CHECK(graph.node("n2").centre().y == doctest::Approx(graph.node("n3").centre().y));
}

}  // namespace unroll::test
