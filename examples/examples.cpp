#include <unroll/examples/examples.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll::examples {

namespace {

constexpr Example table[] = {
    {"digit", "one-to-one", "an 8x8 picture of a handwritten digit -> which digit it is", 2000, digit},
    {"caption", "one-to-many", "a picture of a digit -> its name in English or Korean, letter by letter", 2000,
     caption},
    {"sentiment", "many-to-one", "a sentence in English or Korean -> whether its writer is pleased", 2000, sentiment},
    {"translate", "many-to-many, encoder-decoder", "a number in words (English, Korean) -> its digits, and back", 4000,
     translate},
    {"next-character", "many-to-many, synchronised", "a story, character by character -> at each the next one", 1400,
     next_character},
    {"series", "many-to-many, synchronised", "a sea temperature, month by month -> at each the next month's", 400,
     series},
    {"video", "many-to-many, synchronised", "frames of a moving shape -> at each which shape it is and where it moves",
     1500, video},
};

}  // namespace

std::span<const Example> all() { return table; }

const Example& find(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const Example& example) { return example.name == name; });
  if (found != std::end(table)) return *found;
  std::string names;
  for (const Example& example : table) names += fmt::format("{}{}", names.empty() ? "" : ", ", example.name);
  throw Error(fmt::format("there is no example {}: choose one of {}", name, names));
}

}  // namespace unroll::examples
