#include <unroll/core/render/geometry.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::drawing {

namespace {

void line_to(Curve& curve, Point end) {
  const Point start = curve.back();
  curve.push_back(start + 1.0 / 3 * (end - start));
  curve.push_back(start + 2.0 / 3 * (end - start));
  curve.push_back(end);
}

}  // namespace

Rectangle united(const Rectangle& a, const Rectangle& b) {
  return {std::min(a.left, b.left), std::min(a.bottom, b.bottom), std::max(a.right, b.right), std::max(a.top, b.top)};
}

Curve rounded(const std::vector<Point>& corners, double radius) {
  // Corners where nothing turns are no corners.
  std::vector<Point> path;
  for (const Point& p : corners) {
    if (!path.empty() && path.back() == p) continue;
    if (path.size() >= 2) {
      const Point a = path.back() - path[path.size() - 2], b = p - path.back();
      if (std::abs(a.x * b.y - a.y * b.x) < 1e-9 && a.x * b.x + a.y * b.y > 0) path.pop_back();
    }
    path.push_back(p);
  }
  Curve curve{path.front()};
  for (std::size_t i = 1; i + 1 < path.size(); ++i) {
    const Point in = path[i - 1] - path[i], out = path[i + 1] - path[i];
    const double in_length = std::hypot(in.x, in.y), out_length = std::hypot(out.x, out.y);
    const double r = std::min({radius, in_length / 2, out_length / 2});
    const Point start = path[i] + r / in_length * in, end = path[i] + r / out_length * out;
    line_to(curve, start);
    // 0.45 of the way to the corner: nearly a quarter of a circle.
    curve.push_back(path[i] + 0.45 * (start - path[i]));
    curve.push_back(path[i] + 0.45 * (end - path[i]));
    curve.push_back(end);
  }
  if (path.size() > 1) line_to(curve, path.back());
  return curve;
}

Point at(const Curve& curve, std::size_t i, double s) {
  const double u = 1 - s;
  return u * u * u * curve[i - 3] + 3 * u * u * s * curve[i - 2] + 3 * u * s * s * curve[i - 1] + s * s * s * curve[i];
}

bool passes(const Curve& curve, const Rectangle& box) {
  constexpr int samples = 16;
  for (std::size_t i = 3; i < curve.size(); i += 3)
    for (int k = 0; k <= samples; ++k) {
      const Point p = at(curve, i, static_cast<double>(k) / samples);
      if (p.x > box.left && p.x < box.right && p.y > box.bottom && p.y < box.top) return true;
    }
  return false;
}

Curve joined(Curve first, const Curve& second) {
  if (!second.empty()) first.insert(first.end(), second.begin() + 1, second.end());
  return first;
}

}  // namespace unroll::drawing
