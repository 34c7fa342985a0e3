#pragma once

#include <unroll/core/array/shape.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

// An expression that computes its own text: the third number type, beside float/double and Var, that the generic formulas of
// the operations are instantiated with. Binding tells when brackets are needed.
struct Symbol {
  // How tightly the outermost operator binds, the loosest first.
  enum Binding {
    additive,        // a + b
    multiplicative,  // a * b
    unary,           // -a
    power,           // a^2
    atom             // a, f(a)
  };

  std::string text;              // of the expression
  Binding binding = atom;        // of its outermost operator
  const Shape* shape = nullptr;  // of what it stands for, where that is known: lets a formula say which axes it means

  // The text as an operand of something that binds with the given strength.
  std::string within(Binding outer) const { return binding < outer ? "(" + text + ")" : text; }
  // The text behind an operator: no two signs in a row.
  std::string behind(Binding outer) const { return text.starts_with('-') ? "(" + text + ")" : within(outer); }
};

// A number as text, to six significant digits; a Symbol stays as it is.
inline Symbol symbol(double constant) {
  return {fmt::format("{:.6g}", constant), constant < 0 ? Symbol::unary : Symbol::atom};
}
inline Symbol symbol(Symbol s) { return s; }

// What can stand beside a Symbol in a formula: another one, or a number.
template <class T>
concept SymbolOperand = std::same_as<T, Symbol> || std::convertible_to<T, double>;

// f(a, b, ...)
template <class... S> Symbol call(std::string_view function, const S&... arguments) {
  std::string list;
  ((list += (list.empty() ? "" : ", ") + symbol(arguments).text), ...);
  return {fmt::format("{}({})", function, list)};
}

// The operators of formulas, with brackets where they are needed:
template <SymbolOperand A, SymbolOperand B>
requires(std::same_as<A, Symbol> || std::same_as<B, Symbol>) Symbol operator+(const A& a, const B& b) {
  const std::string left = symbol(a).within(Symbol::additive), right = symbol(b).within(Symbol::additive);
  return {left + (right.starts_with('-') ? " - " + right.substr(1) : " + " + right), Symbol::additive};
}
template <SymbolOperand A, SymbolOperand B>
requires(std::same_as<A, Symbol> || std::same_as<B, Symbol>) Symbol operator-(const A& a, const B& b) {
  return {symbol(a).within(Symbol::additive) + " - " + symbol(b).behind(Symbol::multiplicative), Symbol::additive};
}
template <SymbolOperand A, SymbolOperand B>
requires(std::same_as<A, Symbol> || std::same_as<B, Symbol>) Symbol operator*(const A& a, const B& b) {
  return {symbol(a).within(Symbol::multiplicative) + " * " + symbol(b).behind(Symbol::multiplicative),
          Symbol::multiplicative};
}
template <SymbolOperand A, SymbolOperand B>
requires(std::same_as<A, Symbol> || std::same_as<B, Symbol>) Symbol operator/(const A& a, const B& b) {
  return {symbol(a).within(Symbol::multiplicative) + " / " + symbol(b).behind(Symbol::unary), Symbol::multiplicative};
}
inline Symbol operator-(const Symbol& a) {
  return {"-" + a.behind(Symbol::multiplicative),
          a.binding == Symbol::multiplicative ? Symbol::multiplicative : Symbol::unary};
}

// ---- for the operations that are not pointwise

// A matrix product is written without a sign, and binds its factors more tightly than * does: x W.
inline Symbol juxtaposed(const Symbol& a, const Symbol& b) {
  return {a.within(Symbol::unary) + " " + b.within(Symbol::power), Symbol::multiplicative};
}

// x[:, 2:5] for axis 1 and "2:5".
inline Symbol indexed(const Symbol& x, std::int64_t axis, std::string_view index) {
  if (axis < 0 && x.shape) axis += static_cast<std::int64_t>(x.shape->rank());
  std::string all;
  for (std::int64_t i = 0; i < axis; ++i) all += ":, ";
  if (axis < 0) all = "..., ";
  std::string rest;
  for (std::int64_t i = axis; i < -1; ++i) rest += ", :";
  return {fmt::format("{}[{}{}{}]", x.within(Symbol::atom), all, index, rest)};
}

// f(x) over all axes of x, f(x, axis=1) over one, f(x, axes=0, 2) over several.
inline Symbol reduced(std::string_view function, const Symbol& x, std::span<const std::int64_t> axes) {
  if (x.shape && axes.size() == x.shape->rank()) return call(function, x);
  return call(function, x, Symbol{fmt::format("{}={}", axes.size() == 1 ? "axis" : "axes", fmt::join(axes, ", "))});
}

// The functions of formulas as text, as in core/ops/ops.hpp:
inline Symbol tanh(const Symbol& x) { return call("tanh", x); }
inline Symbol sigmoid(const Symbol& x) { return call("sigmoid", x); }
inline Symbol relu(const Symbol& x) { return call("relu", x); }
inline Symbol softplus(const Symbol& x) { return call("softplus", x); }
inline Symbol exp(const Symbol& x) { return call("exp", x); }
inline Symbol expm1(const Symbol& x) { return call("expm1", x); }
inline Symbol log(const Symbol& x) { return call("log", x); }
inline Symbol log1p(const Symbol& x) { return call("log1p", x); }
inline Symbol sqrt(const Symbol& x) { return call("sqrt", x); }
inline Symbol sin(const Symbol& x) { return call("sin", x); }
inline Symbol cos(const Symbol& x) { return call("cos", x); }
inline Symbol erf(const Symbol& x) { return call("erf", x); }
inline Symbol abs(const Symbol& x) { return {"|" + x.text + "|"}; }
inline Symbol sign(const Symbol& x) { return call("sign", x); }
inline Symbol square(const Symbol& x) { return {x.within(Symbol::atom) + "^2", Symbol::power}; }
inline Symbol pow(const Symbol& x, double exponent) {
  return {x.within(Symbol::atom) + "^" + symbol(exponent).within(Symbol::atom), Symbol::power};
}
inline Symbol maximum(const Symbol& a, const Symbol& b) { return call("max", a, b); }
inline Symbol minimum(const Symbol& a, const Symbol& b) { return call("min", a, b); }
inline Symbol where(const Symbol& condition, const Symbol& a, const Symbol& b) {
  return call("where", condition, a, b);
}
inline Symbol clip(const Symbol& x, double low, double high) { return call("clip", x, low, high); }
inline double like(const Symbol&, double constant) { return constant; }

}  // namespace unroll
