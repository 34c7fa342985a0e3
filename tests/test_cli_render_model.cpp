#include "command.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/listing.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/character_model.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <fmt/format.h>

// `unroll render` and `unroll list` of one's own trained model on one's own sentence.

namespace unroll::test {

namespace {

// A small model that knows the characters of these lines, and nothing else.
std::string trained(const Folder& folder, const std::vector<std::string>& more = {}) {
  const std::string text = folder.file("text", "the sea (of) \"stars\".\n밤 <바다> & it's\\\tthe sea, the sea.\n");
  std::vector<std::string> arguments{
      "train", "--text", text, "--hidden", "4", "--epochs", "2", "--save", folder.file("a.model")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  REQUIRE(run(arguments).status == 0);
  return folder.file("a.model");
}

// The same program, recorded here: the loss of the model, with these names for its inputs.
Var recorded(Tape& tape, const std::string& file, const std::u32string& text, const std::vector<std::string>& names) {
  const CharacterModel model = load_character_model(file);
  const auto steps = static_cast<std::int64_t>(names.size());
  CharacterModel::CarriedState state = model.zero_state(1);
  const TextWindow window = TextStreams(model.vocabulary.encode(text), 1, steps).window(0);
  REQUIRE(window.steps == steps);
  const Var loss = model.loss(tape, window, state).named("L");
  tape.var(tape.inputs(loss.id())[0]).named("y");
  NodeId id = 0;
  for (const std::string& name : names) {
    while (tape.name(id) != "x") ++id;
    tape.var(id).named(name);
  }
  return loss;
}

}  // namespace

TEST_CASE(
    "unroll list: a trained model on a sentence is the recorded model, with its inputs named by their characters") {
  const Folder folder;
  for (const std::vector<std::string>& form :
       std::vector<std::vector<std::string>>{{}, {"--cell", "gru", "--layers", "2"}}) {
    const std::string model = trained(folder, form);
    Tape tape;
    const Var loss =
        recorded(tape, model, U"the 밤.\n", {"'t'", "'h'", "'e'", "' '", "'밤'", "'.'"});  // the last one is predicted
    const Result forward = run({"list", "--model", model, "--text", "the 밤.\n"});
    INFO(forward.err);
    CHECK(forward.status == 0);
    CHECK(forward.out == listing(tape));
    CHECK(forward.out.find(" 'h'_2 ") != std::string::npos);
    static_cast<void>(backward(loss, {.create_graph = true}));
    CHECK(run({"list", "--model", model, "--text", "the 밤.\n", "--backward"}).out == listing(tape));
    const Json json = run({"list", "--model", model, "--text", "the 밤.\n", "--backward", "--json"}).json();
    CHECK(json["nodes"] == tape.size());
  }
}

TEST_CASE("unroll list: characters that cannot be seen are named by an escape, and a dot is not taken for a path") {
  const Folder folder;
  const std::string model = trained(folder);
  const std::string tape = run({"list", "--model", model, "--text", "\n\t\\'\"e"}).out;
  for (const char* name : {" '\\n'_1 ", " '\\t'_2 ", " '\\'_3 ", " '''_4 ", " '\"'_5 "})
    CHECK_MESSAGE(tape.find(name) != std::string::npos, name);
  const std::string equations = run({"list", "--model", model, "--text", "a.(a", "--equations"}).out;
  for (const char* line :
       {"\nz_2 = '.'_2 W_x + h_1 W_h + lstm.b\n", "\nd'.'_2 = dz_2 W_x^T\n", "\nd'('_3 = dz_3 W_x^T\n"})
    CHECK_MESSAGE(equations.find(line) != std::string::npos, line);

  const std::string text = folder.file("bell", "ab\x07 ab\x07 ab\x07 ");
  REQUIRE(run({"train", "--text", text, "--hidden", "2", "--epochs", "1", "--save", model}).status == 0);
  CHECK(run({"list", "--model", model, "--text", "\x07 a"}).out.find(" 'U+0007'_1 ") != std::string::npos);
}

TEST_CASE("unroll render: a trained model on a sentence, with the gradients of its loss") {
  const Folder folder;
  const std::string model = trained(folder), sentence = "a <&\"\\.sea";
  for (const auto& [suffix, start] :
       {std::pair{"dot", "digraph"}, {"svg", "<svg"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}}) {
    const std::string file = folder.file(std::string("drawing.") + suffix);
    const Result result =
        run({"render", "--model", model, "--text", sentence, "--gradients", "--backward", "--output", file});
    INFO(file, " ", result.err);
    CHECK(result.status == 0);
    CHECK(result.out.starts_with(file + ": " + model + " of "));
    CHECK(read_whole_file(file).starts_with(start));
  }
  const std::string file = folder.file("plain.svg");
  const Json json =
      run({"render", "--model", model, "--text", "the", "--gradients", "--output", file, "--json"}).json();
  Tape tape;
  const Var loss = recorded(tape, model, U"the", {"'t'", "'h'"});
  CHECK(json["nodes"] == tape.size());
  const Gradients gradients = backward(loss, {.keep = Keep::all});
  const std::string drawing = read_whole_file(file);
  int inputs = 0;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape[id].op->name != "gather") continue;
    ++inputs;
    const std::string norm = fmt::format("∇ {:.3g}", gradients.norm(tape.var(id)));
    CHECK_MESSAGE(drawing.find(norm) != std::string::npos, norm);
  }
  CHECK(inputs == 2);
}

TEST_CASE("unroll render and list: a model or a text that cannot be shown is refused, and no file is left") {
  const Folder folder;
  const std::string model = trained(folder), drawing = folder.file("no.svg");
  const auto said = [&](const std::string& file, const std::string& text) {
    const std::string of_list = refusal({"list", "--model", file, "--text", text});
    const std::string of_render = refusal({"render", "--model", file, "--text", text, "--output", drawing});
    CHECK(of_render.substr(std::string("unroll render").size()) == of_list.substr(std::string("unroll list").size()));
    CHECK(!std::filesystem::exists(drawing));
    return of_list;
  };
  CHECK(said(model, "the zoo") == "unroll list: the character 'z' (U+007A) is not among the 25 that the model knows");
  CHECK(said(model, "기차").find("the character '기' (U+AE30) is not among the ") != std::string::npos);
  CHECK(said(model, "t") ==
        "unroll list: the text has one character: at least 2 are needed, for the last one is only predicted");
  CHECK(said(model, "밤") ==
        "unroll list: the text has one character: at least 2 are needed, for the last one is only predicted");
  CHECK(said(model, "") ==
        "unroll list: the text has no characters: at least 2 are needed, for the last one is only predicted");
  CHECK(said(model, "th\xff") == "unroll list: the text is not UTF-8 text (byte 2 is not UTF-8)");
  const std::string missing = folder.file("missing");
  CHECK(said(missing, "the") == "unroll list: cannot read " + missing + ": No such file or directory");
  const std::string foreign = folder.file("text");
  CHECK(said(foreign, "the").starts_with("unroll list: " + foreign + ": "));

  CHECK(refusal({"list"}) == "unroll list: CELL or --model is required");
  CHECK(refusal({"list", "--model", model}) == "unroll list: --model requires --text");
  CHECK(refusal({"list", "rnn", "--text", "the"}) == "unroll list: --text requires --model");
  CHECK(refusal({"list", "lstm", "--model", model, "--text", "the"}) == "unroll list: CELL excludes --model");
  for (const std::string option : {"--steps", "--input", "--hidden", "--batch", "--truncate", "--seed"})
    CHECK(refusal({"list", "--model", model, "--text", "the", option, "2"}) ==
          "unroll list: " + option + " excludes --model");
  CHECK(refusal({"list", "--model", model, "--text", "the", "--packed"}) == "unroll list: --packed excludes --model");
  CHECK(refusal({"list", "--model", model, "--text", "the", "--reset", "after"}).find("--reset") != std::string::npos);
  CHECK(refusal({"render", "--output", drawing}) == "unroll render: CELL or --model is required");
}

}  // namespace unroll::test
