#include "command.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/stack.hpp>
#include <unroll/layers/textbook.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <fmt/format.h>

// What `unroll render` can be told about the drawing, and about the network that it draws.

namespace unroll::test {

namespace {

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The drawing as data.
Json drawn(const std::vector<std::string>& arguments) {
  const Result result = run(with({"render"}, with(arguments, {"--output", "-", "--format", "json"})));
  REQUIRE_MESSAGE(result.status == 0, result.err);
  return result.json();
}

std::string svg(const std::vector<std::string>& arguments) {
  const Result result = run(with({"render"}, with(arguments, {"--output", "-"})));
  REQUIRE_MESSAGE(result.status == 0, result.err);
  return result.out;
}

std::map<std::string, int> looks(const Json& drawing) {
  std::map<std::string, int> count;
  for (const Json& node : drawing["nodes"]) ++count[node["look"].get<std::string>()];
  return count;
}

int step_frames(const Json& drawing) {
  int count = 0;
  for (const Json& frame : drawing["frames"]) count += frame["kind"] == "step";
  return count;
}

int frames_named(const Json& frames, const std::string& label) {
  int count = 0;
  for (const Json& frame : frames) count += (frame["label"] == label) + frames_named(frame["inner"], label);
  return count;
}

// What the command is to draw, recorded here: a stack of two textbook LSTMs with peepholes and the weights of seed 1.
Var two_layers(Tape& tape) {
  Generator generator(1);
  const unroll::LSTM lower({.input = 2, .hidden = 3, .peepholes = true, .name = "lstm1", .dtype = DType::f64},
                           generator);
  const unroll::LSTM upper({.input = 3, .hidden = 3, .peepholes = true, .name = "lstm2", .dtype = DType::f64},
                           generator);
  const Stack stack({AnyCell(textbook::LSTM(lower)), AnyCell(textbook::LSTM(upper))});
  std::vector<Var> xs;
  for (std::int64_t t = 1; t <= 2; ++t) {
    const Step step(tape, t);
    xs.push_back(tape.input(normal({1, 2}, 1, generator, DType::f64), "x"));
  }
  return mean(square(over_time(stack, xs, stack.zero_state(tape, 1)).outputs.back())).named("L");
}

}  // namespace

TEST_CASE("unroll render: the drawing is that of the C++ interface with the same options") {
  Tape tape;
  const Var loss = two_layers(tape);
  const Gradients gradients = backward(loss, {.keep = Keep::all, .flows = true});
  const RenderOptions options{.level = Level::gates,
                              .gradients = &gradients,
                              .values = ValueView::statistics,
                              .theme = Theme::dark,
                              .title = "two <layers>"};
  CHECK(svg({"lstm", "--layers", "2", "--peepholes", "--steps", "2", "--level", "gates", "--gradients", "--values",
             "statistics", "--theme", "dark", "--title", "two <layers>"}) == render(tape, options));
}

TEST_CASE("unroll render: the backward pass is measured before it is recorded, and drawn with the forward gradients") {
  Tape tape;
  const Var loss = two_layers(tape);
  const Gradients gradients = backward(loss, {.keep = Keep::all, .flows = true});
  static_cast<void>(backward(loss, {.create_graph = true}));
  const std::vector<std::string> network{"lstm", "--layers", "2", "--peepholes", "--steps", "2", "--gradients"};
  const RenderOptions below{.gradients = &gradients, .backward = BackwardView::below};
  CHECK(svg(with(network, {"--backward"})) == render(tape, below));
}

TEST_CASE("unroll render: levels go from operations to the folded network") {
  const auto boxes = [](const std::string& level) {
    return drawn({"lstm", "--steps", "3", "--level", level})["nodes"].size();
  };
  CHECK(drawn({"lstm"}) == drawn({"lstm", "--level", "ops", "--steps", "3"}));
  CHECK(looks(drawn({"lstm", "--level", "gates"}))["gate"] == 12);
  CHECK(looks(drawn({"lstm", "--level", "cells"}))["cell"] == 3);
  CHECK(looks(drawn({"lstm", "--level", "folded"}))["cell"] == 1);
  CHECK(boxes("ops") > boxes("gates"));
  CHECK(boxes("gates") > boxes("cells"));
  CHECK(boxes("cells") > boxes("folded"));
}

TEST_CASE("unroll render: collapse and budget leave out steps, and none draws them all") {
  CHECK(step_frames(drawn({"rnn", "--steps", "9"})) == 9);
  const Json collapsed = drawn({"rnn", "--steps", "9", "--collapse", "2"});
  CHECK(step_frames(collapsed) == 5);  // two, one for those between, two
  CHECK(looks(collapsed)["gap"] >= 1);
  const Json few = drawn({"rnn", "--steps", "40", "--budget", "60"});
  CHECK(few["nodes"].size() <= 60);
  REQUIRE(few["notes"].size() == 1);
  CHECK(few["notes"][0].get<std::string>().find("the limit is 60") != std::string::npos);
  CHECK(step_frames(drawn({"rnn", "--steps", "40", "--budget", "none"})) == 40);
}

TEST_CASE("unroll render: what was left out is said, on the terminal and as JSON") {
  const Folder folder;
  const std::vector<std::string> arguments{"render",   "rnn", "--steps",  "40",
                                           "--budget", "60",  "--output", folder.file("a.svg")};
  const Result text = run(arguments);
  CHECK(text.out.starts_with(folder.file("a.svg") + ": rnn of "));
  CHECK(text.out.find("\n  note: Too large to read") != std::string::npos);
  const Json json = run(with(arguments, {"--json"})).json();
  CHECK(keys(json) == Keys{"nodes", "drawings"});
  REQUIRE(json["drawings"].size() == 1);
  CHECK(keys(json["drawings"][0]) == Keys{"output", "boxes", "notes"});
  const Json few = drawn({"rnn", "--steps", "40", "--budget", "60"});
  CHECK(json["drawings"][0]["boxes"] == few["nodes"].size());
  CHECK(json["drawings"][0]["notes"] == few["notes"]);
}

TEST_CASE("unroll render: weights as boxes, values, themes and a title") {
  CHECK(looks(drawn({"rnn"}))["parameter"] == 0);
  CHECK(looks(drawn({"rnn", "--parameters", "nodes"}))["parameter"] == 3);
  CHECK(svg({"rnn"}) == svg({"rnn", "--values", "shapes", "--theme", "light", "--parameters", "labels"}));
  CHECK(svg({"rnn"}).find("(1, 3)") != std::string::npos);
  const auto texts = [](const std::string& values) {
    const Json drawing = drawn({"rnn", "--values", values});
    std::string all;
    for (const Json& node : drawing["nodes"]) all += node["text"].dump();
    return all;
  };
  CHECK(texts("none").find("(1, 3)") == std::string::npos);
  CHECK(texts("shapes").find("(1, 3)") != std::string::npos);
  CHECK(texts("statistics") != texts("shapes"));
  CHECK(texts("numbers") != texts("statistics"));
  const std::string light = svg({"rnn"}), dark = svg({"rnn", "--theme", "dark"}),
                    print = svg({"rnn", "--theme", "print"});
  CHECK(light != dark);
  CHECK(dark != print);
  CHECK(light != print);
  CHECK(svg({"rnn", "--title", "A & B"}).find("A &amp; B") != std::string::npos);
}

TEST_CASE("unroll render: contributions of one parameter, by its whole name or its last part") {
  const Json drawing = drawn({"lstm", "--steps", "4", "--contributions", "W_f"});
  CHECK(drawing["has_gradients"] == true);
  REQUIRE(drawing["bars"].size() == 4);
  double shares = 0;
  for (const Json& bar : drawing["bars"]) shares += bar["share"].get<double>();
  CHECK(shares == doctest::Approx(1).epsilon(1e-3));
  CHECK(drawn({"lstm", "--steps", "4", "--contributions", "lstm.W_f"}) == drawing);
  CHECK(drawn({"lstm", "--steps", "4", "--contributions", "W_i"}) != drawing);
  const Json with_backward = drawn({"lstm", "--steps", "4", "--contributions", "W_f", "--backward"});
  REQUIRE(with_backward["bars"].size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    for (const char* key : {"step", "norm", "share"}) CHECK(with_backward["bars"][i][key] == drawing["bars"][i][key]);

  const auto refused = [](const std::vector<std::string>& arguments) {
    return refusal(with({"render"}, with(arguments, {"--output", "-"})));
  };
  CHECK(refused({"rnn", "--contributions", "W_f"}) ==
        "unroll render: --contributions: there is no parameter W_f: choose rnn.W_x, rnn.W_h or rnn.b");
  CHECK(refused({"rnn", "--layers", "2", "--contributions", "b"}) ==
        "unroll render: --contributions: several layers have a b: choose rnn1.b or rnn2.b");
  CHECK(drawn({"rnn", "--layers", "2", "--contributions", "rnn2.b"})["bars"].size() == 3);
}

TEST_CASE("unroll render and list: layers, both directions and peepholes") {
  for (const std::string cell : {"rnn", "lstm", "gru"}) {
    CAPTURE(cell);
    const Json stack = drawn({cell, "--layers", "2", "--steps", "2", "--level", "cells"});
    CHECK(looks(stack)["cell"] == 4);
    const Json both = drawn({cell, "--bidirectional", "--steps", "2", "--level", "cells"});
    CHECK(frames_named(both["frames"], cell + "_forward") == 2);
    CHECK(frames_named(both["frames"], cell + "_backward") == 2);
    for (const std::vector<std::string>& packed : std::vector<std::vector<std::string>>{{}, {"--packed"}}) {
      const std::string listed =
          run(with({"list", cell, "--layers", "2", "--bidirectional", "--steps", "2"}, packed)).out;
      for (const char* layer : {"1_forward.h_2", "1_backward.h_2", "2_forward.h_1", "2_backward.h_1"})
        CHECK_MESSAGE(listed.find(" " + cell + layer) != std::string::npos, layer);
      CHECK((listed.find("affine") != std::string::npos) == !packed.empty());
    }
  }
  CHECK(run({"list", "lstm"}).out.find(" p_f ") == std::string::npos);
  CHECK(run({"list", "lstm", "--peepholes"}).out.find(" p_f ") != std::string::npos);
  CHECK(run({"list", "lstm", "--peepholes", "--packed"}).out.find(" p_f ") != std::string::npos);

  CHECK(refusal({"list", "gru", "--peepholes"}) == "unroll list: --peepholes: only an lstm has them");
  CHECK(refusal({"list", "rnn", "--bidirectional", "--truncate", "2"}) ==
        "unroll list: --truncate: not with --bidirectional, whose way back begins at the last step");
  CHECK(refusal({"list", "rnn", "--layers", "0"}) == "unroll list: --layers: 0 is not a whole number from 1 to 64");
}

TEST_CASE("unroll render: several files in one run, each in its format") {
  const Folder folder;
  std::vector<std::string> arguments{"render", "rnn", "--gradients", "--json"};
  Json files = Json::array();
  const std::map<std::string, std::string> starts{{"dot", "digraph"}, {"svg", "<svg"}, {"png", "\x89PNG"},
                                                  {"pdf", "%PDF"},    {"json", "{"},   {"html", "<!doctype html>"}};
  for (const auto& [suffix, start] : starts) {
    files.push_back(folder.file("new/a." + suffix));
    arguments = with(arguments, {"--output", folder.file("new/a." + suffix)});
  }
  const Json json = run(arguments).json();
  for (std::size_t i = 0; i < files.size(); ++i) CHECK(json["drawings"][i]["output"] == files[i]);
  for (const auto& [suffix, start] : starts) {
    const std::string name = suffix;  // a lambda of the macro takes no structured binding
    CAPTURE(name);
    CHECK(read_whole_file(folder.file("new/a." + suffix)).find(start) < 100);
    const Result piped = run({"render", "rnn", "--gradients", "--output", "-", "--format", suffix});
    CHECK(piped.out == read_whole_file(folder.file("new/a." + suffix)));
  }
}

TEST_CASE("unroll render: what it cannot draw is refused before a file is written") {
  const Folder folder;
  const std::string file = folder.file("no.svg");
  const auto refused = [&](const std::vector<std::string>& more) {
    const std::string said = refusal(with({"render", "lstm", "--output", file}, more));
    CHECK(!std::filesystem::exists(file));
    return said;
  };
  CHECK(refused({"--level", "atoms"}) == "unroll render: --level: atoms is not ops, gates, cells or folded");
  CHECK(refused({"--theme", ""}) == "unroll render: --theme: \"\" is not light, dark or print");
  CHECK(refused({"--values", "some"}) == "unroll render: --values: some is not none, shapes, statistics or numbers");
  CHECK(refused({"--parameters", "boxes"}) == "unroll render: --parameters: boxes is not labels or nodes");
  CHECK(refused({"--collapse", "-1"}) == "unroll render: --collapse: -1 is not a whole number from 0 to 100000");
  for (const std::string budget : {"0", "-4", "many", "1.5"})
    CHECK(refused({"--budget=" + budget}) ==
          "unroll render: --budget: " + budget + " is neither a whole number from 1 up nor none");
  CHECK(refused({"--format", "svg"}) == "unroll render: --format: only with --output -: of a file, the suffix says it");
  CHECK(refused({"--output", "-", "--json"}) ==
        "unroll render: --json: not with --output -: both write to standard output");
  CHECK(refused({"--output", "-", "--output", "-"}) == "unroll render: --output: - was given twice");
  CHECK(refused({"--output", "-", "--format", "gif"}) ==
        "unroll render: --format: gif is not dot, svg, png, pdf, json or html");
  CHECK(
      refused({"--output", "a.gif"}) ==
      "unroll render: --output: a.gif does not end in .dot, .svg, .png, .pdf, .json or .html, which says what to draw");
  CHECK(refused({"--contributions", "nothing"}).find("there is no parameter nothing") != std::string::npos);
  CHECK(refusal({"render", "lstm"}) == "unroll render: --output is required");
}

TEST_CASE("unroll render: a drawing that does not arrive on standard output is an error") {
  if (!std::filesystem::exists("/dev/full")) return;
  const std::string command = quoted(UNROLL_COMMAND) + " render rnn --output - > /dev/full 2> /dev/null";
  CHECK(WEXITSTATUS(std::system(command.c_str())) == 2);
}

}  // namespace unroll::test
