#include <unroll/core/render/dot.hpp>

#include <unroll/core/render/style.hpp>

#include <cmath>
#include <iterator>

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

class Writer {
 public:
  std::string write(const Drawing& d, const std::string& extra) {
    line(0, "digraph unroll {");
    line(1, fmt::format("graph [bb=\"{}\", rankdir=LR, splines=true, {}{}{}];", box(d.box), font,
                        extra.empty() ? "" : ", ", extra));
    if (!d.title.empty())
      line(1, fmt::format("graph [label={}, labelloc=t, fontsize=13, lp=\"{}\"];", quoted(d.title),
                          point({d.box.centre().x, d.box.top - 12})));
    line(1, fmt::format("node [{}, fontsize=10, fixedsize=true, style=\"rounded,filled\", shape=box, penwidth=0.8];",
                        font));
    line(1, fmt::format("edge [{}, fontsize=8, arrowsize=0.5];", font));
    for (const DrawnCluster& cluster : d.clusters) write(cluster, 1);
    for (const DrawnNode& n : d.nodes) write(n);
    for (const DrawnEdge& e : d.edges) write(e);
    line(0, "}");
    return std::move(out_);
  }

 private:
  void line(int depth, const std::string& text) {
    out_.append(2 * static_cast<std::size_t>(depth), ' ');
    out_ += text;
    out_ += '\n';
  }

  void write(const DrawnCluster& c, int depth) {
    line(depth, fmt::format("subgraph {} {{", c.id));
    line(depth + 1,
         fmt::format("graph [label={}, bb=\"{}\", lp=\"{}\", style=\"rounded,filled\", fillcolor=\"{}\", color=\"{}\", "
                     "fontcolor=\"{}\", "
                     "fontsize={}, penwidth=0.8];",
                     quoted(c.label), box(c.box), point(c.label_at), c.fill, c.border, c.letters, depth == 1 ? 11 : 9));
    if (!c.nodes.empty()) {
      std::string list;
      for (const std::string& id : c.nodes) list += (list.empty() ? "" : " ") + id + ";";
      line(depth + 1, list);
    }
    for (const DrawnCluster& inner : c.inner) write(inner, depth + 1);
    line(depth, "}");
  }

  void write(const DrawnNode& n) {
    line(1, fmt::format("{} [label={}, pos=\"{}\", width={}, height={}, fillcolor=\"{}\", color=\"{}\", "
                        "fontcolor=\"{}\"{}, tooltip={}];",
                        n.id, html_label(n.text), point(n.box.centre()), fmt::format("{:.4f}", n.box.width() / 72),
                        fmt::format("{:.4f}", n.box.height() / 72), n.fill, n.border, n.letters,
                        n.dashed                ? ", style=\"rounded,filled,dashed\""
                        : n.look == Look::state ? ", penwidth=1.6"
                                                : "",
                        quoted(n.tooltip)));
  }

  void write(const DrawnEdge& e) {
    std::string label;
    if (!e.label.empty())
      label = fmt::format(", label={}, lp=\"{}\", fontcolor=\"{}\"", quoted(e.label), point(e.label_at), e.colour);
    line(1, fmt::format("{} -> {} [pos=\"{}\", color=\"{}\", penwidth={:.2f}{}{}];", e.from, e.to,
                        spline(e.curve, e.width), e.colour, e.width, e.dashed ? ", style=dashed" : "", label));
  }

  std::string out_;
};

}  // namespace

std::string dot_text(const Drawing& drawing, const std::string& extra) { return Writer().write(drawing, extra); }

}  // namespace unroll::drawing
