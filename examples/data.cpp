#include <unroll/examples/data.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>

namespace unroll::examples {

namespace {

constexpr std::size_t learned_digits = 1437;
constexpr std::size_t learned_sentences = 400;  // of each language

// Lines such as "+ The soup is warm." from line `begin` up to `end`, of both languages.
std::vector<LabelledSentence> sentences(std::size_t begin, std::size_t end) {
  std::vector<LabelledSentence> result;
  for (const char* file : {"sentiment-en.txt", "sentiment-ko.txt"}) {
    const std::vector<std::string_view> lines = data_lines(file);
    for (std::size_t i = begin; i < std::min(end, lines.size()); ++i) {
      if (!lines[i].starts_with("+ ") && !lines[i].starts_with("- "))
        throw Error(fmt::format("{}: not + or - and a sentence: {}", file, lines[i]));
      result.push_back({lines[i].substr(2), lines[i][0] == '+'});
    }
  }
  return result;
}

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
    image.pixels[i] = static_cast<float>(level) / 16;
  }
  return image;
}

}  // namespace

std::string_view data_text(std::string_view name) {
  for (const DataFile& file : data_files())
    if (file.name == name) return file.text;
  throw Error(fmt::format("no data file {} is built in", name));
}

std::vector<std::string_view> data_lines(std::string_view name) {
  const std::string_view text = data_text(name);
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin && text[begin] != '#') lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
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

Array pixels_of(std::span<const DigitImage> images) {
  Array pixels({std::ssize(images), 64});
  for (std::size_t row = 0; row < images.size(); ++row)
    for (std::size_t i = 0; i < 64; ++i) pixels.set_flat(row * 64 + i, images[row].pixels[i]);
  return pixels;
}

std::string side_by_side(std::span<const Picture> pictures) {
  std::string text;
  if (pictures.empty()) return text;
  const std::size_t width = pictures.front().width, height = pictures.front().pixels.size() / width;
  for (std::size_t row = 0; row < height; ++row) {
    for (const Picture& picture : pictures) {
      text += "  ";
      for (const float ink : picture.pixels.subspan(row * width, width))
        text += ink < 0.25F ? "  " : ink < 0.5F ? ". " : ink < 0.75F ? "o " : "# ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  for (const Picture& picture : pictures) text += fmt::format("  {:<{}}", picture.caption, 2 * width);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
}

std::vector<LabelledSentence> sentences_to_learn() { return sentences(0, learned_sentences); }
std::vector<LabelledSentence> sentences_held_out() {
  return sentences(learned_sentences, std::numeric_limits<std::size_t>::max());
}

std::vector<double> sea_temperatures() {
  std::vector<double> months;
  for (const std::string_view line : data_lines("nino12.txt")) {
    std::istringstream text{std::string(line)};
    int year = 0;
    text >> year;
    for (double month = 0; text >> month;) months.push_back(month);
  }
  return months;
}

}  // namespace unroll::examples
