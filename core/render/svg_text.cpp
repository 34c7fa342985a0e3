#include <unroll/core/render/svg_text.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/escape.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::drawing {

namespace {

// Does the cubic curve look like the line from a to d?
bool is_straight(Point a, Point b, Point c, Point d) {
  constexpr double unseen = 0.02;
  const Point along = d - a;
  const double length = std::hypot(along.x, along.y);
  const auto beside = [&](Point p) {
    const Point q = p - a;
    if (length < unseen) return std::hypot(q.x, q.y) < unseen;
    const double t = (q.x * along.x + q.y * along.y) / length;
    return std::abs(q.x * along.y - q.y * along.x) / length < unseen && t > -unseen && t < length + unseen;
  };
  return beside(b) && beside(c);
}

}  // namespace

long SvgText::hundredths(double value) {
  if (!std::isfinite(value)) throw Error("render: a place in the drawing is not a finite number");
  return std::lround(value * 100);
}

void SvgText::append(long value) {
  char buffer[24];
  char* const end = buffer + sizeof buffer;
  char* at = end;
  const bool negative = value < 0;
  unsigned long rest = negative ? 0UL - static_cast<unsigned long>(value) : static_cast<unsigned long>(value);
  const unsigned long fraction = rest % 100;
  rest /= 100;
  if (fraction != 0) {
    if (fraction % 10 != 0) *--at = static_cast<char>('0' + fraction % 10);
    *--at = static_cast<char>('0' + fraction / 10);
    *--at = '.';
  }
  if (rest == 0 && fraction == 0) *--at = '0';
  for (; rest != 0; rest /= 10) *--at = static_cast<char>('0' + rest % 10);
  if (negative) *--at = '-';
  text.append(at, end);
}

void SvgText::next(long value) {
  const char last = text.back();
  if (value >= 0 && ((last >= '0' && last <= '9') || last == '.')) text += ' ';
  append(value);
}

SvgText& SvgText::words(std::string_view said) {
  text += escaped(clean(said));
  return *this;
}

// Places are rounded first and subtracted then: relative coordinates do not add up their errors.
void SvgText::path(const Curve& curve, double top) {
  const auto x = [&](std::size_t i) { return hundredths(curve[i].x); };
  const auto y = [&](std::size_t i) { return hundredths(top - curve[i].y); };
  if (curve.empty()) return;
  text += 'M';
  next(x(0));
  next(y(0));
  for (std::size_t i = 0; i + 3 < curve.size(); i += 3) {
    const long from_x = x(i), from_y = y(i), dx = x(i + 3) - from_x, dy = y(i + 3) - from_y;
    if (!is_straight(curve[i], curve[i + 1], curve[i + 2], curve[i + 3])) {
      text += 'c';
      for (std::size_t k = 1; k <= 3; ++k) {
        next(x(i + k) - from_x);
        next(y(i + k) - from_y);
      }
    } else if (dy == 0) {
      text += 'h';
      next(dx);
    } else if (dx == 0) {
      text += 'v';
      next(dy);
    } else {
      text += 'l';
      next(dx);
      next(dy);
    }
  }
}

void SvgText::triangle(Point tip, Point back, double half_width, double top) {
  const Point along = tip - back;
  const double scale = half_width / std::max(std::hypot(along.x, along.y), 1e-6);
  const Point side{-scale * along.y, scale * along.x}, a = back + side, b = back - side;
  const auto place = [&](Point p) { return std::pair(hundredths(p.x), hundredths(top - p.y)); };
  const auto [tip_x, tip_y] = place(tip);
  const auto [a_x, a_y] = place(a);
  const auto [b_x, b_y] = place(b);
  text += 'M';
  next(tip_x);
  next(tip_y);
  text += 'l';
  next(a_x - tip_x);
  next(a_y - tip_y);
  next(b_x - a_x);
  next(b_y - a_y);
  text += 'z';
}

std::string StyleSheet::text() const {
  std::string result;
  for (const auto& layer : classes_)
    for (const auto& [name, rule] : layer) result += "." + name + "{" + rule + "}\n";
  return result;
}

Arrow arrow(const Curve& curve, double width) {
  Arrow result;
  result.half_width = 1.5 + 0.8 * width;
  result.shaft = curve;
  result.tip = curve.back();
  const auto distance = [&](Point p) { return std::hypot(result.tip.x - p.x, result.tip.y - p.y); };
  // On a way shorter than two heads, the head is half of it.
  const double head = std::min(4.2 + 1.2 * width, 0.5 * distance(curve.front()));
  // The direction is that of the last stretch as long as the head, not of its very end.
  Point before = curve[curve.size() - 2];
  for (std::size_t i = curve.size() - 1; i-- > 0 && distance(before) < head / 2;) before = curve[i];
  const double length = std::max(distance(before), 1e-6);
  result.back = result.tip - head / length * (result.tip - before);
  // A little overlap, so that no gap is seen between them.
  result.shaft.back() = result.back + 0.1 * (result.tip - result.back);
  if (result.shaft.size() > 1 && distance(result.shaft[result.shaft.size() - 2]) < distance(result.shaft.back()))
    result.shaft[result.shaft.size() - 2] = result.shaft.back();
  return result;
}

}  // namespace unroll::drawing
