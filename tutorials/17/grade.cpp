#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

std::string joined(const Symbols& symbols) { return fmt::format("{}", fmt::join(symbols, " ")); }

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "17 · Real text, end to end");

  grading.task("the vocabulary", [] {
    expect(vocabulary_of("hello") != U"helo",
           "The characters stand in the order in which they occur. In the order of their code points, e comes first.");
    expect(vocabulary_of("hello") != U"ehllo", "Each character stands in the vocabulary once; l is there twice.");
    expect(vocabulary_of("hello") == U"ehlo", "The vocabulary of \"hello\" is e h l o.");
    const std::u32string korean = vocabulary_of("밤 기차, 밤");
    expect(korean.size() <= 5,
           fmt::format("\"밤 기차, 밤\" has 5 different characters and you find {}: these are bytes. One character of "
                       "UTF-8 has one to four of them; decode_utf8 puts them together.",
                       korean.size()));
    expect(korean == U" ,기밤차", "The vocabulary of \"밤 기차, 밤\" is: space, comma, 기, 밤, 차.");
  });

  grading.task("encode and decode", [] {
    const std::u32string vocabulary = U" ,기밤차";
    const Symbols got = encode("밤 기차", vocabulary);
    expect(got.size() == 4,
           fmt::format("\"밤 기차\" has 4 characters, but you give {} symbols. Are these bytes?", got.size()));
    expect(got != Symbols{0xBC24, 0x20, 0xAE30, 0xCC28},
           "These are the code points themselves. A model needs 0, 1, 2, ...: the positions in the vocabulary.");
    expect(got == Symbols{3, 0, 2, 4},
           "\"밤 기차\" with the vocabulary [space , 기 밤 차] is 3 0 2 4, not " + joined(got));
    expect(decode({3, 0, 2, 4}, vocabulary) == "밤 기차",
           "3 0 2 4 with the vocabulary [space , 기 밤 차] is \"밤 기차\".");
  });

  grading.task("windows", [] {
    const Symbols stream{10, 11, 12, 13, 14, 15, 16, 17};  // 7 predictions: windows of 3, 3 and 1
    const Window first = window(stream, 0, 3), second = window(stream, 1, 3), last = window(stream, 2, 3);
    expect(first.inputs == Symbols{10, 11, 12},
           "The first window of 3 steps sees 10 11 12, not " + joined(first.inputs));
    expect(first.targets != first.inputs,
           "The targets are the inputs: the model would learn to copy what it sees. What comes *next*?");
    expect(first.targets != Symbols{11, 12},
           "The last target is missing: after 12 comes 13, which stands in the next window, and may be read there.");
    expect(first.targets == Symbols{11, 12, 13}, "After 10 11 12 come 11 12 13, not " + joined(first.targets));
    expect(second.inputs != Symbols{11, 12, 13},
           "The second window begins one symbol after the first. It should begin where the first ended.");
    expect(
        second.inputs != Symbols{14, 15, 16},
        "There is a gap: nobody sees 13. It was a target of the first window, and is the first input of the second.");
    expect(second.inputs == Symbols{13, 14, 15}, "The second window sees 13 14 15, not " + joined(second.inputs));
    expect(last.inputs.size() == last.targets.size() && last.inputs.size() < 2,
           "The last window is shorter: 17 has no next symbol, so only 16 is left to be seen.");
    expect(last.inputs == Symbols{16} && last.targets == Symbols{17}, "The last window sees 16, and 17 comes next.");
  });

  grading.task("bits per character", [] {
    const double ln2 = std::log(2.0);
    // a coin costs one bit, one of eight costs three
    expect_equal(bits_per_character({ln2}, {10}), 1,
                 {{ln2, "These are nats. A fair coin has ln 2 nats, and is one bit: divide by ln 2."},
                  {ln2 * ln2, "Multiplied by ln 2 where it should be divided: a fair coin is one bit."},
                  {10, "This is the sum over the characters. Asked for is the mean."}},
                 "A model that gives every character probability 1/2 costs one bit for each.");
    expect_equal(bits_per_character({ln2, std::log(8.0)}, {30, 10}), 1.5,
                 {{2, "This is the mean of the windows. The second one has fewer characters, and must count less."},
                  {1.5 * ln2, "These are nats: divide by ln 2."}},
                 "30 characters of 1 bit and 10 of 3 bits.");
  });

  grading.task("temperature", [] {
    const double ln3 = std::log(3.0);
    const auto at = [&](double temperature) { return probabilities({0, ln3}, temperature); };
    expect(at(1).size() == 2, "One probability for each logit.");
    expect_equal(at(1)[1], 0.75, {}, "At temperature 1 this is the softmax: logits 0 and ln 3 give 1/4 and 3/4.");
    // at 1/2 the odds of 3 : 1 become 9 : 1, at 2 they become sqrt 3 : 1
    expect_equal(at(0.5)[1], 0.9,
                 {{std::sqrt(3.0) / (1 + std::sqrt(3.0)),
                   "A low temperature should prefer what is likely, and yours does the opposite: the logits are "
                   "multiplied by it."},
                  {1.5,
                   "The probabilities are divided by the temperature: they do not add up to 1 any more. It belongs "
                   "into the exponent."},
                  {0.75, "The temperature changes nothing."}},
                 "Odds of 3 : 1 become 9 : 1 at temperature 1/2.");
    const std::vector<double> large = probabilities({1000, 1000}, 0.5);
    expect(!std::isnan(large[0]),
           "Logits of 1000 give NaN: exp(2000) is infinite. Subtract the largest logit first; the softmax stays the "
           "same.");
    expect_equal(large[0], 0.5, {}, "Two equal logits have probability 1/2 each, however large they are.");
  });

  grading.task("drawing", [] {
    const std::vector<double> p{0.2, 0.5, 0.3};
    expect(!(draw(p, 0.1) == 1 && draw(p, 0.9) == 1),
           "Always the likeliest symbol: that is what a temperature near 0 does. Use u.");
    expect(draw(p, 0.1) == 0, "u = 0.1 lies in the first part, from 0 to 0.2: symbol 0.");
    expect(draw(p, 0.3) == 1, "u = 0.3 lies in the second part, from 0.2 to 0.7: symbol 1.");
    expect(draw(p, 0.6) == 1,
           "u = 0.6 lies in the part from 0.2 to 0.7. Compare u with the sum of the probabilities up to a symbol, not "
           "with its own alone.");
    expect(draw(p, 0.95) == 2, "u = 0.95 lies in the last part: symbol 2.");
    expect(draw({0.5, 0.499999}, 0.9999999) == 1,
           "Probabilities may add up to a little less than 1. The last symbol must be drawn then, not one behind it.");
  });
  return grading.finish();
}
