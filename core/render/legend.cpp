#include <unroll/core/render/legend.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double row_height = 26, note_height = 12, space = 22, letters = 8;
constexpr double scale_length = 120, sample_length = 26;

double width_of_power(double value) {
  const auto [base, exponent] = power_of_ten(value);
  return text_width(base, letters) + text_width(exponent, 6);
}

bool has_scale(const Drawing& d) { return d.largest > 0 && std::isfinite(d.largest); }
bool has_range(const Drawing& d) { return has_scale(d) && d.smallest > 0 && d.smallest < d.largest; }

class Legend {
 public:
  Legend(SvgText* out, StyleSheet* styles, const Palette* palette, Point corner)
      : out_(out), styles_(styles), palette_(palette), corner_(corner) {}

  LegendSize write(const Drawing& d, double width) {
    limit_ = width;
    if (d.has_gradients) {
      y_ = row_height / 2;
      item(
          text_width(heading, letters), [&] { label(0, heading); }, 8);
      if (has_scale(d)) scale(d);
      samples(std::any_of(d.edges.begin(), d.edges.end(), [](const DrawnEdge& e) { return e.backward; }));
      y_ += row_height / 2;
    }
    for (const std::string& note : d.notes) {
      y_ += note_height;
      x_ = 0;
      item(
          text_width(note, letters), [&] { label(0, note); }, 0);
    }
    return {widest_, y_ == 0 ? 0 : y_ + 6};
  }

 private:
  static constexpr std::string_view heading = "Gradient |∇|:";

  // Places something of that width, in the next row if there is no room in this one.
  void item(double width, const std::function<void()>& draw, double gap = space) {
    if (x_ > 0 && x_ + width > limit_) {
      x_ = 0;
      y_ += row_height;
    }
    if (out_) draw();
    widest_ = std::max(widest_, x_ + width);
    x_ += width + gap;
  }

  void label(double dx, std::string_view words) {
    *out_ << "<text class=\"" << class_of_letters() << "\" x=\"" << corner_.x + x_ + dx << "\" y=\""
          << corner_.y + y_ + 2.9 << "\">";
    out_->words(words) << "</text>\n";
  }

  std::string_view class_of_letters() {
    return styles_->use(StyleSheet::base, "key",
                        [&] { return fmt::format("font-size:{}px;text-anchor:start", letters); });
  }

  void power(double dx, double value) {
    const auto [base, exponent] = power_of_ten(value);
    *out_ << "<text class=\"" << class_of_letters() << "\" x=\"" << corner_.x + x_ + dx << "\" y=\""
          << corner_.y + y_ + 2.9 << "\">" << base;
    if (!exponent.empty()) *out_ << "<tspan dy=\"-3\" font-size=\"6\">" << exponent << "</tspan>";
    *out_ << "</text>\n";
  }

  void line(double dx, double length, const Stroke& stroke) {
    *out_ << "<path d=\"M" << corner_.x + x_ + dx << " " << corner_.y + y_ << "h" << length << "\" stroke=\""
          << stroke.colour << "\" stroke-width=\"" << stroke.width << "\"";
    if (!stroke.dash.empty()) *out_ << " stroke-dasharray=\"" << stroke.dash << "\"";
    *out_ << "/>\n";
  }

  // Its ends, and the line between them as it looks there.
  void scale(const Drawing& d) {
    const double before = has_range(d) ? width_of_power(d.smallest) + 5 : 0, after = width_of_power(d.largest);
    const double length = has_range(d) ? scale_length : sample_length;
    item(before + length + 5 + after, [&] {
      if (!has_range(d)) {
        line(0, length, {palette_->scale.back(), scale_width(scale_steps - 1)});
      } else {
        power(0, d.smallest);
        constexpr double piece = scale_length / scale_steps;
        for (int i = 0; i < scale_steps; ++i)
          line(before + piece * i, i + 1 < scale_steps ? piece + 0.2 : piece,
               {palette_->scale[static_cast<std::size_t>(i)], scale_width(i)});
      }
      power(before + length + 5, d.largest);
    });
  }

  void samples(bool has_backward) {
    sample("0", palette_ ? palette_->zero : Stroke{});
    sample("not computed", palette_ ? palette_->absent : Stroke{});
    sample("NaN, ∞", palette_ ? palette_->broken : Stroke{});
    if (has_backward) sample("backward pass", palette_ ? palette_->backward : Stroke{});
  }
  void sample(std::string_view words, const Stroke& stroke) {
    item(sample_length + 5 + text_width(words, letters), [&] {
      line(0, sample_length, stroke);
      label(sample_length + 5, words);
    });
  }

  SvgText* out_;
  StyleSheet* styles_;
  const Palette* palette_;
  Point corner_;
  double limit_ = 0, x_ = 0, y_ = 0, widest_ = 0;
};

// Narrow drawings get a legend of one row all the same.
double room(double width) { return std::max(width, 600.0); }

}  // namespace

std::pair<std::string, std::string> power_of_ten(double value) {
  if (value == 0) return {"0", ""};
  if (!std::isfinite(value)) return {number(value), ""};
  // "3.2e-05"
  const std::string text = fmt::format("{:.1e}", value);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.ends_with(".0")) mantissa.resize(mantissa.size() - 2);
  const int exponent = std::stoi(text.substr(e + 1));
  if (exponent == 0) return {mantissa, ""};
  const std::string minus = exponent < 0 ? "−" : "";
  return {mantissa == "1" ? "10" : mantissa + "·10", fmt::format("{}{}", minus, std::abs(exponent))};
}

std::string power_of_ten_line(double value) {
  const auto [base, exponent] = power_of_ten(value);
  constexpr std::array<std::string_view, 10> raised{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result = base;
  for (const char c : exponent)
    if (c >= '0' && c <= '9')
      result += raised[static_cast<std::size_t>(c - '0')];
    else if (!result.ends_with("⁻"))
      result += "⁻";  // the minus has several bytes
  return result;
}

LegendSize legend_size(const Drawing& drawing, double width) {
  return Legend(nullptr, nullptr, nullptr, {}).write(drawing, room(width));
}

void write_legend(SvgText& out, StyleSheet& styles, const Drawing& drawing, const Palette& palette, double width,
                  Point corner) {
  Legend(&out, &styles, &palette, corner).write(drawing, room(width));
}

std::vector<std::string> legend_lines(const Drawing& d) {
  std::vector<std::string> result;
  if (d.has_gradients) {
    std::string line = "Gradient |∇|";
    if (has_range(d))
      line += fmt::format(": thin {} to thick {}", power_of_ten_line(d.smallest), power_of_ten_line(d.largest));
    else if (has_scale(d))
      line += fmt::format(": up to {}", power_of_ten_line(d.largest));
    result.push_back(line + " · dotted: 0 · dashed: not computed · red: NaN, ∞");
  }
  result.insert(result.end(), d.notes.begin(), d.notes.end());
  return result;
}

}  // namespace unroll::drawing
