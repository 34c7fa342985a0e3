#include <unroll/core/render/dot.hpp>

#include <unroll/core/render/legend.hpp>
#include <unroll/core/render/style.hpp>
#include <unroll/core/render/theme.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

// Two decimals at most, and none that say nothing: 12, 12.5, 12.25.
std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", std::round(value * 100) / 100 + 0.0);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}
std::string point(Point p) { return coordinate(p.x) + "," + coordinate(p.y); }
std::string box(const Rectangle& r) { return point({r.left, r.bottom}) + "," + point({r.right, r.top}); }

// An identifier needs no quotes where it consists of letters, digits and "_", unless it is a word of the language.
std::string name(const std::string& id) {
  const bool plain =
      !id.empty() && !std::isdigit(static_cast<unsigned char>(id[0])) &&
      std::all_of(id.begin(), id.end(), [](unsigned char c) { return c < 128 && (std::isalnum(c) || c == '_'); });
  std::string lower = id;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view word : {"node", "edge", "graph", "digraph", "subgraph", "strict"})
    if (lower == word) return quoted(id);
  return plain ? id : quoted(id);
}

// "e,<tip> <curve>": the curve ends where the head of the arrow begins. The head is outlined with the edge's pen, whose corner reaches
// beyond the tip, the further the wider the pen is: the tip is drawn back by as much, so that it touches the box and not the text in it.
std::string spline(const Curve& curve, double width) {
  constexpr double head = 5, half_width = 1.75;  // of an arrow of size 0.5
  const Point tip = curve.back();
  const double reach = width / 2 * std::hypot(head, half_width) / half_width;
  const double overshoot = std::min(reach, 0.4 * std::hypot(tip.x - curve.front().x, tip.y - curve.front().y));
  Point before = curve[curve.size() - 2];
  for (std::size_t i = curve.size() - 1; i-- > 0 && std::hypot(tip.x - before.x, tip.y - before.y) < head / 2;)
    before = curve[i];
  const double length = std::max(std::hypot(tip.x - before.x, tip.y - before.y), 1e-6);
  Curve shortened = curve;
  const Point direction = 1 / length * (tip - before);
  shortened.back() = tip - (head + overshoot) * direction;
  std::string text = "e," + point(tip - overshoot * direction);
  for (const Point& p : shortened) text += " " + point(p);
  return text;
}

// The library knows dashes and dots by name only.
std::string_view style_of(std::string_view dash) {
  if (dash.empty()) return "";
  return dash.starts_with("0") || dash.starts_with("1") ? "dotted" : "dashed";
}

bool is_level(const Curve& curve) {
  return std::all_of(curve.begin(), curve.end(), [&](Point p) { return std::abs(p.y - curve.front().y) < 0.01; });
}

class Writer {
 public:
  explicit Writer(const Palette& p) : palette_(p) {}

  std::string write(const Drawing& d) {
    const auto legend = legend_lines(d);
    line(0, "digraph unroll {");
    // What is laid out anew runs along time, too.
    line(1, fmt::format("graph [bb=\"{}\", rankdir=LR, newrank=true, nodesep=0.12, ranksep=0.3, splines=true, "
                        "outputorder=edgesfirst, bgcolor=\"{}\", fontcolor=\"{}\", {}];",
                        box(page(d, legend.size())), palette_.background, palette_.ink, font));
    if (!d.title.empty())
      line(1, fmt::format("graph [label={}, labelloc=t, fontsize={}, lp=\"{}\"];", quoted(d.title), heading_size,
                          point({d.box.centre().x, d.box.top + heading_height / 2})));
    line(1,
         fmt::format("node [{}, fontsize={}, fontcolor=\"{}\", fixedsize=true, style=\"rounded,filled\", shape=box];",
                     font, title_size, palette_.ink));
    line(1, fmt::format("edge [{}, fontsize={}, fontcolor=\"{}\", arrowsize=0.5];", font, gradient_size, palette_.ink));
    for (const DrawnFrame& frame : d.frames) write(frame, 1);
    for (const DrawnNode& n : d.nodes) write(n);
    for (const DrawnEdge& e : d.edges) write(e);
    for (std::size_t i = 0; i < d.bars.size(); ++i) write(d.bars[i], i);
    for (std::size_t i = 1; i < d.bars.size(); ++i) {  // laid out anew, they stand in order
      const Curve between = rounded({d.bars[i - 1].box.centre(), d.bars[i].box.centre()}, 0);
      line(1, fmt::format("bar{} -> bar{} [style=invis, pos=\"{}\"];", i - 1, i, spline(between, 0)));
    }
    for (std::size_t i = 0; i < d.texts.size(); ++i)
      words(fmt::format("text{}", i), quoted(d.texts[i].text), d.texts[i].at, d.texts[i].size);
    if (!legend.empty()) write_legend(d, legend);
    line(0, "}");
    return std::move(out_);
  }

 private:
  static constexpr double row = 11;

  static Rectangle page(const Drawing& d, std::size_t rows) {
    Rectangle result = d.box;
    if (!d.title.empty()) result.top += heading_height;
    if (rows > 0) result.bottom -= row * static_cast<double>(rows) + 12;
    return result;
  }

  void line(int depth, const std::string& text) {
    out_.append(2 * static_cast<std::size_t>(depth), ' ');
    out_ += text;
    out_ += '\n';
  }

  void write(const DrawnFrame& f, int depth) {
    const Paint paint = paint_of(palette_, f);
    line(depth, fmt::format("subgraph {} {{", name(f.id.starts_with("cluster") ? f.id : "cluster_" + f.id)));
    line(depth + 1, fmt::format("graph [label={}, bb=\"{}\", lp=\"{}\", style=\"rounded,filled{}\", fillcolor=\"{}\", "
                                "color=\"{}\", fontcolor=\"{}\", fontsize={}, penwidth={}];",
                                quoted(f.label), box(f.box), point(f.label_at),
                                paint.dash.empty() ? "" : fmt::format(",{}", style_of(paint.dash)), paint.fill,
                                paint.border, paint.letters, depth == 1 ? 11 : 9, paint.width));
    if (!f.nodes.empty()) {
      std::string list;
      for (const std::string& id : f.nodes) list += (list.empty() ? "" : " ") + name(id) + ";";
      line(depth + 1, list);
    }
    for (const DrawnFrame& inner : f.inner) write(inner, depth + 1);
    line(depth, "}");
  }

  void write(const DrawnNode& n) {
    const Paint paint = paint_of(palette_, n);
    std::string more;
    if (paint.letters != palette_.ink) more += fmt::format(", fontcolor=\"{}\"", paint.letters);
    if (!paint.dash.empty()) more += fmt::format(", style=\"rounded,filled,{}\"", style_of(paint.dash));
    line(1, fmt::format("{} [label={}, pos=\"{}\", width={:.4f}, height={:.4f}, fillcolor=\"{}\", color=\"{}\", "
                        "penwidth={:.3g}{}, tooltip={}];",
                        name(n.id), html_label(text_of(n)), point(n.box.centre()), n.box.width() / 72,
                        n.box.height() / 72, paint.fill, paint.border, paint.width, more, quoted(n.tooltip)));
  }

  void write(const DrawnEdge& e) {
    const Stroke stroke = stroke_of(palette_, e);
    std::string more;
    if (!stroke.dash.empty()) more += fmt::format(", style={}", style_of(stroke.dash));
    if (!e.label.empty()) {
      more += fmt::format(", label={}, lp=\"{}\"", quoted(e.label), point(e.label_at));
      if (e.flow.kind == Flow::Kind::broken && !e.cut)
        more += fmt::format(", fontcolor=\"{}\"", palette_.broken.colour);
      if (e.flow.kind == Flow::Kind::absent && !e.cut) more += fmt::format(", fontcolor=\"{}\"", palette_.faint);
    }
    // Where `dot` lays it out: what runs along one level keeps to it, through all steps, and adjoints do not push their values about.
    if (is_level(e.curve)) more += ", weight=50";
    if (e.backward) more += ", constraint=false";
    line(1, fmt::format("{} -> {} [pos=\"{}\", color=\"{}\", penwidth={:.3g}{}];", name(e.from), name(e.to),
                        spline(e.curve, stroke.width), stroke.colour, stroke.width, more));
  }

  void write(const DrawnBar& b, std::size_t i) {
    const bool hollow = b.share < 0;
    line(1, fmt::format("bar{} [label=\"\", style=filled, pos=\"{}\", width={:.4f}, height={:.4f}, fillcolor=\"{}\", "
                        "color=\"{}\", penwidth=0.8, tooltip={}];",
                        i, point(b.box.centre()), b.box.width() / 72, std::max(b.box.height(), 0.1) / 72,
                        hollow ? palette_.background : palette_.bar, palette_.bar_border,
                        quoted(fmt::format("step {}: norm {}, share {}", b.step, number(b.norm), number(b.share)))));
    if (b.label.empty()) return;
    words(fmt::format("bar{}_label", i), quoted(b.label), b.label_at, 8);
    line(1, fmt::format("{{ rank=same; bar{0}; bar{0}_label; }}", i));
  }

  void words(const std::string& id, const std::string& label, Point at, double size) {
    line(1, fmt::format("{} [label={}, shape=plaintext, style=\"\", fixedsize=false, margin=0, width=0, height=0, "
                        "fontsize={}, pos=\"{}\"];",
                        id, label, size, point(at)));
  }

  void write_legend(const Drawing& d, const std::vector<std::string>& lines) {
    std::string label;
    for (const std::string& text : lines) {
      const std::string one = quoted(text);
      label += one.substr(1, one.size() - 2) + "\\l";
    }
    const double height = row * static_cast<double>(lines.size());
    words("legend", "\"" + label + "\"", {d.box.centre().x, d.box.bottom - 6 - height / 2}, 8);
  }

  const Palette& palette_;
  std::string out_;
};

}  // namespace

std::string dot_text(const Drawing& drawing, Theme theme) { return Writer(palette(theme)).write(drawing); }

}  // namespace unroll::drawing
