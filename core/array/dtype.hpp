#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll {

// The element type of an array. It is a tag at run time, so that one binary trains in float32 and checks gradients in
// float64, and no line that a student reads carries a template parameter.
enum class DType : std::uint8_t {
  f32,  // float, float32
  f64   // double, float64
};

// Bytes of one element.
constexpr std::size_t size_of(DType dtype) { return dtype == DType::f32 ? sizeof(float) : sizeof(double); }

// "float32" or "float64", as NumPy says.
constexpr const char* to_string(DType dtype) { return dtype == DType::f32 ? "float32" : "float64"; }

// The tag of a C++ type, as `value`.
template <class T> struct dtype_of;
template <> struct dtype_of<float> { static constexpr DType value = DType::f32; };
template <> struct dtype_of<double> { static constexpr DType value = DType::f64; };

// dtype_v<float> is DType::f32, dtype_v<double> is DType::f64; no other element type exists.
template <class T> inline constexpr DType dtype_v = dtype_of<T>::value;

// Calls f with a value of the C++ type behind the tag: dispatch(dtype, [&](auto zero) { using T = decltype(zero); ... }).
template <class F> decltype(auto) dispatch(DType dtype, F&& f) {
  return dtype == DType::f32 ? f(float{}) : f(double{});
}

}  // namespace unroll
