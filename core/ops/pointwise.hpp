#pragma once

#include <unroll/core/kernels/math.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

// How a pointwise operation comes from generic lambdas: f(x...) is the formula and d_i(x..., y) its derivative by input i, where y is
// the result. An operation with constants takes them as a last argument `const double* p`. Each lambda stands once and is
// instantiated with float and double (the fused kernels), with Var (the recorded derivative) and with Symbol (the text).
namespace unroll {

// The scalar functions join the overloads for Var and Symbol, so that tanh(x) in a lambda means the right one.
using namespace math;

// A constant of a formula, in the type of the operand beside it.
inline double like(Var, double constant) { return constant; }

namespace detail {

template <class F, class... X> auto invoke(const double* p, X... x) {
  if constexpr (std::is_invocable_v<F, X..., const double*>)
    return F{}(x..., p);
  else
    return F{}(x...);
}

template <class F, class T, std::size_t... I>
void forward_block(const void* const* in, void* out, std::size_t n, const double* p) {
  const T* const x[] = {static_cast<const T*>(in[I])...};
  T* __restrict y = static_cast<T*>(out);
  for (std::size_t k = 0; k < n; ++k) y[k] = static_cast<T>(invoke<F>(p, x[I][k]...));
}

template <class D, class T, std::size_t... I>
void derivative_block(const void* adjoint, const void* const* in, const void* result, void* out, std::size_t n,
                      const double* p, bool accumulate) {
  const T* const x[] = {static_cast<const T*>(in[I])...};
  const T* g = static_cast<const T*>(adjoint);
  const T* y = static_cast<const T*>(result);
  T* __restrict to = static_cast<T*>(out);
  if (accumulate)
    for (std::size_t k = 0; k < n; ++k) to[k] += g[k] * static_cast<T>(invoke<D>(p, x[I][k]..., y[k]));
  else
    for (std::size_t k = 0; k < n; ++k) to[k] = g[k] * static_cast<T>(invoke<D>(p, x[I][k]..., y[k]));
}

// g times a derivative that may be a plain number.
inline Var times(Var g, Var derivative) { return mul(g, derivative); }
inline Var times(Var g, double derivative) { return derivative == 1 ? g : derivative == -1 ? neg(g) : g * derivative; }

template <std::size_t... I, class F, class... D> Pointwise make_pointwise(std::index_sequence<I...>, F, D...) {
  Pointwise result;
  result.forward[0] = forward_block<F, float, I...>;
  result.forward[1] = forward_block<F, double, I...>;
  result.formula = [](std::span<const Symbol> x, const double* p) { return symbol(invoke<F>(p, x[I]...)); };
  if constexpr (sizeof...(D) > 0) {
    std::size_t i = 0;
    ((result.derivative[i][0] = derivative_block<D, float, I...>,
      result.derivative[i++][1] = derivative_block<D, double, I...>),
     ...);
    result.recorded = [](std::size_t input, Var g, std::span<const Var> x, Var y, const double* p) {
      Var (*const rules[])(Var, std::span<const Var>, Var,
                           const double*) = {[](Var g1, std::span<const Var> x1, Var y1, const double* p1) {
        return times(g1, invoke<D>(p1, x1[I]..., y1));
      }...};
      return rules[input](g, x, y, p);
    };
    result.derivative_formula = [](std::size_t input, std::span<const Symbol> x, const Symbol& y, const double* p) {
      Symbol (*const rules[])(std::span<const Symbol>, const Symbol&,
                              const double*) = {[](std::span<const Symbol> x1, const Symbol& y1, const double* p1) {
        return symbol(invoke<D>(p1, x1[I]..., y1));
      }...};
      return rules[input](x, y, p);
    };
  }
  return result;
}

}  // namespace detail

// All operands broadcast together.
Shape broadcast_shape(const Call& call);

// What define_unary(), define_binary() and define_ternary() need besides formula and derivatives.
struct PointwiseOptions {
  std::string_view name;             // as listings say it
  std::vector<Sample> (*samples)();  // calls that the tests run
};

// One input: f(x), d(x, y).
template <class F, class D> const Op& define_unary(PointwiseOptions options, F f, D d) {
  return define({.name = options.name,
                 .arity = 1,
                 .shape = broadcast_shape,
                 .pointwise = detail::make_pointwise(std::make_index_sequence<1>{}, f, d),
                 .samples = options.samples});
}

// Two inputs: f(a, b), da(a, b, y), db(a, b, y).
template <class F, class DA, class DB> const Op& define_binary(PointwiseOptions options, F f, DA da, DB db) {
  return define({.name = options.name,
                 .arity = 2,
                 .shape = broadcast_shape,
                 .pointwise = detail::make_pointwise(std::make_index_sequence<2>{}, f, da, db),
                 .samples = options.samples});
}

// Three inputs: f(a, b, c) and three derivatives.
template <class F, class DA, class DB, class DC>
const Op& define_ternary(PointwiseOptions options, F f, DA da, DB db, DC dc) {
  return define({.name = options.name,
                 .arity = 3,
                 .shape = broadcast_shape,
                 .pointwise = detail::make_pointwise(std::make_index_sequence<3>{}, f, da, db, dc),
                 .samples = options.samples});
}

}  // namespace unroll
