#include <unroll/core/render/svg.hpp>

#include <unroll/core/render/legend.hpp>
#include <unroll/core/render/svg_text.hpp>
#include <unroll/core/render/theme.hpp>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double margin = 4;
constexpr double widest_leading = 1.12, least_leading = 0.9;  // from line to line, in sizes of the letters
constexpr double half_letter = 0.35;                          // from the middle of a line to its foot

std::string_view name_of(Look look) {
  switch (look) {
    case Look::operation: return "operation";
    case Look::result: return "result";
    case Look::state: return "state";
    case Look::input: return "input";
    case Look::port: return "port";
    case Look::parameter: return "parameter";
    case Look::gate: return "gate";
    case Look::cell: return "cell";
    case Look::gap: return "gap";
  }
  return "operation";
}

std::string declarations(const Paint& paint) {
  std::string result = fmt::format("fill:{};stroke:{};stroke-width:{}", paint.fill, paint.border, paint.width);
  if (!paint.dash.empty()) result += fmt::format(";stroke-dasharray:{}", paint.dash);
  return result;
}

std::string declarations(const Stroke& stroke) {
  std::string result = fmt::format("fill:none;stroke:{};stroke-width:{:.4g}", stroke.colour, stroke.width);
  if (!stroke.dash.empty()) result += fmt::format(";stroke-dasharray:{}", stroke.dash);
  return result;
}

// How the line of an edge is called: lines of one name look alike.
std::string name_of(const DrawnEdge& e) {
  if (e.cut) return "cut";
  switch (e.flow.kind) {
    case Flow::Kind::unasked: break;
    case Flow::Kind::absent: return "absent";
    case Flow::Kind::zero: return "zero";
    case Flow::Kind::finite: return "e" + std::to_string(scale_step(e.flow.level));
    case Flow::Kind::broken: return "broken";
  }
  if (e.backward) return "adjoint";
  return e.kind == DrawnEdge::Kind::state ? "line" : e.kind == DrawnEdge::Kind::parameter ? "weight" : "data";
}

class Writer {
 public:
  Writer(const Drawing& d, Theme theme) : d_(d), palette_(palette(theme)) {}

  std::string write() {
    const LegendSize legend = legend_size(d_, d_.box.width());
    const double heading = d_.title.empty() ? 0 : heading_height, heading_width = text_width(d_.title, heading_size);
    const double width = std::max({d_.box.width(), legend.width, heading_width}) + 2 * margin;
    const double height = heading + d_.box.height() + legend.height + 2 * margin;
    left_ = d_.box.left - margin;
    top_ = d_.box.top + heading + margin;

    out_.text.reserve(300 * d_.nodes.size() + 160 * d_.edges.size() + 4096);
    for (const DrawnFrame& f : d_.frames) frame(f);
    // What is not computed lies below all other lines, and what is broken on top.
    for (const int layer : {0, 1, 2})
      for (const DrawnEdge& e : d_.edges)
        if (layer_of(e) == layer) edge(e);
    for (const DrawnFrame& f : d_.frames) label_of(f, 11);
    for (const DrawnNode& n : d_.nodes) node(n);
    for (const DrawnEdge& e : d_.edges)
      if (!e.label.empty()) label_of(e);
    for (const DrawnBar& b : d_.bars) bar(b);
    for (const DrawnText& t : d_.texts) words(t.text, t.at, t.size);
    if (!d_.title.empty())
      words(d_.title, {std::max(d_.box.centre().x, d_.box.left + heading_width / 2), d_.box.top + 0.55 * heading},
            heading_size);
    if (legend.height > 0)
      write_legend(out_, styles_, d_, palette_, d_.box.width(), {d_.box.left, top_ - d_.box.bottom});

    // The classes are known only now.
    SvgText head;
    head << "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"drawing-title"
         << (d_.description.empty() ? "" : " drawing-description") << "\" width=\"" << width << "pt\" height=\""
         << height << "pt\" viewBox=\"" << left_ << " 0 " << width << " " << height
         << "\">\n<title id=\"drawing-title\">";
    head.words(d_.title.empty() ? "A recorded program" : d_.title) << "</title>\n";
    if (!d_.description.empty()) head << "<desc id=\"drawing-description\">", head.words(d_.description) << "</desc>\n";
    head << "<style>\n" << styles_.text() << "</style>\n";
    // Larger than the page, whose last pixel may be a part of one only.
    head << "<rect x=\"" << left_ - margin << "\" y=\"" << -margin << "\" width=\"" << width + 2 * margin
         << "\" height=\"" << height + 2 * margin << "\" fill=\"" << palette_.background << "\"/>\n<g font-family=\""
         << font_families << "\" font-size=\"" << title_size << "\" text-anchor=\"middle\" fill=\"" << palette_.ink
         << "\">\n";
    out_ << "</g>\n</svg>\n";
    return std::move(out_.text.insert(0, head.text));
  }

 private:
  double y(double up) const { return top_ - up; }

  // Letters of another colour than the drawing's.
  std::string_view class_of_letters(std::string_view colour) {
    return styles_.use(StyleSheet::over, fmt::format("w{}", colour.substr(1)),
                       [&] { return fmt::format("fill:{}", colour); });
  }

  // With a rim of that colour, where lines may run behind them.
  void words(std::string_view text, Point at, double size, std::string_view colour = {}, std::string_view rim = {}) {
    out_ << "<text x=\"" << at.x << "\" y=\"" << y(at.y) + half_letter * size << "\" font-size=\"" << size << "\"";
    const bool coloured = !colour.empty() && colour != palette_.ink;
    if (coloured || !rim.empty()) {
      out_ << " class=\"";
      if (!rim.empty())
        out_ << styles_.use(StyleSheet::base, fmt::format("rim{}", rim.substr(1)), [&] {
          return fmt::format("stroke:{};stroke-width:2.5px;stroke-linejoin:round;paint-order:stroke", rim);
        });
      if (coloured) out_ << (rim.empty() ? "" : " ") << class_of_letters(colour);
      out_ << "\"";
    }
    out_ << ">";
    out_.words(text) << "</text>\n";
  }

  void rectangle(const Rectangle& r, double radius, double x_origin, double y_origin) {
    out_ << "<rect x=\"" << r.left - x_origin << "\" y=\"" << y(r.top) - y_origin << "\" width=\"" << r.width()
         << "\" height=\"" << r.height() << "\" rx=\"" << std::min({radius, r.width() / 2, r.height() / 2})
         << "\" class=\"";
  }

  void frame(const DrawnFrame& f) {
    const Paint paint = paint_of(palette_, f);
    const bool tinted = f.kind == DrawnFrame::Kind::gate && f.tint >= 0;
    const std::string name = f.kind == DrawnFrame::Kind::step    ? "step"
                             : f.kind == DrawnFrame::Kind::layer ? "layer"
                             : tinted                            ? fmt::format("frame{}", tint_index(f.tint))
                                                                 : "frame";
    out_ << "<g id=\"";
    out_.words(f.id) << "\">\n";
    rectangle(f.box, 8, 0, 0);
    out_ << styles_.use(StyleSheet::base, name, [&] { return declarations(paint); }) << "\"/>\n";
    for (const DrawnFrame& inner : f.inner) frame(inner);
    out_ << "</g>\n";
  }

  // Above the lines that cross it.
  void label_of(const DrawnFrame& f, double size) {
    const Paint paint = paint_of(palette_, f);
    if (!f.label.empty()) words(f.label, f.label_at, size, paint.letters, paint.fill);
    for (const DrawnFrame& inner : f.inner) label_of(inner, 9);
  }

  void edge(const DrawnEdge& e) {
    if (e.curve.size() < 2) return;
    const std::string name = name_of(e);
    const Stroke stroke = stroke_of(palette_, e);
    const Arrow drawn = arrow(e.curve, stroke.width);
    out_ << "<path class=\"" << styles_.use(StyleSheet::base, name, [&] { return declarations(stroke); }) << "\" d=\"";
    out_.path(drawn.shaft, top_);
    out_ << "\"/><path class=\""
         << styles_.use(StyleSheet::base, "h-" + name, [&] { return fmt::format("fill:{}", stroke.colour); })
         << "\" d=\"";
    out_.triangle(drawn.tip, drawn.back, drawn.half_width, top_);
    out_ << "\"/>\n";
  }

  static int layer_of(const DrawnEdge& e) {
    return e.cut ? 1 : e.flow.kind == Flow::Kind::absent ? 0 : e.flow.kind == Flow::Kind::broken ? 2 : 1;
  }

  void label_of(const DrawnEdge& e) {
    const std::string_view colour = e.cut                               ? palette_.ink
                                    : e.flow.kind == Flow::Kind::broken ? palette_.broken.colour
                                    : e.flow.kind == Flow::Kind::absent ? palette_.faint
                                                                        : palette_.ink;
    words(e.label, e.label_at, gradient_size, colour, palette_.background);
  }

  // Inside of the group of a node, x is 0 in its middle.
  void line(std::string_view text, double foot, std::string_view size_class) {
    out_ << "<text";
    if (!size_class.empty()) out_ << " class=\"" << size_class << "\"";
    out_ << " y=\"" << foot << "\">";
    out_.words(text) << "</text>";
  }

  void node(const DrawnNode& n) {
    const Paint paint = paint_of(palette_, n);
    const Text text = text_of(n);
    const Point middle = n.box.centre();
    out_ << "<g id=\"";
    out_.words(n.id) << "\" transform=\"translate(" << middle.x << "," << y(middle.y) << ")\"";
    if (paint.letters != palette_.ink) out_ << " class=\"" << class_of_letters(paint.letters) << "\"";
    out_ << "><title>";
    out_.words(n.tooltip.empty() ? text.title : n.tooltip) << "</title>";
    box(n, middle);

    // The lines stand as far apart as the box allows.
    const double sizes =
        title_size + note_size * static_cast<double>(text.notes.size()) + (text.gradient.empty() ? 0 : gradient_size);
    const double leading = std::clamp((n.box.height() - 3) / sizes, least_leading, widest_leading);
    double at = -leading * sizes / 2;
    const auto foot = [&](double size) {
      at += leading * size;
      return at - leading * size / 2 + half_letter * size;
    };
    line(text.title, foot(title_size), {});
    for (const std::string& note : text.notes)
      line(note, foot(note_size),
           styles_.use(StyleSheet::base, "n", [] { return fmt::format("font-size:{}px", note_size); }));
    if (!text.gradient.empty())
      line(text.gradient, foot(gradient_size),
           styles_.use(StyleSheet::base, "v", [] { return fmt::format("font-size:{}px", gradient_size); }));
    out_ << "</g>\n";
  }

  // Its role, then what its gradient and a hook say over it.
  void box(const DrawnNode& n, Point middle) {
    const bool tints = n.tint >= 0 && (n.look == Look::operation || n.look == Look::result || n.look == Look::gate);
    const double radius = n.look == Look::input || n.look == Look::port ? 10 : n.look == Look::gap ? 2 : 5;
    rectangle(n.box, radius, middle.x, y(middle.y));
    std::string name(name_of(n.look));
    if (tints) name += std::to_string(tint_index(n.tint));
    out_ << styles_.use(StyleSheet::base, name, [&] {
      DrawnNode role;
      role.look = n.look;
      role.tint = n.tint;
      return declarations(paint_of(palette_, role));
    });
    if (n.dashed) out_ << " " << styles_.use(StyleSheet::dashes, "dashed", [] { return "stroke-dasharray:3 2"; });
    const bool broken = n.flow.kind == Flow::Kind::broken;
    if (n.flow.kind != Flow::Kind::unasked) out_ << " " << class_of_border(n.flow);
    out_ << "\"";
    if (!n.colour.empty() && !broken) {
      out_ << " style=\"fill:";
      out_.words(n.colour) << "\"";
    }
    out_ << "/>";
  }

  std::string_view class_of_border(const Flow& flow) {
    const std::string name = flow.kind == Flow::Kind::absent   ? "absent-box"
                             : flow.kind == Flow::Kind::zero   ? "zero-box"
                             : flow.kind == Flow::Kind::finite ? "b" + std::to_string(scale_step(flow.level))
                                                               : "broken-box";
    return styles_.use(StyleSheet::over, name, [&] {
      const Stroke border = border_of(palette_, flow);
      std::string result = fmt::format("stroke:{};stroke-width:{:.4g}", border.colour, border.width);
      if (!border.dash.empty()) result += fmt::format(";stroke-dasharray:{}", border.dash);
      if (flow.kind == Flow::Kind::broken) result += fmt::format(";fill:{}", palette_.broken_box.fill);
      return result;
    });
  }

  // A negative share is hollow.
  void bar(const DrawnBar& b) {
    out_ << "<g><title>";
    out_.words(fmt::format("step {}: norm {}, share {}", b.step, number(b.norm), number(b.share))) << "</title>";
    rectangle(b.box, 0, 0, 0);
    const bool hollow = b.share < 0;
    out_ << styles_.use(
                StyleSheet::base, hollow ? "hollow-bar" : "bar",
                [&] {
                  return declarations(Paint{hollow ? palette_.background : palette_.bar, palette_.bar_border, {}, 0.8});
                })
         << "\"/><path class=\""
         << styles_.use(StyleSheet::base, "ground",
                        [&] {
                          return declarations(Stroke{palette_.bar_border, 0.8});
                        })
         << "\" d=\"M" << b.box.left - 6 << " " << y(b.box.bottom) << "h" << b.box.width() + 12 << "\"/>\n";
    if (!b.label.empty()) words(b.label, b.label_at, 8);
    out_ << "</g>\n";
  }

  const Drawing& d_;
  const Palette& palette_;
  double left_ = 0, top_ = 0;
  SvgText out_;
  StyleSheet styles_;
};

}  // namespace

std::string svg_text(const Drawing& drawing, Theme theme) { return Writer(drawing, theme).write(); }

}  // namespace unroll::drawing
