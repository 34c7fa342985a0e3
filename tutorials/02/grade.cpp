#include "../grading.hpp"
#include "exercise.hpp"

#include <unroll/core/array/array.hpp>

#include <span>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

Array array(const std::vector<double>& numbers) {
  return Array(Shape{static_cast<std::int64_t>(numbers.size())}, std::span<const double>(numbers));
}

// That `place` is the last entry, of this kind, with these inputs.
void expect_recorded(const List& list, std::size_t before, std::size_t place, Kind kind, std::size_t a, std::size_t b) {
  expect(list.size() != before,
         "The list is as long as before: what is computed but not appended cannot be differentiated.");
  expect(list.size() == before + 1, "One operation is one entry: more than one was appended.");
  expect(place != list.size(), "The place of an entry counts from 0, so the last of n entries is at n - 1.");
  expect(place == before, "What is returned is the place of the new entry: by it later entries name their inputs.");
  expect(list[place].kind == kind, "The entry has the wrong kind: the sweep would use another operation's rule.");
  expect(list[place].a != list[place].b || a == b,
         "Both inputs have the same place: which entries were multiplied or divided?");
  expect(list[place].a == a && list[place].b == b,
         "a and b of the entry are places on the list, in the order in which they were given.");
}

void expect_adjoints(const List& list, std::size_t y, const std::vector<double>& wanted,
                     const std::vector<ArrayMistake>& mistakes, const std::string& otherwise) {
  const std::vector<double> got = backward(list, y);
  expect(got.size() == list.size(),
         fmt::format("One adjoint for each entry of the list: there are {} entries and {} adjoints.", list.size(),
                     got.size()));
  expect_equal("the adjoints", array(got), array(wanted), mistakes, otherwise);
}

}  // namespace

// The lists are built here, entry by entry, so that one task does not wait for another. All numbers are worked out by hand.
int main(int argc, char** argv) {
  Grading grading(argc, argv, "2 · The tape");

  grading.task("multiply: an entry for a product", [] {
    List list;
    const std::size_t unused = input(list, 7), x = input(list, 3), w = input(list, 2);
    (void)unused;
    const std::size_t before = list.size(), place = multiply(list, w, x);
    expect_recorded(list, before, place, Kind::multiply, w, x);
    expect_equal(list[place].value, 6,
                 {{5, "The value is the sum, 5. This entry is a product."},
                  {2, "The value is the product of the places, 2 and 1. What is multiplied are the values there."}},
                 "3 times 2.");
  });

  grading.task("backward: along a chain", [] {
    // a = x w, s = a + v, y = s u
    const List list{{Kind::input, 0, 0, 3},    {Kind::input, 0, 0, 2}, {Kind::input, 0, 0, 5},
                    {Kind::multiply, 0, 1, 6}, {Kind::add, 3, 2, 11},  {Kind::input, 0, 0, 4},
                    {Kind::multiply, 4, 5, 44}};
    expect_adjoints(
        list, 6, {8, 12, 4, 4, 4, 11, 1},
        {{array({0, 0, 0, 0, 0, 0, 0}), "All adjoints are 0, and 0 is all that is handed on. What is dy/dy?"},
         {array({0, 0, 0, 0, 4, 11, 1}),
          "y has handed on, and the others had their turn before they had anything. In which order "
          "does every entry come after all its readers?"},
         {array({0, 0, 0, 0, 0, 0, 1}), "y has the seed and does not hand it on. Is y itself a part of the sweep?"},
         {array({33, 22, 11, 11, 11, 4, 1}),
          "In a product each input gets its own value as the factor. When x moves by 1, x w moves by w."},
         {array({264, 264, 44, 44, 44, 44, 1}),
          "In a product the value of the result is the factor here. When x moves by 1, x w moves by w."},
         {array({2, 3, 4, 4, 4, 11, 1}),
          "A product hands on its local factor alone. Where is the adjoint of the product itself?"},
         {array({2, 3, 1, 1, 4, 11, 1}), "A sum hands on 1. It hands on what it got, whatever that is."},
         {array({352, 528, 176, 176, 176, 484, 44}),
          "Everything is 44 times too large: the seed is not the value of y, but dy/dy."}},
        "Here a = x w, s = a + v, y = s u, with x = 3, w = 2, v = 5, u = 4. Go from y back: what does each one hand "
        "on?");
  });

  grading.task("backward: entries that are read more than once", [] {
    // a = w x, b = a a, y = b + a, and z = y x after it
    const List list{{Kind::input, 0, 0, 3},     {Kind::input, 0, 0, 2}, {Kind::multiply, 1, 0, 6},
                    {Kind::multiply, 2, 2, 36}, {Kind::add, 3, 2, 42},  {Kind::multiply, 4, 0, 126}};
    expect_adjoints(
        list, 4, {26, 39, 13, 1, 1, 0},
        {{array({12, 18, 6, 1, 1, 0}),
          "The last contribution has overwritten the others: a is read three times, and gets 1 + 6 + 6."},
         {array({14, 21, 7, 1, 1, 0}), "a a reads a twice. Only one of the two has given its 6."},
         {array({120, 117, 39, 3, 3, 1}),
          "This is the derivative of the last entry. Asked for was that of entry 4: the sweep begins there."},
         {array({2, 3, 1, 1, 1, 0}),
          "a has handed on before b gave it its part. An entry comes after all its readers."}},
        "Here a = w x, b = a a, y = b + a, with x = 3 and w = 2. The place of y is 4; what was recorded later does not "
        "matter to y.");
  });

  grading.task("divide: an entry and a rule of your own", [] {
    List list;
    const std::size_t x = input(list, 6), w = input(list, 2);
    const std::size_t before = list.size(), q = divide(list, x, w);
    expect_recorded(list, before, q, Kind::divide, x, w);
    expect_equal(list[q].value, 3, {{1.0 / 3, "This is b / a."}}, "a / b is 6 / 2 here.");
    list.push_back({Kind::multiply, q, q, 9});
    expect_adjoints(
        list, q + 1, {3, -9, 6, 1},
        {{array({0, 0, 6, 1}),
          "The quotient has an adjoint, 6, and hands nothing on: the sweep has no rule for Kind::divide yet."},
         {array({3, 9, 6, 1}), "The sign: when the denominator grows, the quotient falls."},
         {array({3, -18, 6, 1}), "By b: -a / b^2. The square is missing."},
         {array({3, -1.5, 6, 1}), "By b: -a / b^2. The numerator a is missing."},
         {array({3, 0, 6, 1}), "The denominator gets nothing: a / b moves with b, too."},
         {array({12, 36, 6, 1}), "This is the rule of a product."}},
        "Here q = x / w and y = q q, with x = 6 and w = 2. Write x / w as x times w^-1 and differentiate by each.");
    // x / x^2 = 1 / x, by x: -1 / x^2
    const List twice{{Kind::input, 0, 0, 2}, {Kind::multiply, 0, 0, 4}, {Kind::divide, 0, 1, 0.5}};
    expect_adjoints(twice, 2, {-0.25, -0.125, 1},
                    {{array({0.25, -0.125, 1}),
                      "x / (x x): x is read by the quotient and by the product, and its contributions add up."}},
                    "Here y = x / (x x) at x = 2, which is 1 / x.");
  });

  return grading.finish();
}
