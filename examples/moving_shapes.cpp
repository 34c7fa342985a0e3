#include <unroll/examples/moving_shapes.hpp>

namespace unroll::examples {

namespace {

constexpr std::size_t shape_side = 5;
constexpr std::array<const char*, 4> shape_names{"square", "circle", "cross", "bar"};
constexpr std::array<const char*, 4> shapes{
    "#####"
    "#...#"
    "#...#"
    "#...#"
    "#####",
    ".###."
    "#...#"
    "#...#"
    "#...#"
    ".###.",
    "..#.."
    "..#.."
    "#####"
    "..#.."
    "..#..",
    "....."
    "....."
    "#####"
    "....."
    "....."};
constexpr std::array<const char*, 4> direction_names{"left", "right", "up", "down"};

}  // namespace

Video make_video(Generator& generator) {
  constexpr std::array<int, 4> right{-1, 1, 0, 0}, down{0, 0, -1, 1};
  constexpr int last = Video::side - shape_side;
  const auto inside = [](int position) { return position >= 0 && position <= last; };
  const std::size_t shape = generator.below(4);
  int x = static_cast<int>(generator.below(last + 1)), y = static_cast<int>(generator.below(last + 1));
  std::size_t direction = generator.below(4);
  Video video;
  for (std::size_t t = 0; t < Video::frames; ++t) {
    if (generator.uniform() < 0.2) direction = generator.below(4);
    while (!inside(x + right[direction]) || !inside(y + down[direction])) direction = generator.below(4);
    x += right[direction];
    y += down[direction];
    video.labels[t] = static_cast<std::int64_t>(4 * shape + direction);
    for (float& pixel : video.pixels[t]) pixel = static_cast<float>(0.3 * generator.normal());
    for (std::size_t i = 0; i < shape_side * shape_side; ++i)
      if (shapes[shape][i] == '#')
        video.pixels[t][(static_cast<std::size_t>(y) + i / shape_side) * Video::side + static_cast<std::size_t>(x) +
                        i % shape_side] += 1;
  }
  return video;
}

std::string video_label(std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  return std::string(shape_names[index / 4]) + " " + direction_names[index % 4];
}

}  // namespace unroll::examples
