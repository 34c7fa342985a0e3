#include "zoo_references.hpp"

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/grad/jvp.hpp>

#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

// The zoo of gradient bugs: every animal computes what it says, and is wrong on its way back where it should be, and nowhere else.

namespace unroll::test {

namespace {

using zoo::Animal;
using zoo::Specimen;
using zoo::zoo;

constexpr std::int64_t batch = 2;

// x and the first state of a run, random, with the names that a check gives them.
struct Data {
  std::vector<std::string> names;
  std::vector<Array> arrays;
};

Data data_for(const Specimen& specimen, std::int64_t steps) {
  Generator generator(4);
  Data data{{"x"}, {random_array({steps, batch, specimen.input}, generator)}};
  Tape scratch;
  const std::vector<Var> state = specimen.zero_state(scratch, batch);
  const std::vector<std::string> names = state_names(std::span<const Var>(state));
  for (std::size_t i = 0; i < state.size(); ++i) {
    data.names.push_back(names[i] + "0");
    data.arrays.push_back(random_array(state[i].shape(), generator));
  }
  return data;
}

// All outputs and the last state, one after the other, as a check reads them; and what went in.
struct Recording {
  Var y;
  std::vector<Var> inputs;
};

template <class Unrolled> Recording record(Tape& tape, const Unrolled& unrolled, const std::vector<Array>& arrays) {
  Recording recording;
  for (const Array& array : arrays) recording.inputs.push_back(tape.input(array));
  auto [results, last] = unrolled(recording.inputs[0], std::span<const Var>(recording.inputs).subspan(1));
  results.insert(results.end(), last.begin(), last.end());
  recording.y = detail::flattened(results);
  return recording;
}

// The gradients of <u, y> by every leaf, u random; zeros where none arrives.
std::map<std::string, Array> gradients_of(const Recording& recording, const std::vector<Parameter>& parameters,
                                          const Data& data) {
  Generator generator(9);
  const Gradients gradients = backward(recording.y, {.cotangent = random_array(recording.y.shape(), generator)});
  std::map<std::string, Array> result;
  const auto keep = [&](const std::string& name, const auto& leaf) {
    result[name] = gradients.contains(leaf) ? gradients[leaf].copy() : Array(leaf.shape(), DType::f64);
  };
  for (const Parameter& p : parameters) keep(short_name(p), p);
  for (std::size_t i = 0; i < data.names.size(); ++i) keep(data.names[i], recording.inputs[i]);
  return result;
}

template <class Runnable> std::map<std::string, Array> solve_with(const Runnable& runnable, const Data& data) {
  Tape tape;
  return gradients_of(record(tape, runnable.unrolled, data.arrays), runnable.parameters, data);
}

// The leaves whose gradients differ by more than so much anywhere, in the order of the alphabet, with a space between.
std::string differing(const std::map<std::string, Array>& found, const std::map<std::string, Array>& expected,
                      double tolerance) {
  std::string names;
  for (const auto& [name, gradient] : expected)
    if (!close(found.at(name), gradient, tolerance, tolerance)) names += (names.empty() ? "" : " ") + name;
  return names;
}

bool same(const std::map<std::string, Array>& a, const std::map<std::string, Array>& b) {
  return std::all_of(a.begin(), a.end(), [&](const auto& entry) { return same_bits(entry.second, b.at(entry.first)); });
}

Reference reference_of(const Animal& animal, const Specimen& specimen) {
  return zoo_references().at(animal.name)(specimen);
}

// The names of the animals that have a property.
template <class Property> std::set<std::string> animals_that(const Property& property) {
  std::set<std::string> names;
  for (const Animal& animal : zoo())
    if (property(animal)) names.insert(animal.name);
  return names;
}

bool written_by_hand(const Animal& animal) {
  const Specimen specimen = animal.specimen();
  Tape tape;
  record(tape, specimen.unrolled, data_for(specimen, 2).arrays);
  for (NodeId id = 0; id < tape.size(); ++id)
    if (custom_part(tape, id)) return true;
  return false;
}

// Which leaves go wrong over one step, and over three.
struct Wrong {
  std::string once, thrice;
};

const std::map<std::string, Wrong>& wrong_leaves() {
  const std::string all = "W_h W_x b h0 x", with_c = "W_h W_x b c0 h0 x";
  static const std::map<std::string, Wrong> leaves{
      {"tanh-unit", {all, all}},
      {"recurrent-product", {"h0", all}},
      {"square-rnn", {"W_x", "W_x"}},
      {"concatenated-rnn", {"b", "b"}},
      {"elman-readout", {"W_y", "W_y"}},
      {"minimal-rnn", {"h0", all}},
      {"irnn", {"W_h", "W_h"}},
      {"leaky-integrator", {"leak", "leak"}},
      {"multiplicative-rnn", {"U_m h0", "U_m W_h W_m W_x b h0 x"}},
      {"position-table-rnn", {"E", "E"}},
      {"memory-reader", {"M h0", "M W_h W_x b h0 x"}},
      {"layer-norm-rnn", {"W_h W_x h0 x", "W_h W_x b g h0 x"}},
      {"gru-mix", {all, all}},
      {"reset-before-gru", {"h0", all}},
      {"reset-after-gru", {"W_h W_x b b_h h0 x", "W_h W_x b b_h h0 x"}},
      {"minimal-gated-unit", {all, all}},
      {"lstm-gates", {all, with_c}},
      {"lstm-cell-update", {"c0", with_c}},
      {"coupled-lstm", {"c0", with_c}},
      {"four-gate-lstm", {"h0", "U_f U_g U_i U_o W_f W_g W_i W_o b_f b_g b_i b_o c0 h0 x"}},
      {"peephole-lstm", {"p_o", "p_o"}},
      {"concatenated-lstm", {"W b c0 h0 x", "W b c0 h0 x"}},
      {"lstm-1997", {"W_x W_y b c0 x y0", "W_x W_y b c0 x y0"}},
      {"fused-sequence-rnn", {"h0", "h0"}},
      {"one-gemm-rnn", {"W_h", "W_h"}},
      {"independent-rnn", {"", "w"}},
      {"clockwork-rnn", {all, all}},
      {"bidirectional-rnn", {"", "V_h V_x backward.h0 c x"}},
      {"compact-lstm", {"c0", with_c}},
      {"steady-gru", {"h0", all}},
      {"long-sequence-rnn", {"", all}},
      {"padded-batch-rnn", {"", all}},
      {"clipped-weights-rnn", {"W_h", "W_h"}},
      {"recurrent-dropout", {"", all}},  // its first mask is the right one
      {"noisy-rnn", {"", ""}},           // each run by itself is right
      {"square-root-rnn", {all, all}},
  };
  return leaves;
}

}  // namespace

TEST_CASE("the zoo lists every file of its folder once, each with a cause and a fault that the file does not tell") {
  namespace fs = std::filesystem;
  const fs::path root = UNROLL_SOURCE_DIR;
  std::set<std::string> names, files;
  std::set<Cause> causes;
  for (const Animal& animal : zoo()) {
    INFO(animal.name);
    CHECK(names.insert(animal.name).second);
    CHECK(animal.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
    CHECK(animal.cause != Cause::unknown);
    CHECK(animal.fault.ends_with('.'));
    REQUIRE(fs::is_regular_file(root / animal.source));
    const std::string text = read_file("../" + animal.source);
    CHECK(text.find(animal.fault) == std::string::npos);
    CHECK(text.find("_term") == std::string::npos);
    files.insert(animal.source);
    causes.insert(animal.cause);
  }
  CHECK(zoo().size() >= 24);
  CHECK(causes.size() >= 12);
  for (const auto& entry : fs::directory_iterator(root / "examples/zoo"))
    if (entry.path().extension() == ".cpp" && entry.path().filename() != "zoo.cpp")
      CHECK(files.contains("examples/zoo/" + entry.path().filename().string()));
}

TEST_CASE("an animal is found by its name") {
  CHECK(unroll::zoo::find("gru-mix").source == "examples/zoo/gru_mix.cpp");
  CHECK(message([] {
          unroll::zoo::find("unicorn");
        }).starts_with("no animal of the zoo is named unicorn: there are tanh-unit, recurrent-product, "));
}

TEST_CASE("specimens of the zoo are equal and share nothing, and have float64 parameters without zeros") {
  for (const Animal& animal : zoo()) {
    INFO(animal.name);
    const Specimen one = animal.specimen(), other = animal.specimen();
    REQUIRE(one.parameters.size() == other.parameters.size());
    for (std::size_t i = 0; i < one.parameters.size(); ++i) {
      const Parameter &p = one.parameters[i], &q = other.parameters[i];
      CHECK(p.dtype() == DType::f64);
      CHECK(!(p == q));
      CHECK(same_bits(p.value(), q.value()));
      for (std::size_t k = 0; k < p.size(); ++k) CHECK(p.value().flat(k) != 0);
    }
  }
}

TEST_CASE("every animal of the zoo computes what the library's layer or the plain equations compute") {
  for (const Animal& animal : zoo())
    for (const std::int64_t steps : {1, 4}) {
      INFO(animal.name, " over ", steps, " steps");
      const Specimen specimen = animal.specimen();
      const Reference reference = reference_of(animal, specimen);
      const Data data = data_for(specimen, steps);
      Tape tape, other;
      const Var expected = record(other, reference.unrolled, data.arrays).y;
      CHECK(close(record(tape, specimen.unrolled, data.arrays).y.value(), expected.value(), 1e-13, 1e-12));
    }
}

TEST_CASE(
    "the gradients of every animal of the zoo are wrong by the leaves that its fault reaches, and right by the "
    "others") {
  for (const Animal& animal : zoo())
    for (const std::int64_t steps : {1, 3}) {
      INFO(animal.name, " over ", steps, " steps");
      const Specimen specimen = animal.specimen();
      const Reference reference = reference_of(animal, specimen);
      const Data data = data_for(specimen, steps);
      const auto expected = solve_with(reference, data), found = solve_with(specimen, data);
      const Wrong& wrong = wrong_leaves().at(animal.name);
      CHECK(differing(found, expected, 1e-11) == (steps == 1 ? wrong.once : wrong.thrice));
      CHECK(differing(found, expected, 1e-4) == (steps == 1 ? wrong.once : wrong.thrice));
    }
}

TEST_CASE("forward mode agrees with differences for every animal of the zoo whose backward is written by hand") {
  const std::set<std::string> by_library{"compact-lstm",        "steady-gru", "long-sequence-rnn", "padded-batch-rnn",
                                         "clipped-weights-rnn", "noisy-rnn",  "square-root-rnn"};
  CHECK(animals_that([](const Animal& animal) { return !written_by_hand(animal); }) == by_library);
  for (const Animal& animal : zoo()) {
    if (by_library.contains(animal.name)) continue;
    INFO(animal.name);
    const Specimen specimen = animal.specimen();
    std::vector<Array> at = data_for(specimen, 3).arrays, directions;
    const std::size_t inputs = at.size();
    for (const Parameter& p : specimen.parameters) at.push_back(p.value().copy());
    Generator generator(6);
    for (const Array& array : at) directions.push_back(random_array(array.shape(), generator));

    const auto set = [&](const std::vector<Array>& values) {
      for (std::size_t i = inputs; i < values.size(); ++i) Parameter(specimen.parameters[i - inputs]).assign(values[i]);
      return std::vector<Array>(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(inputs));
    };
    const Program program = [&](const std::vector<Array>& values) {
      Tape tape;
      return record(tape, specimen.unrolled, set(values)).y.value().copy();
    };
    // The error falls with the square of the step, and layer normalisation over three units bends sharply.
    const Array expected = numeric_tangent(program, at, directions, 1e-6);
    Tape tape;
    const Recording recording = record(tape, specimen.unrolled, set(at));
    std::vector<Tangent> tangents;
    for (std::size_t i = 0; i < at.size(); ++i)
      tangents.push_back({i < inputs ? recording.inputs[i] : tape.use(specimen.parameters[i - inputs]), directions[i]});
    CHECK(close(jvp(recording.y, tangents).value(), expected, 1e-8, 1e-8));
  }
}

TEST_CASE("the check finds every animal of the zoo, and names the cause of its fault") {
  for (const Animal& animal : zoo()) {
    const GradcheckReport report = animal.check();
    INFO(animal.name, ": ", to_string(report));
    CHECK(!report.passed);
    REQUIRE(report.diagnosis.has_value());
    CHECK(std::string(to_string(report.diagnosis->cause)) == to_string(animal.cause));
  }
}

TEST_CASE("the diagnosis of an animal names the gate, the state or the value that the fault is about") {
  const auto summary = [](const char* name) { return unroll::zoo::find(name).check().diagnosis->summary; };
  CHECK(summary("four-gate-lstm") == "the term to h_(t-1) through o is missing");
  CHECK(summary("lstm-cell-update").starts_with("nothing is handed back to c_(t-1), at any step"));
  CHECK(summary("peephole-lstm") == "the gradient to lstm.p_o through o is multiplied with c_(t-1) instead of c");
  CHECK(summary("gru-mix") == "z and 1 - z are exchanged where the gradient is multiplied with them");
  CHECK(summary("recurrent-product") == "rnn.W_h is taken for its transpose in the term to h_(t-1) through h");
  CHECK(summary("lstm-gates").starts_with("the factor o (1 - o) is missing"));
  CHECK(summary("clipped-weights-rnn").starts_with("the program changes rnn.W_h as it runs"));
}

TEST_CASE(
    "one animal of the zoo is another function at every run, and one gives other gradients at every backward pass") {
  CHECK(animals_that([](const Animal& animal) {
          const Specimen specimen = animal.specimen();
          const Data data = data_for(specimen, 3);
          Tape tape, again;
          const Var y = record(tape, specimen.unrolled, data.arrays).y;
          return !same_bits(y.value(), record(again, specimen.unrolled, data.arrays).y.value());
        }) == std::set<std::string>{"noisy-rnn"});
  CHECK(animals_that([](const Animal& animal) {
          if (animal.cause == Cause::nonfinite) return false;
          const Specimen specimen = animal.specimen();
          const Data data = data_for(specimen, 1);
          Tape tape;
          const Recording recording = record(tape, specimen.unrolled, data.arrays);
          const auto first = gradients_of(recording, specimen.parameters, data);
          return !same(first, gradients_of(recording, specimen.parameters, data));
        }) == std::set<std::string>{"recurrent-dropout"});
}

TEST_CASE("one animal of the zoo changes its own parameters, and one gives gradients that are no numbers") {
  CHECK(animals_that([](const Animal& animal) {
          const Specimen specimen = animal.specimen();
          const std::vector<Parameter> before = copies(specimen);
          Tape tape;
          record(tape, specimen.unrolled, data_for(specimen, 3).arrays);
          return !std::equal(before.begin(), before.end(), specimen.parameters.begin(),
                             [](const Parameter& p, const Parameter& q) { return same_bits(p.value(), q.value()); });
        }) == std::set<std::string>{"clipped-weights-rnn"});
  CHECK(animals_that([](const Animal& animal) {
          const Specimen specimen = animal.specimen();
          const auto gradients = solve_with(specimen, data_for(specimen, 3));
          return std::any_of(gradients.begin(), gradients.end(),
                             [](const auto& entry) { return !std::isfinite(dot(entry.second, entry.second)); });
        }) == std::set<std::string>{"square-root-rnn"});
}

}  // namespace unroll::test
