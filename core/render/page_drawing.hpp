#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/json_value.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace unroll::drawing {

// The texts of a page, each once; the first is "".
class Strings {
 public:
  Strings() { (*this)(""); }

  // The position of a text, which is added if it is new.
  int operator()(std::string_view text);
  Json json() const { return texts_; }

 private:
  std::deque<std::string> texts_;  // a deque: the texts stay where they are, and `positions_` looks at them
  std::unordered_map<std::string_view, int> positions_;
};

// One drawing as page_model.hpp describes it.
Json page_drawing(const Drawing& drawing, Strings& strings);

}  // namespace unroll::drawing
