// Chapter 2: the tape.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace unroll;
using unroll::course::section;

//[ mini
enum class Kind { input, add, multiply, tanh };

struct Entry {
  Kind kind;
  std::size_t a, b;  // the places of its inputs on the list
  double value;
};

struct MiniTape {
  std::vector<Entry> list;

  std::size_t record(Kind kind, std::size_t a, std::size_t b, double value) {
    list.push_back({kind, a, b, value});
    return list.size() - 1;
  }
  std::size_t input(double value) { return record(Kind::input, 0, 0, value); }
  std::size_t add(std::size_t a, std::size_t b) { return record(Kind::add, a, b, list[a].value + list[b].value); }
  std::size_t multiply(std::size_t a, std::size_t b) {
    return record(Kind::multiply, a, b, list[a].value * list[b].value);
  }
  std::size_t tanh(std::size_t a) { return record(Kind::tanh, a, a, std::tanh(list[a].value)); }

  // Entry i has the adjoint g: what it gives to each of its inputs.
  template <class Give> void hand_on(std::size_t i, double g, Give give) const {
    const auto [kind, a, b, value] = list[i];
    if (kind == Kind::add) give(a, g), give(b, g);
    if (kind == Kind::multiply) give(a, g * list[b].value), give(b, g * list[a].value);
    if (kind == Kind::tanh) give(a, g * (1 - value * value));
  }

  // dy/d(entry) for every entry.
  std::vector<double> backward(std::size_t y) const {
    std::vector<double> adjoint(list.size(), 0.0);
    adjoint[y] = 1;
    for (std::size_t i = y + 1; i-- > 0;)
      hand_on(i, adjoint[i], [&](std::size_t to, double amount) { adjoint[to] += amount; });
    return adjoint;
  }
};
//]

void print(const MiniTape& tape, const std::vector<std::string>& names) {
  const std::vector<std::string> kinds{"input", "add", "multiply", "tanh"};
  fmt::print("place  name  operation  inputs  value\n");
  for (std::size_t i = 0; i < tape.list.size(); ++i) {
    const Entry& entry = tape.list[i];
    const std::string inputs = entry.kind == Kind::input  ? ""
                               : entry.kind == Kind::tanh ? fmt::format("{}", entry.a)
                                                          : fmt::format("{}, {}", entry.a, entry.b);
    fmt::print("{:5}  {:4}  {:9}  {:6}  {:5g}\n", i, names[i], kinds[static_cast<std::size_t>(entry.kind)], inputs,
               entry.value);
  }
}

// a = w x, b = a a, y = b + a: a is read three times.
MiniTape example() {
  //[ example
  MiniTape tape;
  const auto x = tape.input(3), w = tape.input(2);
  const auto a = tape.multiply(w, x);
  const auto b = tape.multiply(a, a);
  tape.add(b, a);  // y
  //]
  return tape;
}
const std::vector<std::string> names{"x", "w", "a", "b", "y"};
constexpr std::size_t x = 0, w = 1, a = 2, b = 3, y = 4;

void the_list() {
  section("A list of what was computed");
  print(example(), names);
}

void the_sweep() {
  section("The sweep, entry by entry");
  const MiniTape tape = example();
  std::vector<double> adjoint(tape.list.size(), 0.0);
  const auto show = [&](const std::string& what) {
    fmt::print("{:34}{:4g}{:5g}{:5g}{:5g}{:5g}\n", what, adjoint[x], adjoint[w], adjoint[a], adjoint[b], adjoint[y]);
  };
  fmt::print("{:34}{:>4}{:>5}{:>5}{:>5}{:>5}\n", "adjoints of", "x", "w", "a", "b", "y");
  adjoint[y] = 1;
  show("the seed: dy/dy = 1");
  for (std::size_t i = y + 1; i-- > 0;) {
    std::string given;
    tape.hand_on(i, adjoint[i], [&](std::size_t to, double amount) {
      adjoint[to] += amount;
      given += fmt::format("{}{:g} to {}", given.empty() ? "" : ", ", amount, names[to]);
    });
    if (!given.empty()) show(fmt::format("{} gives {}", names[i], given));
  }
}

void mistakes() {
  section("Four ways to get it wrong");
  const MiniTape tape = example();
  //[ mistakes
  const auto sweep = [&](const std::string& what, double seed, const std::vector<std::size_t>& order, bool add_up) {
    std::vector<double> adjoint(tape.list.size(), 0.0);
    adjoint[y] = seed;
    for (const std::size_t i : order)
      tape.hand_on(i, adjoint[i],
                   [&](std::size_t to, double amount) { adjoint[to] = add_up ? adjoint[to] + amount : amount; });
    fmt::print("{:46}dy/dx = {:2g}, dy/dw = {:2g}\n", what, adjoint[x], adjoint[w]);
  };
  sweep("right", 1, {y, b, a, w, x}, true);
  sweep("= in place of +=", 1, {y, b, a, w, x}, false);
  sweep("from the first entry to the last", 1, {x, w, a, b, y}, true);
  sweep("a before b: one of its readers comes too late", 1, {y, a, b, w, x}, true);
  sweep("no seed", 0, {y, b, a, w, x}, true);
  //]
  const auto y_of_x = [](double at) { return 4 * at * at + 2 * at; };  // with w = 2
  fmt::print("\nwiggled: dy/dx = {:g}\n", (y_of_x(3.01) - y_of_x(2.99)) / 0.02);
}

//[ paths
// Walks from an entry to the inputs along every path, and counts its visits.
std::size_t visits(const MiniTape& tape, std::size_t i) {
  std::size_t count = 1;
  tape.hand_on(i, 1, [&](std::size_t to, double) { count += visits(tape, to); });
  return count;
}
//]

void paths() {
  section("Once for each entry, not once for each path");
  fmt::print("doublings   entries   visits along every path\n");
  for (const int n : {1, 2, 5, 10, 20}) {
    MiniTape tape;
    std::size_t last = tape.input(1);
    for (int i = 0; i < n; ++i) last = tape.add(last, last);
    fmt::print("{:9}   {:7}   {:23}\n", n, tape.list.size(), visits(tape, last));
  }
}

void the_library() {
  section("The tape of the library");
  //[ library
  Tape tape;
  const Var vx = tape.input(Array::scalar(3), "x"), vw = tape.input(Array::scalar(2), "w");
  const Var va = (vw * vx).named("a");
  const Var vb = (va * va).named("b");
  const Var vy = (vb + va).named("y");
  fmt::print("{}", listing(tape));

  const Gradients gradients = backward(vy, {.keep = Keep::all});
  fmt::print("\ndy/dx = {:g}, dy/dw = {:g}, dy/da = {:g}\n", gradients[vx].item(), gradients[vw].item(),
             gradients[va].item());
  //]
  render(tape, "twice.svg",
         {.gradients = &gradients, .values = ValueView::numbers, .title = "a = w x,  b = a a,  y = b + a"});
}

void place() {
  section("Where a node stands");
  //[ place
  Tape tape;
  const Parameter u("u", Array::scalar(0.5));
  Var h = tape.constant(Array::scalar(0), "h");
  for (int t = 1; t <= 2; ++t) {
    const Step step(tape, t);
    const Var in = tape.input(Array::scalar(t), "x");
    const Scope layer(tape, "cell");
    const Var carried = (tape.use(u) * h).named("carried");
    h = tanh(in + carried).named("h");
  }
  fmt::print("{}", listing(tape));
  //]
  const Gradients gradients = backward(h, {.keep = Keep::all, .flows = true});
  render(tape, "place.svg", {.gradients = &gradients, .title = "Steps and scopes are what a drawing knows of time"});
  //[ error
  try {
    const Step step(tape, 3);
    const Scope layer(tape, "cell");
    tape.input(Array({2}, {1, 2}), "x") + tape.input(Array({3}, {1, 2, 3}), "y");
  } catch (const ShapeError& error) { fmt::print("\n{}\n", error.what()); }
  //]
}

void a_long_chain() {
  section("A chain of 100,000 multiplications");
  //[ long
  constexpr int n = 100'000;
  Tape tape;
  const Parameter factor("w", Array::scalar(1 + 1.0 / n));
  const Var start = tape.input(Array::scalar(1), "x");
  Var h = start;
  for (int i = 0; i < n; ++i) h = tape.use(factor) * h;
  const Gradients gradients = backward(h);
  //]
  fmt::print("{} nodes, y = {:.4f}, dy/dx = {:.4f}, dy/dw = {:.1f}\n", tape.size(), h.item(), gradients[start].item(),
             gradients[factor].item());
}

int main() {
  the_list();
  the_sweep();
  mistakes();
  paths();
  the_library();
  place();
  a_long_chain();
}
