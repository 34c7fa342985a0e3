#include "command.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <sys/wait.h>
#include <unistd.h>

// Runs the built command, as a user would: what it prints, what it says where it cannot do what was asked, and its exit status.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;

// As it was when the tests began.
const std::string& path_before() {
  static const std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
  return path;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("unroll summary: the published parameter counts") {
  const auto count = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "summary");
    for (const char* argument : {"--input", "1", "--hidden", "10", "--json"}) arguments.emplace_back(argument);
    return run(arguments).json()["parameters"].get<int>();
  };
  CHECK(count({"rnn"}) == 120);
  CHECK(count({"lstm"}) == 480);
  CHECK(count({"gru"}) == 360);
  CHECK(count({"gru", "--reset", "before"}) == 360);
  CHECK(count({"GRU", "--reset", "after"}) == 390);
  CHECK(count({"lstm", "--layers", "2"}) == 480 + 4 * (21 * 10));
  CHECK(count({"lstm", "--bidirectional"}) == 960);
  CHECK(count({"rnn", "--bidirectional", "--layers", "2"}) == 240 + 2 * (20 + 10 + 1) * 10);
  CHECK(count({"lstm", "--projection", "4"}) == 4 * (1 * 10 + 4 * 10 + 10) + 10 * 4);
  CHECK(count({"lstm", "--projection", "4", "--layers", "2"}) == 280 + 4 * (4 * 10 + 4 * 10 + 10) + 10 * 4);
  CHECK(count({"rnn", "--layer-norm"}) == 130);
  CHECK(count({"lstm", "--layer-norm"}) == 580);
  CHECK(count({"gru", "--layer-norm"}) == 420);

  const Json json = run({"summary", "Lstm", "--input", "2", "--hidden", "3", "--json"}).json();
  CHECK(keys(json) == Keys{"layer", "parameters", "rows"});
  CHECK(json["layer"] == "lstm");
  CHECK(json["rows"].size() == 3);
  CHECK(json["rows"][0] == Json{{"name", "lstm.W_x"}, {"shape", {2, 12}}, {"parameters", 24}});

  const Result table = run({"summary", "lstm", "--input", "1", "--hidden", "10"});
  CHECK(table.status == 0);
  CHECK(table.out.find("lstm.W_h   (10, 40)         400") != std::string::npos);
  CHECK(table.out.find("480") != std::string::npos);
}

TEST_CASE("unroll check: all cells pass, in JSON and as a table") {
  const Result result = run({"check", "--json", "--steps", "3", "--hidden", "3"});
  CHECK(result.status == 0);
  const Json json = result.json();
  CHECK(keys(json) == Keys{"passed", "mode", "order", "tolerance", "rows", "diagnoses"});
  CHECK(json["passed"] == true);
  CHECK(json["mode"] == "entries");
  CHECK(json["tolerance"] == 1e-6);
  CHECK(json["diagnoses"].empty());
  std::set<std::string> layers, names;
  for (const Json& row : json["rows"]) {
    CHECK(keys(row) ==
          Keys{"layer", "name", "entry", "index", "analytic", "numeric", "absolute_error", "relative_error", "passed"});
    CHECK(row["passed"] == true);
    CHECK(row["relative_error"].get<double>() < 1e-6);
    CHECK(row["analytic"].get<double>() == doctest::Approx(row["numeric"].get<double>()).epsilon(1e-5));
    layers.insert(row["layer"].get<std::string>());
    names.insert(row["name"].get<std::string>());
  }
  CHECK(layers.size() == 50);
  for (const char* cell : {"rnn", "lstm", "gru"})
    for (const char* way : {"lengths", "mask, reverse", "packed", "lengths, recomputed", "learned initial state",
                            "layer norm", "2 layers", "bidirectional", "residual, dropout"})
      CHECK(layers.contains(std::string(cell) + ", " + way));
  for (const char* layer : {"lstm, projection", "rnn, lstm, gru and a lambda", "rnn, lstm, gru and a lambda, packed"})
    CHECK(layers.contains(layer));
  for (const char* layer : {"rnn tanh", "rnn relu", "lstm", "lstm peepholes", "gru reset before", "gru reset after"}) {
    CHECK(layers.contains(layer));
    CHECK(layers.contains(std::string(layer) + ", textbook"));
  }
  for (const char* name : {"x", "h0", "c0", "lstm.W_x", "lstm.p_o", "gru.b_h", "rnn.b", "lstm.U_f", "lstm.W_p",
                           "lstm.g_c", "lstm1.h0", "gru2_backward.W_h", "initial.c"})
    CHECK(names.contains(name));

  const Result table = run({"check", "GRU", "rnn", "--order", "2", "--hidden", "2", "--steps", "2"});
  CHECK(table.status == 0);
  CHECK(table.out.find("lstm") == std::string::npos);
  CHECK(table.out.find("The second derivatives of all 27 agree with finite differences") != std::string::npos);
  CHECK(run({"check", "rnn", "--parameters"}).out.find("rnn.W_x") != std::string::npos);
}

TEST_CASE("unroll list: the tape, with its backward pass, or as equations") {
  const Result forward = run({"list", "lstm", "--steps", "2"});
  CHECK(forward.status == 0);
  CHECK(forward.out.find("lstm/forget gate") != std::string::npos);
  CHECK(forward.out.find("backward") == std::string::npos);
  CHECK(run({"list", "lstm", "--steps", "2", "--backward"}).out.find("backward") != std::string::npos);
  CHECK(run({"list", "lstm", "--steps", "2", "--packed"}).out.find("affine") != std::string::npos);
  CHECK(run({"list", "lstm", "--steps", "2", "--equations"}).out.find("c_2 = f_2 * c_1 + i_2 * g_2") !=
        std::string::npos);
  const Json json = run({"list", "rnn", "--steps", "1", "--json"}).json();
  CHECK(keys(json) == Keys{"nodes", "lines"});
  CHECK(json["lines"].size() == json["nodes"].get<std::size_t>() + 1);
}

TEST_CASE("unroll render: a drawing by its suffix, in a folder that is made") {
  const Folder folder;
  for (const auto& [suffix, start] :
       {std::pair{"dot", "digraph"}, {"svg", "<svg"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}}) {
    const std::string file = folder.file(std::string("new/lstm.") + suffix);
    const Result result = run({"render", "lstm", "--steps", "2", "--gradients", "--output", file});
    INFO(file, " ", result.err);
    CHECK(result.status == 0);
    CHECK(result.out.starts_with(file + ": "));
    CHECK(read_whole_file(file).starts_with(start));
  }
  const std::string file = folder.file("gru.dot");
  const Json json =
      run({"render", "gru", "--steps", "2", "--backward", "--gradients", "--output", file, "--json"}).json();
  CHECK(json["drawings"][0]["output"] == file);
}

TEST_CASE("unroll list and render: truncated BPTT shows where it is cut") {
  const Result cut = run({"list", "lstm", "--steps", "4", "--truncate", "2"});
  CHECK(cut.status == 0);
  CHECK(cut.out.find("cut.c_2") != std::string::npos);
  CHECK(cut.out.find("warm-up") == std::string::npos);
  const Result windows = run({"list", "rnn", "--steps", "4", "--truncate", "1,2"});
  CHECK(windows.out.find("warm-up/rnn") != std::string::npos);
  CHECK(run({"list", "rnn", "--truncate", "2,3"}).out == run({"list", "rnn"}).out);  // k2 = T: nothing is cut

  const Folder folder;
  const std::string file = folder.file("cut.svg");
  CHECK(run({"render", "lstm", "--steps", "4", "--truncate", "2", "--gradients", "--output", file}).status == 0);
  CHECK(read_whole_file(file).find("✂ cut") != std::string::npos);

  for (const std::string text : {"3,2", "0", "-1", "a", "2,", ",2", "1,2,3", "1.5"})
    CHECK(refusal({"list", "rnn", "--truncate=" + text}) ==
          "unroll list: --truncate: " + text + " is neither K nor K1,K2 with 1 <= K1 <= K2");
}

TEST_CASE("unroll bias: the error of truncated BPTT falls with k2 and is none when nothing is cut") {
  for (const std::string cell : {"rnn", "lstm", "gru"}) {
    CAPTURE(cell);
    const Result result = run({"bias", cell, "--steps", "12", "--k1", "3", "--k2", "3,6,12", "--json"});
    CHECK(result.status == 0);
    const Json json = result.json();
    CHECK(keys(json) == Keys{"cell", "steps", "full_nodes", "rows"});
    REQUIRE(json["rows"].size() == 3);
    CHECK(keys(json["rows"][0]) ==
          Keys{"k1", "k2", "relative_error", "cosine", "norm", "full_norm", "nodes", "parameters"});
    const auto error = [&](int row) { return json["rows"][row]["relative_error"].get<double>(); };
    CHECK(error(0) > error(1));
    CHECK(error(1) > 0);
    CHECK(error(2) == 0);
    CHECK(json["rows"][1]["nodes"] > json["full_nodes"]);
    CHECK(json["rows"][2]["nodes"] == json["full_nodes"]);
    CHECK(json["rows"][0]["parameters"].size() == 3);
  }
  const Result tables = run({"bias", "gru", "--reset", "after", "--steps", "4", "--k1", "1", "--parameters"});
  CHECK(tables.out.starts_with("gru, T = 4, k1 = 1\n"));
  for (const char* line : {"\nk2 = 1\n", "\nk2 = 2\n", "\nk2 = 4\n", "\ngru.b_h ", "\nall "}) {
    CAPTURE(line);
    CHECK(tables.out.find(line) != std::string::npos);
  }
  CHECK(refusal({"bias", "rnn", "--k1", "10", "--k2", "20,5"}) ==
        "unroll bias: over_time: a truncation with k1 = 10, k2 = 5: k2 is below k1, so that some losses would reach no "
        "step at all");
  CHECK(refusal({"bias", "rnn", "--k2", "0"}) == "unroll bias: --k2: 0 is not a whole number from 1 to 10000");
  CHECK(refusal({"bias"}) == "unroll bias: CELL is required");
}

TEST_CASE("unroll hello: learns the word, and draws the network") {
  const Folder folder;
  const std::string file = folder.file("new/hello.svg");
  const Result result = run({"hello", "--json", "--output", file, "--output", folder.file("hello.dot")});
  CHECK(result.status == 0);
  const Json json = result.json();
  CHECK(json["learned"] == true);
  CHECK(json["answer"] == "ello");
  REQUIRE(json["rows"].size() == 4);
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(json["rows"][t]["input"] == std::string(1, "hell"[t]));
    CHECK(json["rows"][t]["answer"] == std::string(1, "ello"[t]));
    CHECK(json["rows"][t]["probability"].get<double>() > 0.9);
  }
  CHECK(read_whole_file(file).find("</svg>") != std::string::npos);
  CHECK(fs::exists(folder.file("hello.dot")));
  for (const char* seed : {"2", "3", "4"}) CHECK(run({"hello", "--seed", seed}).status == 0);
  const Result early = run({"hello", "--training-steps", "3"});
  CHECK(early.status == 1);
  CHECK(early.out.find("Not learned in 3 steps") != std::string::npos);
}

TEST_CASE("unroll train and sample: a tiny text, English and Korean") {
  const Folder folder;
  const std::vector<std::string> sizes{"--hidden", "16", "--epochs", "20", "--steps", "10", "--batch", "4"};
  struct Case {
    const char *cell, *text, *prompt, *next;  // what the likeliest next character is
  };
  for (const Case& c :
       {Case{"lstm", "the cat sat on the mat. ", "the c", "a"}, Case{"GRU", "기차는 밤에 떠났다. ", "기차", "는"},
        Case{"rnn", "밤 train 밤 train ", "밤 tr", "a"}}) {
    const std::string file = folder.file("text.txt", repeated(c.text, 30));
    const std::string model = folder.file("new/model.safetensors");
    std::vector<std::string> arguments{"train", "--text", file, "--cell", c.cell, "--json", "--save", model};
    arguments.insert(arguments.end(), sizes.begin(), sizes.end());
    const Result trained = run(arguments);
    INFO(c.cell, " ", trained.err);
    REQUIRE(trained.status == 0);
    const Json json = trained.json();
    CHECK(keys(json) ==
          Keys{"characters", "initial_bits_per_character", "final_bits_per_character", "sample", "verdict"});
    CHECK(json["final_bits_per_character"].get<double>() < 0.7 * json["initial_bits_per_character"].get<double>());
    CHECK(trained.err.find("epoch  20 of 20  100%") != std::string::npos);
    CHECK(trained.err.find("bits/char") != std::string::npos);

    const Result sampled =
        run({"sample", model, "--prompt", c.prompt, "--length", "1", "--temperature", "0", "--json"});
    CHECK(sampled.status == 0);
    CHECK(keys(sampled.json()) == Keys{"prompt", "sample"});
    CHECK(sampled.json()["prompt"] == c.prompt);
    CHECK(sampled.json()["sample"] == c.next);
    const Result plain = run({"sample", model, "--prompt", c.prompt, "--length", "7", "--seed", "3"});
    CHECK(plain.out.starts_with(c.prompt));
    CHECK(plain.out == run({"sample", model, "--prompt", c.prompt, "--length", "7", "--seed", "3"}).out);
  }
  CHECK(run({"train", "--text", folder.file("text.txt", "가나"), "--json", "--epochs", "1"}).json()["characters"] == 2);
}

TEST_CASE("unroll train: equal seeds give equal models, byte for byte") {
  const Folder folder;
  const std::string text = folder.file("text.txt", repeated("one two three four ", 20));
  const auto model = [&](const char* name, const char* seed) {
    const std::string file = folder.file(name);
    REQUIRE(run({"train", "--text", text, "--hidden", "12", "--layers", "2", "--epochs", "3", "--steps", "8", "--seed",
                 seed, "--save", file})
                .status == 0);
    return read_whole_file(file);
  };
  const std::string first = model("a", "5");
  CHECK(first == model("b", "5"));
  CHECK(first != model("c", "6"));
}

TEST_CASE("unroll train: the end of a long text is held out") {
  const Folder folder;
  const std::string text = folder.file("text.txt", repeated("1234567890", 1000));
  const Result result = run({"train", "--text", text, "--hidden", "8", "--epochs", "1"});
  CHECK(result.status == 0);
  CHECK(result.out.find("10000 characters, 10 different") != std::string::npos);
  CHECK(result.out.find("the last 500 are held out") != std::string::npos);
  CHECK(result.out.find("Before training: 3.") != std::string::npos);
  CHECK(result.out.find("After training: ") != std::string::npos);
  CHECK(result.out.find(" on what was held out)") != std::string::npos);
}

TEST_CASE("unroll train: a time limit ends it") {
  const Folder folder;
  const std::string text = folder.file("text.txt", repeated("the cat sat on the mat. ", 30));
  const auto start = std::chrono::steady_clock::now();
  const Result result = run({"train", "--text", text, "--hidden", "8", "--epochs", "1000000", "--time-limit", "1"});
  CHECK(result.status == 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

TEST_CASE("unroll train: a loss that is no number stops it") {
  const Folder folder;
  const std::string text = folder.file("text.txt", repeated("the cat sat on the mat. ", 30));
  const Result result =
      run({"train", "--text", text, "--hidden", "8", "--epochs", "50", "--learning-rate", "1e29", "--clip", "1e29"});
  CHECK(result.status == 1);
  CHECK(result.err.find("no longer a finite number: try a smaller --learning-rate or --clip") != std::string::npos);
}

TEST_CASE("unroll train: Ctrl-C and SIGTERM save what was learned") {
  const Folder folder;
  const std::string text = folder.file("text.txt", repeated("the cat sat on the mat. ", 60));
  for (const int signal : {SIGINT, SIGTERM})
    for (const bool with_save : {true, false}) {
      const std::string model = folder.file("model.safetensors"), log = folder.file("log");
      fs::remove(model);
      std::fflush(nullptr);  // or the child prints again what is waiting here
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        std::freopen("/dev/null", "w", stdout);
        std::freopen(log.c_str(), "w", stderr);
        std::vector<const char*> arguments{UNROLL_COMMAND, "train", "--text",   text.c_str(),
                                           "--hidden",     "8",     "--epochs", "1000000"};
        if (with_save) arguments.insert(arguments.end(), {"--save", model.c_str()});
        arguments.push_back(nullptr);
        ::execv(UNROLL_COMMAND, const_cast<char* const*>(arguments.data()));
        ::_exit(127);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      ::kill(child, signal);
      int status = 0;
      pid_t ended = 0;
      for (int tenths = 0; tenths < 300 && ended == 0; ++tenths) {
        ended = ::waitpid(child, &status, WNOHANG);
        if (ended == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      if (ended == 0) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
      }
      REQUIRE(ended == child);
      REQUIRE(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 128 + signal);
      const std::string said = read_whole_file(log);
      INFO(said);
      if (with_save) {
        CHECK(said.find("Interrupted. What was learned until now is saved: " + model) != std::string::npos);
        CHECK(run({"sample", model, "--prompt", "the", "--length", "5"}).status == 0);
      } else {
        CHECK(said.find("Interrupted. Nothing is saved: --save MODEL") != std::string::npos);
        CHECK(!fs::exists(model));
      }
    }
}

TEST_CASE("unroll train: a text that cannot be learned from is refused") {
  const Folder folder;
  const auto said = [](const std::string& file) { return refusal({"train", "--text", file}); };
  std::string file = folder.file("none.txt");
  CHECK(said(file) == "unroll train: cannot read " + file + ": No such file or directory");
  file = folder.file("empty.txt", "");
  CHECK(said(file) == "unroll train: " + file + " is empty: give a text to learn from");
  file = folder.file("one.txt", "가");
  CHECK(said(file) == "unroll train: " + file + " has one character: give a longer text");
  file = folder.file("cp949.txt", "abc \xb1\xe2\xc2\xf7");
  CHECK(said(file) == "unroll train: " + file +
                          " is not UTF-8 text: byte 4 is wrong. Convert it first; for an older Korean text: iconv -f "
                          "CP949 -t UTF-8 " +
                          file + " > new.txt");
  CHECK(said(folder.file("")).find("it is a folder, not a file") != std::string::npos);
  file = folder.file("text.txt", "abcabc");
  CHECK(refusal({"train", "--text", file, "--save", file + "/model"}).find("cannot write " + file + "/model: ") !=
        std::string::npos);
}

TEST_CASE("unroll sample: a file that is no model is refused, and so is a prompt that it cannot read") {
  const Folder folder;
  const auto said = [](const std::string& file) { return refusal({"sample", file, "--prompt", "a"}); };
  std::string file = folder.file("none");
  CHECK(said(file) == "unroll sample: cannot read " + file + ": No such file or directory");
  file = folder.file("foreign", "%PDF-1.7 and so on");
  CHECK(said(file) ==
        "unroll sample: " + file + ": not a safetensors file: there is no JSON header after the first 8 bytes");

  const std::string model = folder.file("model"), text = folder.file("text", repeated("abc ", 20));
  REQUIRE(run({"train", "--text", text, "--hidden", "4", "--epochs", "1", "--save", model}).status == 0);
  const std::string bytes = read_whole_file(model);
  file = folder.file("cut", bytes.substr(0, bytes.size() - 9));
  CHECK(said(file).starts_with("unroll sample: " + file + ": truncated: tensor readout.b ends at byte "));
  CHECK(refusal({"sample", model, "--prompt", "abx"}) ==
        "unroll sample: the character 'x' (U+0078) is not among the 4 that the model knows");
  CHECK(refusal({"sample", model, "--prompt", "기"}) ==
        "unroll sample: the character '기' (U+AE30) is not among the 4 that the model knows");
  CHECK(refusal({"sample", model, "--prompt", ""}) ==
        "unroll sample: the prompt is empty: give at least one character to begin with");
  CHECK(refusal({"sample", model, "--prompt", "a\xff"}) ==
        "unroll sample: the prompt is not UTF-8 text (byte 1 is not UTF-8)");
}

TEST_CASE("unroll flow: the gradient of each cell at each step, in JSON") {
  const Result result = run({"flow", "--steps", "20", "--hidden", "8", "--json"});
  CHECK(result.status == 0);
  const Json json = result.json();
  CHECK(keys(json) == Keys{"cells"});
  REQUIRE(json["cells"].size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& cell = json["cells"][i];
    CHECK(keys(cell) == Keys{"cell", "verdict", "half_life", "gradient_norm_h", "gradient_norm_c", "grounds", "task",
                             "loss", "loss_at_beginning", "error_at_beginning", "asked", "contributions", "layers"});
    const std::string name = std::vector<std::string>{"rnn", "lstm", "gru"}[i];
    CHECK(cell["cell"] == name);
    CHECK((cell["verdict"] == "healthy" || cell["verdict"] == "vanishing"));
    CHECK(cell["grounds"].size() == 4);
    CHECK(cell["half_life"].get<double>() > 0.5);
    CHECK(cell["gradient_norm_h"].size() == 20);
    if (name == "lstm")
      CHECK(cell["gradient_norm_c"].size() == 20);
    else
      CHECK(cell["gradient_norm_c"].is_null());
    CHECK(cell["gradient_norm_h"][0].get<double>() < cell["gradient_norm_h"][19].get<double>());
    CHECK(cell["asked"].size() == 20);
    CHECK(cell["contributions"][name + ".W_h"].size() == 20);
    const Json& layer = cell["layers"][0];
    CHECK(keys(layer) == Keys{"layer", "units", "half_life", "steps", "gradient_norm_h", "gradient_norm_c",
                              "last_loss_norm_h", "last_loss_norm_c", "error", "arriving", "growth", "saturated",
                              "gates", "bound", "singular_values", "credit"});
    CHECK(layer["layer"] == name);
    CHECK(layer["units"] == 8);
    CHECK(layer["gates"].size() == (name == "rnn" ? 1 : name == "lstm" ? 4 : 3));
    CHECK(layer["bound"].is_null() == (name != "rnn"));
    CHECK(layer["singular_values"].is_null());
    REQUIRE(layer["credit"].size() == 20);
    CHECK(layer["credit"][19] == layer["gradient_norm_h"]);  // the task asks at the last step
    CHECK(layer["credit"][4][5] == 0);
    CHECK(layer["credit"][5][5].get<double>() > 0);
  }
  CHECK(run({"flow", "--steps", "20", "--hidden", "8", "--json"}).out == result.out);
  CHECK(run({"flow", "--steps", "20", "--hidden", "8", "--seed", "2", "--json"}).out != result.out);

  const Json deep =
      run({"flow", "gru", "--steps", "5", "--hidden", "4", "--layers", "2", "--jacobians", "--json"}).json();
  REQUIRE(deep["cells"].size() == 1);
  REQUIRE(deep["cells"][0]["layers"].size() == 2);
  for (const Json& layer : deep["cells"][0]["layers"]) {
    CHECK(layer["singular_values"].size() == 4);
    CHECK(layer["singular_values"][0].size() == 4);
  }
  CHECK(deep["cells"][0]["gradient_norm_h"] == deep["cells"][0]["layers"][1]["gradient_norm_h"]);
}

TEST_CASE("unroll flow: a table of a few rows, then the verdict with its grounds") {
  const Result result = run({"flow", "lstm", "rnn", "--steps", "200", "--hidden", "8", "--batch", "2"});
  CHECK(result.status == 0);
  CHECK(result.out.starts_with("lstm  last, 200 steps, loss "));
  CHECK(result.out.find("\nrnn  last, 200 steps, loss ") != std::string::npos);
  CHECK(result.out.find("|dL/dh|    |dL/dc|    mean f    mean g    mean i    mean o  saturated") != std::string::npos);
  CHECK(result.out.find("  verdict: vanishing\n    Of the gradient that enters at the last step, ") !=
        std::string::npos);
  CHECK(result.out.find("largest singular value of rnn.W_h") != std::string::npos);
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') < 50);
}

TEST_CASE("unroll flow: training first tells converging from vanishing") {
  const auto verdict = [](const std::string& steps, const std::string& task, const std::string& cell) {
    const Result result =
        run({"flow", cell, "--steps", steps, "--task", task, "--updates", "150", "--hidden", "12", "--json"});
    CHECK(result.err == cell + ": 150 updates ...\n");
    return result.json()["cells"][0]["verdict"].get<std::string>();
  };
  CHECK(verdict("4", "recall", "lstm") == "converged");
  CHECK(verdict("4", "recall", "gru") == "converged");
  CHECK(verdict("150", "recall", "gru") == "vanishing");
  CHECK(verdict("150", "adding", "gru") == "vanishing");
}

TEST_CASE("unroll flow: plots as SVG, and a page that needs nothing but itself") {
  const Folder folder;
  const std::string svg = folder.file("new/flow.svg"), page = folder.file("flow.html");
  const Result drawn = run({"flow", "--steps", "12", "--hidden", "4", "--output", svg});
  INFO(drawn.err);
  CHECK(drawn.status == 0);
  CHECK(drawn.out.ends_with("\n" + svg + "\n"));
  const std::string picture = read_whole_file(svg);
  CHECK(picture.starts_with("<?xml"));
  for (const char* text : {"rnn |dL/dh_t|", "lstm |dL/dc_t|", "gru |dL/dh_t|", "Mean of the gates, lstm"})
    CHECK_MESSAGE(picture.find(text) != std::string::npos, text);
  REQUIRE(run({"flow", "--steps", "12", "--hidden", "4", "--output", folder.file("again.svg")}).status == 0);
  CHECK(read_whole_file(folder.file("again.svg")) == picture);

  CHECK(run({"flow", "--steps", "12", "--hidden", "4", "--jacobians", "--output", page}).status == 0);
  const std::string html = read_whole_file(page);
  CHECK(html.starts_with("<!DOCTYPE html>"));
  CHECK(html.ends_with("</html>\n"));
  for (const char* text : {"prefers-color-scheme: dark", "Verdict: ", "|dL_s/dh_t|, gru",
                           "Contribution of each time step", "Singular values of dh_t/dh_(t-1), rnn", "<td>12</td>"})
    CHECK_MESSAGE(html.find(text) != std::string::npos, text);
  // addresses are names of XML only, nothing is fetched
  for (const char* text : {"src=", "<link", "@import", "<script", "url(http"})
    CHECK_MESSAGE(html.find(text) == std::string::npos, text);
  std::set<std::string> seen;
  for (std::size_t at = html.find(" id="); at != std::string::npos; at = html.find(" id=", at + 1)) {
    const std::string id = html.substr(at + 5, html.find(html[at + 4], at + 5) - at - 5);
    CHECK_MESSAGE(seen.insert(id).second, id);
  }
  CHECK(seen.size() > 100);
}

TEST_CASE("unroll flow: in a trained character model on the beginning of a text") {
  const Folder folder;
  const std::string model = folder.file("model"), text = folder.file("text", repeated("abcd ", 30));
  REQUIRE(run({"train", "--text", text, "--hidden", "8", "--layers", "2", "--epochs", "40", "--steps", "8", "--save",
               model})
              .status == 0);
  const Result result = run({"flow", "--model", model, "--text", text, "--steps", "10", "--json"});
  INFO(result.err);
  CHECK(result.status == 0);
  const Json cell = result.json()["cells"][0];
  CHECK(cell["cell"] == "lstm");
  CHECK(cell["task"] == model);
  REQUIRE(cell["layers"].size() == 2);
  CHECK(cell["gradient_norm_h"].size() == 10);
  CHECK(cell["loss"].get<double>() < cell["loss_at_beginning"].get<double>());
  // the loss of the last step alone is the last row of the table, and what the signal follows
  for (std::size_t t = 0; t < 10; ++t)
    CHECK(cell["layers"][1]["credit"][9][t].get<double>() ==
          doctest::Approx(cell["layers"][1]["last_loss_norm_h"][t].get<double>()).epsilon(1e-4));
  CHECK(run({"flow", "--model", model, "--text", text, "--steps", "10"}).out.find("|dL_T/dh|") != std::string::npos);

  const auto said = [&](const std::string& m, const std::string& t, const std::string& steps) {
    return refusal({"flow", "--model", m, "--text", t, "--steps", steps});
  };
  CHECK(said(model, text, "150") ==
        "unroll flow: " + text + " has 150 characters: 150 steps need 151, the last one to be predicted");
  CHECK(said(model, text, "149").empty());
  CHECK(said(model, folder.file("none"), "5") ==
        "unroll flow: cannot read " + folder.file("none") + ": No such file or directory");
  CHECK(said(model, folder.file("bad", "ab\xff"), "1") ==
        "unroll flow: " + folder.file("bad") + " is not UTF-8 text (byte 2 is not UTF-8)");
  CHECK(said(model, folder.file("other", "abcxyz"), "4") ==
        "unroll flow: the character 'x' (U+0078) is not among the 5 that the model knows");
  const std::string bytes = read_whole_file(model);
  CHECK(said(folder.file("cut", bytes.substr(0, bytes.size() - 9)), text, "5").find("truncated") != std::string::npos);
  CHECK(said(text, text, "5").find("not a safetensors file") != std::string::npos);
}

TEST_CASE("unroll flow: what cannot be asked for is refused, and no file is left") {
  const Folder folder;
  CHECK(refusal({"flow", "--steps", "0"}) == "unroll flow: --steps: 0 is not a whole number from 1 to 10000");
  CHECK(refusal({"flow", "perceptron"}) == "unroll flow: CELL: perceptron is not a cell: choose rnn, lstm or gru");
  CHECK(refusal({"flow", "--task", "chess"}) == "unroll flow: --task: chess is not last, recall or adding");
  CHECK(refusal({"flow", "--task", "adding", "--steps", "1"}) ==
        "unroll flow: the task adding has two numbers to add: --steps must be at least 2");
  CHECK(refusal({"flow", "--updates", "-1"}) == "unroll flow: --updates: -1 is not a whole number from 0 to 1000000");
  CHECK(refusal({"flow", "--output", "flow.png"}) ==
        "unroll flow: --output: flow.png does not end in .svg or .html, which says what to write");
  CHECK(refusal({"flow", "--model", "m"}) == "unroll flow: --model requires --text");
  CHECK(refusal({"flow", "--text", "t"}) == "unroll flow: --text requires --model");
  CHECK(refusal({"flow", "lstm", "--model", "m", "--text", "t"}) == "unroll flow: CELL excludes --model");
  CHECK(refusal({"flow", "--model", "m", "--text", "t", "--hidden", "3"}) == "unroll flow: --hidden excludes --model");
  const std::string blocked = folder.file("file", "x") + "/flow.svg";
  CHECK(refusal({"flow", "--steps", "3", "--output", blocked})
            .starts_with("unroll flow: cannot write " + blocked + ": "));

  // without gnuplot: a folder in which there is no program
  path_before();
  ::setenv("PATH", folder.file("nothing").c_str(), 1);
  const std::string missing = refusal({"flow", "--steps", "3", "--output", folder.file("flow.svg")});
  ::setenv("PATH", path_before().c_str(), 1);
  CHECK(
      missing ==
      "unroll flow: gnuplot: this program draws the plots, and it is not installed: the package is called gnuplot-nox");
  CHECK(!std::filesystem::exists(folder.file("flow.svg")));
  const Result one = run({"flow", "--steps", "1", "--hidden", "2", "--output", folder.file("one.svg")});
  CHECK(one.status == 0);
}

TEST_CASE("unroll example: lists the examples, and runs one to the same score again") {
  const Result list = run({"example"});
  CHECK(list.status == 0);
  for (const char* shape : {"one-to-one", "one-to-many", "many-to-one", "encoder-decoder", "synchronised"})
    CHECK(list.out.find(shape) != std::string::npos);
  const Json all = run({"example", "--json"}).json();
  CHECK(all["examples"].size() == 7);
  CHECK(keys(all["examples"][0]) == Keys{"example", "shape", "task", "updates"});

  const Folder folder;
  const std::string drawing = folder.file("out/digit.svg");
  const std::vector<std::string> command{"example", "digit",    "--updates", "30",    "--seed",
                                         "3",       "--output", drawing,     "--json"};
  const Result first = run(command);
  CHECK(first.status == 0);
  CHECK(first.out == run(command).out);
  CHECK(first.err.find("update     30 of 30: loss ") != std::string::npos);
  const Json result = first.json();
  CHECK(keys(result) == Keys{"example", "shape", "score", "score_name", "higher_is_better", "baseline", "baselines",
                             "seed", "updates", "parameters", "outputs"});
  CHECK(result["score"] > result["baseline"]);
  CHECK(result["parameters"] == 64 * 32 + 32 + 32 * 10 + 10);
  CHECK(read_whole_file(drawing).find("digit (one") != std::string::npos);

  const Result text = run({"example", "digit", "--updates", "30"});
  CHECK(text.out.find("accuracy on 360 held-out digits, more is better\n  the trained network ") != std::string::npos);
  CHECK(text.out.find("always the most frequent digit") != std::string::npos);
  const Result story = run({"example", "next-character", "--updates", "1"});
  CHECK(story.out.find("the program is examples/next_character.cpp\n") != std::string::npos);
}

TEST_CASE("unroll example: what it cannot do is refused before it trains") {
  CHECK(refusal({"example", "nope"}) ==
        "unroll example: there is no example nope: choose one of digit, caption, sentiment, translate, "
        "next-character, series, video");
  CHECK(refusal({"example", "--output", "a.svg"}) == "unroll example: --output needs the NAME of the example to draw");
  CHECK(refusal({"example", "digit", "--output", "a.bmp"}) ==
        "unroll example: --output: a.bmp does not end in .dot, .svg, .png, .pdf, .json or .html, which says what to "
        "draw");
  CHECK(refusal({"example", "digit", "--updates", "0"}) ==
        "unroll example: --updates: 0 is not a whole number from 1 to 1000000");
  const Folder folder;
  const std::string file = folder.file("file", "no folder");
  const Result result = run({"example", "digit", "--output", file + "/a.svg"});
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(result.err.find("cannot write " + file + "/a.svg: ") != std::string::npos);
  CHECK(result.err.find("update") == std::string::npos);
}

TEST_CASE("unroll: what cannot be asked for is refused, with what can be") {
  CHECK(refusal({}) == "unroll: A subcommand is required");
  CHECK(refusal({"lern"}).starts_with("unroll: "));
  CHECK(refusal({"summary", "lstm", "--input", "3"}) == "unroll summary: --hidden is required");
  CHECK(refusal({"summary", "transformer", "--input", "3", "--hidden", "3"}) ==
        "unroll summary: CELL: transformer is not a cell: choose rnn, lstm or gru");
  CHECK(refusal({"summary", "gru", "--input", "3", "--hidden", "3", "--reset", "never"}) ==
        "unroll summary: --reset: never is neither before nor after");
  CHECK(refusal({"summary", "gru", "--input", "1", "--hidden", "2", "--projection", "1"}) ==
        "unroll summary: gru: option projection is 1, and only an lstm has one");
  CHECK(refusal({"check", "lstm", "--hidden", "-3"}) ==
        "unroll check: --hidden: -3 is not a whole number from 1 to 256");
  CHECK(refusal({"check", "lstm", "--steps", "many"}) ==
        "unroll check: --steps: many is not a whole number from 1 to 10000");
  CHECK(refusal({"check", "lstm", "--batch", "2.5"}) ==
        "unroll check: --batch: 2.5 is not a whole number from 1 to 256");
  CHECK(refusal({"check", "lstm", "--order", "3"}) == "unroll check: --order: 3 is not a whole number from 1 to 2");
  CHECK(refusal({"check", "--tolerance", "0"}) == "unroll check: --tolerance: 0 is not a number above 0");
  CHECK(refusal({"check", "--seed", "-1"}) == "unroll check: --seed: -1 is not a whole number from 0 up");
  CHECK(refusal({"render", "lstm", "--steps", "2", "--output", "lstm.bmp"}) ==
        "unroll render: --output: lstm.bmp does not end in .dot, .svg, .png, .pdf, .json or .html, which says what to "
        "draw");
  CHECK(refusal({"sample", "m", "--prompt", "a", "--temperature", "-1"}) ==
        "unroll sample: --temperature: -1 is not a number from 0 up");
  CHECK(refusal({"sample", "m", "--prompt", "a", "--temperature", "nan"}) ==
        "unroll sample: --temperature: nan is not a number from 0 up");
  CHECK(refusal({"train", "--text", "t", "--learning-rate", "0"}) ==
        "unroll train: --learning-rate: 0 is not a number above 0");
  CHECK(!refusal({"hello", "--colour"}).empty());
  const Result result = run({"check", "--hidden", "0"});
  CHECK(result.err.find("`unroll check --help` shows what can be said here.") != std::string::npos);
}

TEST_CASE("unroll: an unknown command is named, and a reset gate is refused to cells without one") {
  CHECK(refusal({"nosuch"}).find("there is no command nosuch") != std::string::npos);
  CHECK(refusal({"list", "lstm", "--steps", "1", "--reset", "after"}).find("only a gru has a reset gate") !=
        std::string::npos);
  CHECK(refusal({"summary", "lstm", "--input", "1", "--hidden", "1", "--reset", "after"})
            .find("only a gru has a reset gate") != std::string::npos);
}

TEST_CASE("unroll: output that could not be written is an error and not a success") {
  if (!std::filesystem::exists("/dev/full")) return;
  CHECK(WEXITSTATUS(std::system((quoted(UNROLL_COMMAND) + " list rnn --steps 1 > /dev/full 2> /dev/null").c_str())) ==
        2);
}

TEST_CASE("unroll --help: every subcommand teaches by examples") {
  const Result all = run({"--help"});
  CHECK(all.status == 0);
  for (const char* command :
       {"hello", "summary", "check", "list", "render", "bias", "flow", "train", "sample", "example"}) {
    CHECK(all.out.find(std::string("\n  ") + command) != std::string::npos);
    const Result one = run({command, "--help"});
    CHECK(one.status == 0);
    CHECK(one.out.find(std::string("Examples:\n  unroll ") + command) != std::string::npos);
    CHECK(one.out.find("--json") != std::string::npos);
  }
}

}  // namespace unroll::test
