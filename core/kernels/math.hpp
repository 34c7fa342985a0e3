#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

// The elementary functions of the operations, for float and double. Those that recurrent networks spend their time in (exp,
// expm1, tanh, sigmoid, softplus's exp) are written without branches and without calls, so that the compiler turns a loop over
// them into vector code; the others are the standard library's. Every function passes NaN through.
namespace unroll::math {

template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

namespace parts {

// Everything that depends on the precision. exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln(2) / 2; ln 2 is split in two
// parts, the first of which has enough trailing zeros for n * ln2_high to be exact. Adding and subtracting `rounder` rounds
// to the nearest integer. From `lowest` to `overflow` the result is a normal number.
template <class T> struct Exp;
template <> struct Exp<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa_bits = 23, bias = 127;
  static constexpr std::size_t terms = 7;
  static constexpr float inverse_ln2 = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float rounder = 12582912.0f;  // 1.5 * 2^23
  static constexpr float lowest = -86.5f, overflow = 88.7228394f;
};
template <> struct Exp<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa_bits = 52, bias = 1023;
  static constexpr std::size_t terms = 13;
  static constexpr double inverse_ln2 = 1.4426950408889634, ln2_high = 6.93147180369123816490e-01,
                          ln2_low = 1.90821492927058770002e-10;
  static constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double lowest = -707.5, overflow = 709.782712893384;
};

// 1 / k! for k = 0 .. 14.
template <Real T>
inline constexpr std::array<T, 15> inverse_factorial = [] {
  std::array<T, 15> result{};
  double factorial = 1;
  for (std::size_t k = 0; k < result.size(); ++k) {
    result[k] = static_cast<T>(1 / factorial);
    factorial *= static_cast<double>(k + 1);
  }
  return result;
}();

// expm1(r) for |r| <= ln(2) / 2 by the first terms of its power series, the rest being below the rounding error.
template <Real T> inline T expm1_near_zero(T r) {
  T sum = inverse_factorial<T>[Exp<T>::terms];
  for (std::size_t k = Exp<T>::terms - 1; k >= 1; --k) sum = sum * r + inverse_factorial<T>[k];
  return r * sum;
}

template <Real T> struct Reduced {
  T r;     // the rest, |r| <= ln(2) / 2
  T half;  // 2^(n - 1): half of the power, because 2^n itself would overflow just below the limit
};

// x must lie in [lowest, overflow] (or be NaN).
template <Real T> inline Reduced<T> reduce(T x) {
  using E = Exp<T>;
  const T shifted = x * E::inverse_ln2 + E::rounder;
  const T n = shifted - E::rounder;
  // the low bits of `shifted` hold n: move them, biased, to where the exponent is kept
  const auto exponent = (std::bit_cast<typename E::Bits>(shifted) + (E::bias - 1)) << E::mantissa_bits;
  return {(x - n * E::ln2_high) - n * E::ln2_low, std::bit_cast<T>(exponent)};
}

template <Real T> inline T clamp(T x, T low, T high) {  // NaN stays NaN
  x = x < low ? low : x;
  return x > high ? high : x;
}

}  // namespace parts

// Results near and below the smallest normal number (below about 3e-38 and 5e-308) are 0.
template <Real T> inline T exp(T x) {
  using E = parts::Exp<T>;
  const auto [r, half] = parts::reduce(parts::clamp(x, E::lowest, E::overflow));
  const T y = 2 * (half * (1 + parts::expm1_near_zero(r)));
  return x > E::overflow ? std::numeric_limits<T>::infinity() : x < E::lowest ? T(0) : y;
}

template <Real T> inline T expm1(T x) {
  using E = parts::Exp<T>;
  const auto [r, half] = parts::reduce(parts::clamp(x, E::lowest, E::overflow));
  const T y = 2 * (half * parts::expm1_near_zero(r) + (half - T(0.5)));
  return x > E::overflow ? std::numeric_limits<T>::infinity() : y;
}

// tanh x = e / (e + 2) with e = expm1(2 x): no cancellation near 0, and 1 beyond |x| = 20 in either precision.
template <Real T> inline T tanh(T x) {
  const auto [r, half] = parts::reduce(parts::clamp(2 * x, T(-40), T(40)));
  const T half_e = half * parts::expm1_near_zero(r) + (half - T(0.5));
  return half_e / (half_e + 1);
}

// 1 / (1 + exp(-x)); exp is held to where the sum is still finite.
template <Real T> inline T sigmoid(T x) {
  using E = parts::Exp<T>;
  const auto [r, half] = parts::reduce(parts::clamp(-x, E::lowest, E::overflow - 1));
  return 1 / (1 + 2 * (half * (1 + parts::expm1_near_zero(r))));
}

template <Real T> inline T log(T x) { return std::log(x); }
template <Real T> inline T log1p(T x) { return std::log1p(x); }
template <Real T> inline T sqrt(T x) { return std::sqrt(x); }
template <Real T> inline T sin(T x) { return std::sin(x); }
template <Real T> inline T cos(T x) { return std::cos(x); }
template <Real T> inline T erf(T x) { return std::erf(x); }
template <Real T> inline T abs(T x) { return std::abs(x); }
template <Real T> inline T square(T x) { return x * x; }

template <Real T> inline T pow(T x, double exponent) {
  return exponent == 2 ? x * x : exponent == 1 ? x : std::pow(x, static_cast<T>(exponent));
}

template <Real T> inline T sign(T x) {
  const T s = static_cast<T>(x > 0) - static_cast<T>(x < 0);
  return x != x ? x : s;
}

template <Real T> inline T relu(T x) { return x < 0 ? T(0) : x; }

// log(1 + exp x) = max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.
template <Real T> inline T softplus(T x) { return relu(x) + std::log1p(exp(-std::abs(x))); }

template <Real T> inline T maximum(T a, T b) { return a > b || a != a ? a : b; }
template <Real T> inline T minimum(T a, T b) { return a < b || a != a ? a : b; }
template <Real T> inline T where(T condition, T a, T b) { return condition != 0 ? a : b; }
template <Real T> inline T clip(T x, double low, double high) {
  return parts::clamp(x, static_cast<T>(low), static_cast<T>(high));
}

// A constant in the arithmetic of `x`: a float stays a float. Vars and printed expressions have their own `like`.
template <Real T> inline T like(T, double constant) { return static_cast<T>(constant); }

}  // namespace unroll::math
