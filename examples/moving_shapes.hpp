#pragma once

#include <unroll/core/array/random.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace unroll::examples {

// A square, circle, cross or bar that moves over a noisy picture by one pixel a frame, left, right, up or down. It turns at the border, and now
// and then elsewhere.
struct Video {
  static constexpr std::size_t side = 12, frames = 10;  // pixels; 0 is paper and 1 ink, before the noise
  static constexpr std::int64_t labels_in_all = 16;

  std::array<std::array<float, side * side>, frames> pixels{};
  std::array<std::int64_t, frames> labels{};  // 4 * shape + direction of the move that led to this frame
};

Video make_video(Generator& generator);

// "circle left".
std::string video_label(std::int64_t label);

}  // namespace unroll::examples
