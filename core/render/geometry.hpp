#pragma once

#include <vector>

// Points, boxes and curves of a drawing, in points (1/72 inch) with y upwards, as in DOT.
namespace unroll::drawing {

struct Point {
  double x = 0, y = 0;

  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  friend bool operator==(const Point&, const Point&) = default;
};

struct Rectangle {
  double left = 0, bottom = 0, right = 0, top = 0;

  double width() const { return right - left; }
  double height() const { return top - bottom; }
  Point centre() const { return {(left + right) / 2, (bottom + top) / 2}; }
  Rectangle grown(double by) const { return {left - by, bottom - by, right + by, top + by}; }
  Rectangle moved(Point by) const { return {left + by.x, bottom + by.y, right + by.x, top + by.y}; }
  bool overlaps(const Rectangle& other) const {
    return left < other.right && other.left < right && bottom < other.top && other.bottom < top;
  }
};

// The smallest rectangle around both.
Rectangle united(const Rectangle& a, const Rectangle& b);

inline Rectangle around(Point centre, double width, double height) {
  return {centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2};
}

// A chain of cubic Bezier curves: a start, then three points for each curve.
using Curve = std::vector<Point>;

// Straight lines from corner to corner, the corners rounded.
Curve rounded(const std::vector<Point>& corners, double radius);

// A point of the piece that ends at the i-th control point, s from 0 to 1.
Point at(const Curve& curve, std::size_t i, double s);

// Whether a curve passes through a box.
bool passes(const Curve& curve, const Rectangle& box);

// One curve after the other; the second begins where the first ends.
Curve joined(Curve first, const Curve& second);

}  // namespace unroll::drawing
