#pragma once

#include <unroll/core/render/drawing.hpp>

#include <array>
#include <map>
#include <string>
#include <string_view>

// Small parts of SVG: numbers, paths, words and classes, written short.
namespace unroll::drawing {

class SvgText {
 public:
  std::string text;

  SvgText& operator<<(std::string_view words) {
    text += words;
    return *this;
  }
  // In hundredths of a point, without zeros that say nothing. Throws Error for what is not finite.
  SvgText& operator<<(double value) {
    append(hundredths(value));
    return *this;
  }
  // What others wrote, as it must stand between tags or in an attribute.
  SvgText& words(std::string_view words);

  // The data of a path, with y downwards from `top`.
  void path(const Curve& curve, double top);
  // A triangle as path data: `tip`, and the middle of the opposite side.
  void triangle(Point tip, Point back, double half_width, double top);

 private:
  static long hundredths(double value);
  void append(long hundredths);
  // A number behind a letter or another number.
  void next(long hundredths);
};

// The classes that a drawing uses. Later layers win over earlier ones where both say something.
class StyleSheet {
 public:
  enum Layer : std::size_t { base, dashes, over };

  // Remembers the class; `rule()` is asked once for its declarations.
  template <class Rule> std::string_view use(Layer layer, std::string name, Rule rule) {
    auto [at, added] = classes_[layer].try_emplace(std::move(name));
    if (added) at->second = rule();
    return at->first;
  }

  // ".a{...}.b{...}"
  std::string text() const;

 private:
  std::array<std::map<std::string, std::string>, 3> classes_;
};

// A line that ends where the head of its arrow begins, and the head: its tip touches what the curve ends at.
struct Arrow {
  Curve shaft;
  Point tip, back;
  double half_width = 0;
};
Arrow arrow(const Curve& curve, double width);

}  // namespace unroll::drawing
