#include <unroll/core/render/theme.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

// The scale viridis (Smith and van der Walt, 2015; public domain) at 16 even places. Its lightness rises evenly.
constexpr std::array<std::array<int, 3>, 16> viridis{{{0x44, 0x01, 0x54},
                                                      {0x48, 0x1A, 0x6C},
                                                      {0x47, 0x2F, 0x7D},
                                                      {0x41, 0x44, 0x87},
                                                      {0x39, 0x56, 0x8C},
                                                      {0x31, 0x68, 0x8E},
                                                      {0x2A, 0x78, 0x8E},
                                                      {0x23, 0x88, 0x8E},
                                                      {0x1F, 0x98, 0x8B},
                                                      {0x22, 0xA8, 0x84},
                                                      {0x35, 0xB7, 0x79},
                                                      {0x54, 0xC5, 0x68},
                                                      {0x7A, 0xD1, 0x51},
                                                      {0xA5, 0xDB, 0x36},
                                                      {0xD2, 0xE2, 0x1B},
                                                      {0xFD, 0xE7, 0x25}}};

std::string hex(double r, double g, double b) {
  return fmt::format("#{:02X}{:02X}{:02X}", std::lround(r), std::lround(g), std::lround(b));
}

std::string viridis_at(double place) {
  const double at = place * (viridis.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), viridis.size() - 2);
  const double part = at - static_cast<double>(below);
  const auto mix = [&](std::size_t channel) {
    return (1 - part) * viridis[below][channel] + part * viridis[below + 1][channel];
  };
  return hex(mix(0), mix(1), mix(2));
}

// The grey of a lightness L* (CIE 1976), 0 .. 100.
std::string grey(double lightness) {
  const double y = lightness > 8 ? std::pow((lightness + 16) / 116, 3) : lightness / 903.3;
  const double value = 255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * std::pow(y, 1 / 2.4) - 0.055);
  return hex(value, value, value);
}

// A scale by the colour at each level 0 .. 1. The strings live as long as the program.
template <class F> std::array<std::string_view, scale_steps> scale(F colour) {
  static std::deque<std::string> all;
  std::array<std::string_view, scale_steps> result;
  for (int i = 0; i < scale_steps; ++i)
    result[static_cast<std::size_t>(i)] = all.emplace_back(colour(static_cast<double>(i) / (scale_steps - 1)));
  return result;
}

struct Hue {
  std::string_view strong, tint;
};

// What gates look like follows from a strong and a light (in the dark: a deep) colour each.
void fill_tints(Palette& p, const std::array<Hue, tint_count>& hues, std::string_view on_strong, std::string_view frame,
                std::string_view frame_letters = {}) {
  for (std::size_t i = 0; i < tint_count; ++i) {
    const auto [strong, tint] = hues[i];
    p.tint_operation[i] = {tint, strong, p.ink};
    p.tint_result[i] = {strong, strong, on_strong};
    p.tint_gate[i] = {tint, strong, p.ink, 1.4};
    p.tint_frame[i] = {frame, strong, frame_letters.empty() ? strong : frame_letters};
  }
}

Palette light() {
  Palette p;
  p.background = "#FFFFFF";
  p.ink = "#333333";
  p.faint = "#6A6A6A";
  p.operation = {"#FFFFFF", "#6A6A6A", p.ink};
  p.result = {"#FFFFFF", "#333333", p.ink, 1.2};
  p.state = {"#E7E0F3", "#4B2E83", p.ink, 1.6};
  p.input = {"#ECECEC", "#555555", p.ink};
  p.port = {"#FFFFFF", "#4B2E83", p.ink};
  p.parameter = {"#E3E9EE", "#46606F", p.ink};
  p.gate = {"#FFFFFF", "#333333", p.ink, 1.4};
  p.cell = {"#EEF2F8", "#3F5068", p.ink, 1.4};
  p.gap = {"#F8F8FA", "#8A8A94", p.faint, 0.8, "3 2"};
  fill_tints(p,
             {{{"#B5400A", "#FBE3D8"},
               {"#00735A", "#D5EFE7"},
               {"#1A5FA0", "#DAE8F6"},
               {"#8F6400", "#FAEDC8"},
               {"#9C3B72", "#F7E1EC"},
               {"#20728F", "#D8F0F8"}}},
             "#FFFFFF", "#FFFFFF");
  p.step_frame = {"#F8F8FA", "#C4C4CC", p.ink};
  p.layer_frame = {"#FCFCFD", "#B4B4BE", "#55555F"};
  p.gate_frame = {"#FFFFFF", "#8A8A94", "#55555F"};
  p.data = {"#6A6A6A", 0.9};
  p.state_line = {"#4B2E83", 1.8};
  p.parameter_line = {"#7C93A0", 0.7};
  p.cut = {"#333333", 1.2, "6 3"};
  p.backward = {"#8A4B00", 0.9, "3 2"};
  // Two thirds of it: the light end is still seen on white.
  p.scale = scale([](double level) { return viridis_at(0.69 * (1 - level)); });
  p.absent = {"#9A9A9A", 0.7, "3 2.5"};
  p.zero = {"#333333", 0.8, "0.8 2.2"};
  p.broken = {"#D90000", 4};
  p.broken_box = {"#D90000", "#7A0000", "#FFFFFF", 2};
  p.bar = "#5B7FA6";
  p.bar_border = "#35567B";
  return p;
}

Palette dark() {
  Palette p;
  p.background = "#15171C";
  p.ink = "#E8E8EA";
  p.faint = "#A6A8B0";
  p.operation = {"#23262E", "#8E919C", p.ink};
  p.result = {"#23262E", "#D0D2D8", p.ink, 1.2};
  p.state = {"#3A2F5C", "#B79CF0", p.ink, 1.6};
  p.input = {"#34373F", "#A6A8B0", p.ink};
  p.port = {"#1C1E25", "#B79CF0", p.ink};
  p.parameter = {"#25323A", "#86A3B4", p.ink};
  p.gate = {"#23262E", "#D0D2D8", p.ink, 1.4};
  p.cell = {"#222B3A", "#8FA6C8", p.ink, 1.4};
  p.gap = {"#1B1D23", "#70737E", p.faint, 0.8, "3 2"};
  fill_tints(p,
             {{{"#F28E5C", "#43271A"},
               {"#4FC9A8", "#14382F"},
               {"#7DB5F0", "#1A3049"},
               {"#E3B341", "#3B2F10"},
               {"#E08BB8", "#421F33"},
               {"#62C4E0", "#123742"}}},
             "#111111", "#181A20");
  p.step_frame = {"#1B1D23", "#43464F", p.ink};
  p.layer_frame = {"#1E2027", "#50535D", p.faint};
  p.gate_frame = {"#181A20", "#70737E", p.faint};
  p.data = {"#8E919C", 0.9};
  p.state_line = {"#B79CF0", 1.8};
  p.parameter_line = {"#5F7888", 0.7};
  p.cut = {"#E8E8EA", 1.2, "6 3"};
  p.backward = {"#D9A15C", 0.9, "3 2"};
  p.scale = scale([](double level) { return viridis_at(0.28 + 0.72 * level); });
  p.absent = {"#6E717B", 0.7, "3 2.5"};
  p.zero = {"#E8E8EA", 0.8, "0.8 2.2"};
  p.broken = {"#FF4B4B", 4};
  p.broken_box = {"#FF4B4B", "#FFC2C2", "#000000", 2};
  p.bar = "#7FA3CB";
  p.bar_border = "#B9D2EE";
  return p;
}

Palette print() {
  Palette p;
  p.background = "#FFFFFF";
  p.ink = "#000000";
  p.faint = "#555555";
  p.operation = {"#FFFFFF", "#000000", p.ink, 0.6};
  p.result = {"#FFFFFF", "#000000", p.ink, 1.2};
  p.state = {"#E2E2E2", "#000000", p.ink, 1.8};
  p.input = {"#F2F2F2", "#000000", p.ink};
  p.port = {"#FFFFFF", "#000000", p.ink};
  p.parameter = {"#FFFFFF", "#000000", p.ink, 0.8, "1 1.5"};
  p.gate = {"#FFFFFF", "#000000", p.ink, 1.4};
  p.cell = {"#F4F4F4", "#000000", p.ink, 1.4};
  p.gap = {"#FFFFFF", "#555555", p.faint, 0.8, "3 2"};
  fill_tints(p,
             {{{"#2B2B2B", "#FFFFFF"},
               {"#3D3D3D", "#FFFFFF"},
               {"#4F4F4F", "#FFFFFF"},
               {"#616161", "#FFFFFF"},
               {"#343434", "#FFFFFF"},
               {"#585858", "#FFFFFF"}}},
             "#FFFFFF", "#FFFFFF", p.ink);
  // In the place of hues: the frames of the gates have dashes of their own.
  constexpr std::array<std::string_view, tint_count> dashes{"", "7 2", "2 2", "7 2 2 2", "4 2", "7 2 2 2 2 2"};
  for (std::size_t i = 0; i < tint_count; ++i) p.tint_frame[i].dash = p.tint_gate[i].dash = dashes[i];
  p.step_frame = {"#FFFFFF", "#8C8C8C", p.ink};
  p.layer_frame = {"#FFFFFF", "#A0A0A0", p.ink, 0.6};
  p.gate_frame = {"#FFFFFF", "#555555", p.ink, 0.6};
  p.data = {"#000000", 0.7};
  p.state_line = {"#000000", 1.8};
  p.parameter_line = {"#8C8C8C", 0.6};
  p.cut = {"#000000", 1.2, "6 3"};
  p.backward = {"#000000", 0.7, "3 2"};
  p.scale = scale([](double level) { return grey(66 * (1 - level)); });
  p.absent = {"#8C8C8C", 0.7, "3 2.5"};
  p.zero = {"#000000", 0.8, "0.8 2.2"};
  // Not a grey of the scale: the one hue of this theme; black to those who do not see it.
  p.broken = {"#D90000", 4};
  p.broken_box = {"#D90000", "#000000", "#FFFFFF", 2};
  p.bar = "#B0B0B0";
  p.bar_border = "#000000";
  return p;
}

// In linear light, WCAG 2.1; nothing for what is no colour.
double luminance(std::string_view colour) {
  double result = 0;
  constexpr std::array<double, 3> weight{0.2126, 0.7152, 0.0722};
  for (std::size_t i = 0; i < 3; ++i) {
    int value = 0;
    if (colour.size() == 7) std::from_chars(colour.data() + 1 + 2 * i, colour.data() + 3 + 2 * i, value, 16);
    const double c = value / 255.0;
    result += weight[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return result;
}

Paint role_of(const Palette& p, const DrawnNode& node) {
  const bool tinted = node.tint >= 0;
  const std::size_t tint = tinted ? tint_index(node.tint) : 0;
  switch (node.look) {
    case Look::operation: return tinted ? p.tint_operation[tint] : p.operation;
    case Look::result: return tinted ? p.tint_result[tint] : p.result;
    case Look::gate: return tinted ? p.tint_gate[tint] : p.gate;
    case Look::state: return p.state;
    case Look::input: return p.input;
    case Look::port: return p.port;
    case Look::parameter: return p.parameter;
    case Look::cell: return p.cell;
    case Look::gap: return p.gap;
  }
  return p.operation;
}

}  // namespace

const Palette& palette(Theme theme) {
  static const Palette light_palette = light(), dark_palette = dark(), print_palette = print();
  return theme == Theme::dark ? dark_palette : theme == Theme::print ? print_palette : light_palette;
}

int tint_of(std::string_view part) {
  constexpr std::array<std::string_view, tint_count> names{"forget", "input", "candidate", "output", "reset", "update"};
  for (int i = 0; i < tint_count; ++i)
    if (part.starts_with(names[static_cast<std::size_t>(i)])) return i;
  return no_tint;
}

int scale_step(double level) { return static_cast<int>(std::lround(std::clamp(level, 0.0, 1.0) * (scale_steps - 1))); }

double scale_width(int step) { return 0.4 + 3.6 * step / (scale_steps - 1); }

Paint paint_of(const Palette& p, const DrawnNode& node) {
  Paint result = role_of(p, node);
  if (!node.colour.empty()) {
    result.fill = node.colour;
    result.letters = letters_on(node.colour);
  }
  if (node.dashed) result.dash = "3 2";
  if (node.flow.kind == Flow::Kind::broken) return p.broken_box;
  if (node.flow.kind == Flow::Kind::unasked) return result;
  const Stroke border = border_of(p, node.flow);
  result.border = border.colour;
  result.width = border.width;
  if (!border.dash.empty()) result.dash = border.dash;
  return result;
}

Stroke border_of(const Palette& p, const Flow& flow) {
  switch (flow.kind) {
    case Flow::Kind::unasked: break;
    case Flow::Kind::absent: return p.absent;
    case Flow::Kind::zero: return p.zero;
    case Flow::Kind::finite: {
      const int step = scale_step(flow.level);
      return {p.scale[static_cast<std::size_t>(step)], 0.6 + 2.0 * step / (scale_steps - 1)};
    }
    case Flow::Kind::broken: return {p.broken_box.border, p.broken_box.width};
  }
  return {p.ink};
}

Paint paint_of(const Palette& p, const DrawnFrame& frame) {
  switch (frame.kind) {
    case DrawnFrame::Kind::step: return p.step_frame;
    case DrawnFrame::Kind::layer: return p.layer_frame;
    case DrawnFrame::Kind::gate: break;
  }
  return frame.tint >= 0 ? p.tint_frame[tint_index(frame.tint)] : p.gate_frame;
}

Stroke stroke_of(const Palette& p, const DrawnEdge& edge) {
  if (edge.cut) return p.cut;  // whatever the gradient of its source: nothing comes back along this line
  switch (edge.flow.kind) {
    case Flow::Kind::unasked: break;
    case Flow::Kind::absent: return p.absent;
    case Flow::Kind::zero: return p.zero;
    case Flow::Kind::finite: {
      const int step = scale_step(edge.flow.level);
      return {p.scale[static_cast<std::size_t>(step)], scale_width(step)};
    }
    case Flow::Kind::broken: return p.broken;
  }
  if (edge.backward) return p.backward;
  switch (edge.kind) {
    case DrawnEdge::Kind::data: return p.data;
    case DrawnEdge::Kind::state: return p.state_line;
    case DrawnEdge::Kind::parameter: return p.parameter_line;
  }
  return p.data;
}

Text text_of(const DrawnNode& node) {
  Text result = node.text;
  if (node.flow.kind != Flow::Kind::broken) return result;
  const std::string said = "∇ " + number(node.flow.norm);
  if (result.gradient.empty() && !result.notes.empty()) result.notes.pop_back();  // there is room for so many lines
  result.gradient = said;
  return result;
}

std::string_view letters_on(std::string_view fill) {
  const double y = luminance(fill);
  return 1.05 / (y + 0.05) > (y + 0.05) / 0.05 ? "#FFFFFF" : "#000000";
}

}  // namespace unroll::drawing
