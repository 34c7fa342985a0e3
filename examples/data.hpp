#pragma once

#include <unroll/core/array/array.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The data of the examples. The files of data/ are built into the library; data/README.md says where each comes from.
namespace unroll::examples {

struct DataFile {
  std::string_view name, text;
};

// All that are built in (the definition is made by cmake/embed.cmake).
std::span<const DataFile> data_files();

// One of them. Throws Error if it is not built in.
std::string_view data_text(std::string_view name);
// Its lines, without those that are empty or begin with '#'.
std::vector<std::string_view> data_lines(std::string_view name);

// A handwritten digit: 8 rows of 8 pixels from 0 (paper) to 1 (ink), in steps of a sixteenth.
struct DigitImage {
  std::array<float, 64> pixels{};
  std::int64_t label = 0;
};

// All 1797, in the order of the source.
const std::vector<DigitImage>& digit_images();

// The first 1437, to learn from; and the last 360, held out.
std::span<const DigitImage> digits_to_learn();
std::span<const DigitImage> digits_held_out();

// Images as rows of numbers, (images, 64).
Array pixels_of(std::span<const DigitImage> images);

// Pictures in characters, side by side, each above its caption. All have one size. A picture has `width` pixels a row, from 0 (paper) to 1 (ink).
struct Picture {
  std::span<const float> pixels;
  std::size_t width = 8;
  std::string caption;
};
std::string side_by_side(std::span<const Picture> pictures);

// A sentence, and whether its writer is pleased.
struct LabelledSentence {
  std::string_view text;
  bool pleased = false;
};

// English and then Korean; of each the first 400 to learn from, and the last 100 held out, half of them pleased.
std::vector<LabelledSentence> sentences_to_learn();
std::vector<LabelledSentence> sentences_held_out();

// The mean sea surface temperature of each month from 1950 to 2010 in degrees Celsius, between 0 and 10 degrees south and 90 and 80 degrees west.
std::vector<double> sea_temperatures();

}  // namespace unroll::examples
