// The work that every contestant does: five sizes and one definition of a training step.
//
// One training step = an LSTM forward over T steps from a zero state, the mean squared error over
// the h of every step, and the backward pass to all weights; float32; no gradient to x.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <string_view>
#include <vector>

namespace unroll::bench {

struct Size {
  std::string_view name;
  std::size_t batch, input, hidden, steps;
};

inline constexpr std::array<Size, 5> all_sizes{{
    {"tiny", 1, 8, 16, 32},
    {"small", 16, 32, 64, 50},
    {"medium", 32, 128, 256, 64},
    {"large", 64, 256, 512, 100},
    {"long", 16, 32, 64, 1000},
}};

// The same numbers for everyone, so that the answers can be compared as well as the times.
// The four column blocks of the weights are the gates input, forget, candidate, output.
struct Problem {
  Size size;
  std::vector<float> x;       // (T, B, I)
  std::vector<float> target;  // (T, B, H)
  std::vector<float> w_x;     // (I, 4H)
  std::vector<float> w_h;     // (H, 4H)
  std::vector<float> b;       // (4H)
};

// What a training step found out: enough to see that two contestants did the same work.
struct Answer {
  double loss = 0;
  double norm_dw_x = 0;
  double norm_dw_h = 0;
  double norm_db = 0;
};

// One way of doing the training step. All memory that can be kept between steps is kept.
class Contestant {
 public:
  virtual ~Contestant() = default;
  virtual void step() = 0;                // this is timed
  virtual Answer answer() { return {}; }  // of the latest step; this is not
};

inline Problem make_problem(const Size& size) {
  std::mt19937 generator(20);
  const auto uniform = [&](std::size_t count, float bound) {
    std::uniform_real_distribution<float> distribution(-bound, bound);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator);
    return values;
  };
  const auto [name, batch, input, hidden, steps] = size;
  const float bound = 1.0F / std::sqrt(static_cast<float>(hidden));
  return {size,
          uniform(steps * batch * input, 1.0F),
          uniform(steps * batch * hidden, 0.5F),
          uniform(input * 4 * hidden, bound),
          uniform(hidden * 4 * hidden, bound),
          uniform(4 * hidden, bound)};
}

}  // namespace unroll::bench
