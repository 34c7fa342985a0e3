#include <unroll/examples/data.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll::examples {

namespace {

constexpr std::size_t learned_digits = 1437;

// "7 0017g..." : the label, and 64 pixels from 0 to g = 16.
DigitImage parse_digit(std::string_view line) {
  constexpr std::string_view levels = "0123456789abcdefg";
  DigitImage image;
  if (line.size() != 66 || line[0] < '0' || line[0] > '9' || line[1] != ' ')
    throw Error(fmt::format("digits.txt: not a label and 64 pixels: {}", line));
  image.label = line[0] - '0';
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t level = levels.find(line[i + 2]);
    if (level == std::string_view::npos) throw Error(fmt::format("digits.txt: a pixel is not 0 to g: {}", line));
    image.pixels[i] = static_cast<float>(level);
  }
  return image;
}

}  // namespace

std::vector<std::string_view> data_lines(std::string_view name) {
  for (const DataFile& file : data_files()) {
    if (file.name != name) continue;
    std::vector<std::string_view> lines;
    for (std::size_t begin = 0; begin < file.text.size();) {
      const std::size_t end = std::min(file.text.find('\n', begin), file.text.size());
      if (end > begin && file.text[begin] != '#') lines.push_back(file.text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }
  throw Error(fmt::format("no data file {} is built in", name));
}

const std::vector<DigitImage>& digit_images() {
  static const std::vector<DigitImage> all = [] {
    std::vector<DigitImage> images;
    for (const std::string_view line : data_lines("digits.txt")) images.push_back(parse_digit(line));
    return images;
  }();
  return all;
}

std::span<const DigitImage> digits_to_learn() { return std::span(digit_images()).first(learned_digits); }
std::span<const DigitImage> digits_held_out() { return std::span(digit_images()).subspan(learned_digits); }

std::vector<std::string> drawn(const DigitImage& image) {
  std::vector<std::string> rows(8);
  for (std::size_t i = 0; i < 64; ++i) {
    const float ink = image.pixels[i];
    rows[i / 8] += ink < 4 ? "  " : ink < 8 ? ". " : ink < 12 ? "o " : "# ";
  }
  return rows;
}

}  // namespace unroll::examples
