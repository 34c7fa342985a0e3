#include "fit_support.hpp"

#include <unroll/core/array/safetensors.hpp>
#include <unroll/optim/early_stopping.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

// Saves of a training: an interrupted one goes on to the same bits, and what is no save of this training is refused.

namespace unroll::test {

namespace {

struct Killed {};

// Ends a training as a kill does: nothing of it goes on after this update, not even the save of it.
FitCallback kill_after(std::int64_t update) {
  return [=](const FitState& state) -> bool {
    if (state.update == update) throw Killed{};
    return true;
  };
}

const std::vector<std::pair<std::string, MakeOptimizer>> rules{
    {"SGD", [](const auto& p) { return std::make_unique<SGD>(p, SGDOptions{.learning_rate = 0.1, .momentum = 0.9}); }},
    {"RMSprop", [](const auto& p) { return std::make_unique<RMSprop>(p); }},
    {"Adagrad", [](const auto& p) { return std::make_unique<Adagrad>(p); }},
    {"Adam", make_adam},
    {"AdamW", [](const auto& p) { return std::make_unique<AdamW>(p); }},
};

double falling(double x) { return 1 - x; }

// What a resumption with another task or other options says; "" if nothing.
std::string refusal(SmallTask& task, const FitOptions& options) {
  const std::string before = task.bits();
  try {
    task.train(options);
  } catch (const FileError& e) {
    CHECK(task.bits() == before);  // nothing was changed
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("fit saves: a training that is killed after any update goes on to the bits of one that was not") {
  const TemporaryFolder folder("unroll-fit-any");
  for (const auto& [name, make] : rules) {
    const std::string rule = name;
    INFO(rule);
    SmallTask whole(7, make);
    const FitResult expected = whole.train({.clip = 0.3, .schedule = falling});
    const bool thorough = rule == "Adam";
    for (std::int64_t k = thorough ? 1 : 8; k <= (thorough ? 12 : 8); ++k)
      for (const std::int64_t every : {1, 5}) {
        CAPTURE(k);
        CAPTURE(every);
        const FitOptions options{
            .clip = 0.3, .schedule = falling, .save = folder / "save.safetensors", .save_every = every};
        std::filesystem::remove(options.save);
        SmallTask killed(7, make);
        FitOptions with_kill = options;
        with_kill.callbacks = {kill_after(k)};
        CHECK_THROWS_AS(killed.train(with_kill), Killed);

        SmallTask resumed(7, make);
        const FitResult result = resumed.train(options);
        CHECK(result.resumed_from == (k - 1) / every * every);
        CHECK(resumed.bits() == whole.bits());
        CHECK(result.update == 12);
        CHECK(result.loss == expected.loss);
        CHECK(result.mean_loss == expected.mean_loss);
      }
  }
}

TEST_CASE("fit saves: a training that was stopped by a callback is saved and goes on from there") {
  const TemporaryFolder folder("unroll-fit-stop");
  SmallTask whole(7), stopped(7), resumed(7);
  whole.train({});
  FitOptions options{.save = folder / "save", .save_every = 100};
  options.callbacks = {[](const FitState& state) { return state.update != 5; }};
  CHECK(stopped.train(options).end == FitEnd::stopped);
  const FitResult result = resumed.train(options);
  CHECK(result.resumed_from == 5);
  CHECK(resumed.bits() == whole.bits());
}

TEST_CASE("fit saves: a training that is done is read and not trained again") {
  const TemporaryFolder folder("unroll-fit-done");
  const FitOptions options{.save = folder / "save"};
  SmallTask first(7), again(7);
  const FitResult done = first.train(options), read = again.train(options);
  CHECK(read.resumed_from == 12);
  CHECK(read.loss == done.loss);
  CHECK(again.bits() == first.bits());
}

TEST_CASE("fit saves: what callbacks remember is put back") {
  const TemporaryFolder folder("unroll-fit-numbers");
  double number = 0.1;
  FitOptions options{.save = folder / "save"};
  options.memory.numbers = {{"best", &number}};
  options.callbacks = {[&](const FitState&) {
    number /= 3;
    return true;
  }};
  SmallTask first(7), again(7);
  first.train(options);
  const double left = number;
  number = -1;
  again.train(options);
  CHECK(number == left);
}

TEST_CASE("fit saves: the save of another training is refused and nothing is changed") {
  const TemporaryFolder folder("unroll-fit-foreign");
  const FitOptions options{.save = folder / "save", .fingerprint = "data 1"};
  SmallTask(7).train(options);
  const std::string file = options.save.string();
  const std::string advice =
      ". Go on with the program and the options that made it, or name another file (or delete this one) to begin anew";

  SmallTask other(8);
  FitOptions changed = options;
  changed.fingerprint = "data 2";
  CHECK(refusal(other, changed) == file +
                                       ": the save of another training: its fingerprint is \"data 1\", here it is "
                                       "\"data 2\"" +
                                       advice);
  changed = options;
  changed.updates = 11;
  CHECK(refusal(other, changed) ==
        file + ": the save of another training: it has done 12 updates, and 11 are planned here" + advice);
  SmallTask larger(7, make_adam, 5);
  CHECK(refusal(larger, options) == file +
                                        ": the save of another training: its parameter lstm.W_x has shape (2, 16) in "
                                        "float32, here it has (2, 20) in float32" +
                                        advice);
  SmallTask other_rule(7, rules[4].second);
  CHECK(refusal(other_rule, options) ==
        file + ": the save of another training: its optimizer is \"Adam\", here it is \"AdamW\"" + advice);

  double number = 0;
  changed = options;
  changed.memory.numbers = {{"best", &number}};
  CHECK(refusal(other, changed) == file + ": the save of another training: it has no number best" + advice);
  Generator generator(1);
  changed = options;
  changed.memory.generators = {{"order", &generator}};
  CHECK(refusal(other, changed) == file + ": the save of another training: it has no generator order" + advice);
  CarriedState state;
  changed = options;
  changed.memory.states = {{"gru", &state}};
  CHECK(refusal(other, changed) == file + ": the save of another training: it has no state gru" + advice);

  // and a save that holds more than the training has
  changed = options;
  changed.save = folder / "more";
  changed.memory.numbers = {{"best", &number}};
  SmallTask(7).train(changed);
  changed.memory.numbers.clear();
  CHECK(refusal(other, changed) ==
        (folder / "more").string() + ": the save of another training: it has number best, which is not here" + advice);
}

TEST_CASE("fit saves: a damaged save is refused wherever the damage is") {
  const TemporaryFolder folder("unroll-fit-damaged");
  const FitOptions options{.save = folder / "save"};
  SmallTask(7).train(options);
  const std::string bytes = read_whole_file(options.save);
  SmallTask task(7);
  int refused = 0, tried = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 101) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_whole_file(options.save, damaged);
    CAPTURE(at);
    const std::string message = refusal(task, options);
    CHECK(message.starts_with(options.save.string() + ": "));
    ++tried;
    refused += !message.empty();
  }
  CHECK(refused == tried);
  CHECK(tried > 50);
  for (const std::size_t length : {std::size_t{0}, std::size_t{5}, bytes.size() / 2, bytes.size() - 1}) {
    write_whole_file(options.save, bytes.substr(0, length));
    CHECK(!refusal(task, options).empty());
  }
  std::string flipped = bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 64);
  write_whole_file(options.save, flipped);
  CHECK(refusal(task, options) == options.save.string() +
                                      ": damaged: its bytes are not those that were written. Put a copy in its place, "
                                      "or delete it to begin anew");
}

TEST_CASE("fit saves: a file that is no save is refused by its kind") {
  const TemporaryFolder folder("unroll-fit-kind");
  const FitOptions options{.save = folder / "save"};
  SmallTask task(7);
  save_safetensors(options.save, {{{"w", Array({1}, {1.0})}}, {}});
  CHECK(refusal(task, options) ==
        options.save.string() + ": a safetensors file, but no save of a training: name another file for the saves");
  save_safetensors(options.save, {{{"w", Array({1}, {1.0})}}, {{"format", "unroll-training-9"}}});
  CHECK(refusal(task, options) ==
        options.save.string() +
            ": its format is \"unroll-training-9\", and this version of unroll reads \"unroll-training-1\"");
  write_whole_file(options.save, "hello, world");
  CHECK(refusal(task, options).find("not a safetensors file") != std::string::npos);
  FitOptions unwritable;
  unwritable.save = folder / "";
  CHECK(refusal(task, unwritable).find("this is the name of a folder") != std::string::npos);
}

TEST_CASE("fit saves: parameters of one name are kept apart") {
  const TemporaryFolder folder("unroll-fit-names");
  const FitOptions options{.updates = 3, .save = folder / "save"};
  const auto train = [&](const Parameter& a, const Parameter& b) {
    SGD sgd({a, b}, {.learning_rate = 0.25, .momentum = 0.5});
    fit([&](Tape& tape, std::int64_t) { return sum(square(tape.use(a)) + tape.use(b)); }, sgd, options);
  };
  const Parameter a("w", Array({1}, {1.0})), b("w", Array({1}, {2.0}));
  train(a, b);
  const Parameter a2("w", Array({1}, {0.0})), b2("w", Array({1}, {0.0}));
  train(a2, b2);
  CHECK(same_bits(a2.value(), a.value()));
  CHECK(same_bits(b2.value(), b.value()));
  CHECK(a2.value().item() != b2.value().item());
}

TEST_CASE("fit saves: parameters that a step made infinite are not saved") {
  const TemporaryFolder folder("unroll-fit-infinite");
  const Parameter w("w", Array({1}, {1.0}, DType::f32));
  SGD sgd({w}, {.learning_rate = 1});
  const FitOptions options{.updates = 4,
                           .schedule = [](double x) { return x < 0.5 ? 0.25 : 1e39; },
                           .save = folder / "save",
                           .save_every = 1};
  const FitLoss loss = [&](Tape& tape, std::int64_t) { return sum(square(tape.use(w))); };
  CHECK_THROWS_WITH_AS(fit(loss, sgd, options),
                       "update 3: the step of SGD made an element of parameter w -inf, though its gradient was finite: "
                       "the learning rate is too large",
                       NonFiniteError);
  CHECK(w.value().at({0}) == 0.25F);  // after two good updates, each of which halves it
  const SafeTensors saved = load_safetensors(options.save);
  CHECK(saved.metadata.at("update") == "2");
  CHECK(saved.find("parameter w")->flat(0) == 0.25);
}

TEST_CASE("fit saves: a training that is over stays over when it is resumed") {
  const TemporaryFolder folder("unroll-fit-over");
  const Parameter w("w", Array({1}, {1.0}, DType::f32));
  const FitLoss loss = [&](Tape& tape, std::int64_t) { return sum(square(tape.use(w))); };
  std::vector<double> ends;
  for (int run = 0; run < 3; ++run) {
    SGD sgd({w}, {.learning_rate = 0.1});
    EarlyStopping early({w}, [] { return 1.0; }, {.every = 1, .patience = 2});  // nothing ever gets better
    FitOptions options{.updates = 100, .save = folder / "save", .save_every = 1};
    early.add_to(options);
    const FitResult result = fit(loss, sgd, options);
    CHECK(result.end == FitEnd::stopped);
    CHECK(result.update == 3);
    ends.push_back(w.value().at({0}));
  }
  CHECK(ends[1] == ends[0]);
  CHECK(ends[2] == ends[0]);
}

TEST_CASE("fit saves: a learning rate that a callback changed is kept") {
  const TemporaryFolder folder("unroll-fit-rate");
  const auto run = [&](bool interrupt) {
    const Parameter w("w", Array({1}, {1.0}, DType::f32));
    const FitLoss loss = [&](Tape& tape, std::int64_t) { return sum(square(tape.use(w))); };
    for (const bool again : {false, true}) {
      if (again && !interrupt) break;
      SGD sgd({w}, {.learning_rate = 0.1});
      FitOptions options{.updates = 8, .save = folder / (interrupt ? "a" : "b"), .save_every = 1};
      options.callbacks = {[&](const FitState& state) {
        if (state.update == 3) sgd.learning_rate() = 0.05;
        return again || !interrupt || state.update < 5;
      }};
      fit(loss, sgd, options);
    }
    return w.value().at({0});
  };
  CHECK(run(true) == run(false));
}

TEST_CASE(
    "fit saves: things of one name, another number of updates under a schedule, and what is no file are refused") {
  const TemporaryFolder folder("unroll-fit-names");
  const Parameter w("w", Array({1}, {1.0}, DType::f32));
  const FitLoss loss = [&](Tape& tape, std::int64_t) { return sum(square(tape.use(w))); };
  SGD sgd({w}, {.learning_rate = 0.1});
  Generator a(1), b(2);
  CHECK(message([&] {
          fit(loss, sgd, {.updates = 1, .memory = {.generators = {{"noise", &a}, {"noise", &b}}}});
        }) == "fit: two things in the memory are named \"noise\": a save could not tell them apart");
  const FitOptions first{
      .updates = 4, .schedule = falling, .save = folder / "save", .memory = {.generators = {{"a", &a}}}};
  fit(loss, sgd, first);
  FitOptions longer = first, without = first;
  longer.updates = 6;
  without.memory = {};
  CHECK(message([&] { fit(loss, sgd, longer); }).find("its schedule is for 4 updates, and 6 are planned here") !=
        std::string::npos);
  CHECK(message([&] { fit(loss, sgd, without); }).find("it has generator a, which is not here") != std::string::npos);
  CHECK(message([&] { fit(loss, sgd, {.updates = 1, .save = "/dev/null"}); }) ==
        "/dev/null: not an ordinary file, which a save must be");
  CHECK(message([&] { fit(loss, sgd, {.updates = 1, .schedule = [](double) { return std::nan(""); }}); }) ==
        "fit: the schedule gave the factor nan before update 1");
}

TEST_CASE("a generator goes on from its text") {
  Generator generator(3);
  for (int i = 0; i < 400; ++i) {
    auto copy = Generator::from_text(generator.text());
    REQUIRE(copy.has_value());
    CHECK(*copy == generator);
    CHECK(copy->bits() == generator.bits());
  }
  const std::string text = generator.text();
  CHECK(!Generator::from_text(""));
  CHECK(!Generator::from_text("1 2 3"));
  CHECK(!Generator::from_text(text + " 1"));
  CHECK(!Generator::from_text(text.substr(text.find(' ') + 1)));
  CHECK(!Generator::from_text("x" + text));
  CHECK(!Generator::from_text(text.substr(0, text.rfind(' ')) + " 313"));  // a position beyond the state
}

}  // namespace unroll::test
