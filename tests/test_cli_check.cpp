#include "command.hpp"

#include <doctest/doctest.h>

// `unroll check` and `unroll zoo` as a user runs them.

namespace unroll::test {

TEST_CASE("unroll check: a check that fails names the entries, says why, and the exit status is 1") {
  const Result result = run({"check", "rnn", "--tolerance", "1e-30"});
  CHECK(result.status == 1);
  CHECK(result.out.find("WRONG") != std::string::npos);
  CHECK(result.out.find("13 of 13 do not agree with finite differences (relative error above 1e-30):") !=
        std::string::npos);
  CHECK(result.out.find("diagnosis: [precision] ") != std::string::npos);
  CHECK(result.out.find("and 10 more (--parameters shows all)") != std::string::npos);
  CHECK(result.out.find('\x1b') == std::string::npos);  // no colours in a pipe
  const Json json = run({"check", "rnn", "--tolerance", "1e-30", "--json"}).json();
  CHECK(json["passed"] == false);
  CHECK(json["diagnoses"].size() == 13);
  CHECK(keys(json["diagnoses"][0]) == Keys{"layer", "cause", "summary", "evidence"});
  CHECK(json["diagnoses"][0]["cause"] == "precision");
}

TEST_CASE("unroll check: every mode passes, and says with what it compared") {
  const auto out = [](const std::string& mode) {
    const Result result = run({"check", "lstm", "--form", "peepholes", "--mode", mode, "--steps", "3"});
    CHECK(result.status == 0);
    return result.out;
  };
  CHECK(out("entries").find("agree with finite differences (relative error at most 1e-06)") != std::string::npos);
  CHECK(out("extrapolated").find("agree with finite differences (relative error at most 1e-09)") != std::string::npos);
  CHECK(out("forward").find("agree with forward mode (relative error at most 1e-09)") != std::string::npos);
  const std::string directions = out("directions");
  CHECK(directions.find(", direction ") != std::string::npos);
  CHECK(directions.find("a fault of 1 % of a leaf's gradient goes unnoticed with a probability of ") !=
        std::string::npos);
  const Json one = run({"check", "gru", "--mode", "directions", "--directions", "1", "--json"}).json();
  CHECK(one["mode"] == "directions");
}

TEST_CASE("unroll check: --form chooses by name, and the worst entry is named by its gate") {
  const Json json = run({"check", "gru", "--form", "bidirectional", "--json"}).json();
  for (const Json& row : json["rows"]) CHECK(row["layer"] == "gru, bidirectional");
  const Json lstm = run({"check", "lstm", "--form", "peepholes", "--json"}).json();
  CHECK(lstm["rows"][0]["entry"].get<std::string>().starts_with("lstm.W_x[gate "));
  CHECK(refusal({"check", "rnn", "--form", "peephole"}) ==
        "unroll check: no form of these cells has peephole in its name; `unroll check` lists them");
  CHECK(refusal({"check", "--mode", "magic"}) ==
        "unroll check: --mode: magic is not entries, directions, forward or extrapolated");
}

TEST_CASE("unroll check: --plot draws the error against the step, of a check that passes or fails") {
  const Folder folder;
  for (const std::string mode : {"entries", "directions", "forward"}) {
    const std::string file = folder.file(mode + ".svg");
    const Result result = run({"check", "rnn", "--form", "rnn tanh", "--mode", mode, "--plot", file});
    CHECK(result.status == 0);
    const std::string svg = read_whole_file(file);
    CHECK(svg.find("<svg") != std::string::npos);
    CHECK(svg.find("Error of central differences, ") != std::string::npos);
  }
  CHECK(refusal({"check", "--plot", "curve.png"}) == "unroll check: --plot: curve.png does not end in .svg");
}

TEST_CASE("unroll zoo: the list tells no faults, JSON tells all, and an animal comes with its diagnosis") {
  const Result list = run({"zoo"});
  CHECK(list.status == 0);
  CHECK(list.out.find("peephole-lstm") != std::string::npos);
  CHECK(list.out.find("examples/zoo/peephole_lstm.cpp") != std::string::npos);
  const Json json = run({"zoo", "--json"}).json();
  CHECK(keys(json) == Keys{"animals"});
  CHECK(json["animals"].size() >= 20);
  for (const Json& animal : json["animals"]) {
    CHECK(keys(animal) == Keys{"name", "fault", "diagnosis", "cause", "evidence", "source"});
    CHECK(animal["diagnosis"] != "");
    CHECK(list.out.find(animal["fault"].get<std::string>()) == std::string::npos);
  }
  const Result one = run({"zoo", "peephole-lstm"});
  CHECK(one.status == 0);
  CHECK(one.out.find("diagnosis: [wrong_operand] the gradient to lstm.p_o through o is multiplied with c_(t-1) instead "
                     "of c") != std::string::npos);
  CHECK(one.out.find("\nthe fault: ") != std::string::npos);
  CHECK(refusal({"zoo", "unicorn"})
            .starts_with("unroll zoo: no animal of the zoo is named unicorn: there are tanh-unit"));
}

}  // namespace unroll::test
