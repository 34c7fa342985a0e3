#include <unroll/core/render/label.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// The length of the UTF-8 sequence at the start of the text; 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(1) < 0xA0) return 0;                      // longer than needed
  if (first == 0xED && byte(1) > 0x9F) return 0;                      // half of a UTF-16 pair
  if (first == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 0;  // no characters, and none of XML
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

// For text that XML and HTML-like labels may contain.
std::string escaped(std::string_view text) {
  std::string result;
  for (char c : clean(text)) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string clean(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n' || c == '\t' || c == '\r')
      result += ' ';
    else if (length == 0 || c < 0x20 || c == 0x7F)
      result += replacement;
    else
      result += text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return result;
}

double text_width(std::string_view text, double size) {
  double letters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;  // goes on
    letters += byte >= 0xE3 ? 2 : 1;
  }
  return 0.55 * size * letters;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  if (value != 0 && std::abs(value) < 1e-4) return fmt::format("{:.1e}", value);
  return fmt::format("{:.3g}", value);
}

std::string html_label(const Text& text) {
  std::string result = "<" + escaped(text.title);
  for (const std::string& note : text.notes)
    result += fmt::format("<BR/><FONT POINT-SIZE=\"{}\">{}</FONT>", note_size, escaped(note));
  if (!text.gradient.empty())
    result += fmt::format("<BR/><FONT POINT-SIZE=\"{}\">{}</FONT>", gradient_size, escaped(text.gradient));
  return result + ">";
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : escaped(text)) {
    if (c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace unroll::drawing
