#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace unroll {

// An explicit, seeded source of random numbers. The engine is std::mt19937_64, whose output the standard fixes; the
// distributions are written out because the standard leaves those of <random> to each library.
class Generator {
 public:
  // Equal seeds give equal numbers, on every machine.
  explicit Generator(std::uint64_t seed) : engine_(seed) {}

  // 64 random bits.
  std::uint64_t bits() { return engine_(); }

  // In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  // Mean 0, variance 1 (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  // In 0 .. n - 1; n at least 1. The bias of the remainder is below n / 2^64.
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }

  // All that it is, as text: for a save.
  std::string text() const;
  // The generator that goes on where the one stood that gave this text; nothing for a text that no generator gave.
  static std::optional<Generator> from_text(std::string_view text);

  friend bool operator==(const Generator&, const Generator&) = default;

 private:
  std::mt19937_64 engine_;
};

}  // namespace unroll
