#include "fit_support.hpp"

#include <unroll/core/array/safetensors.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

// `unroll train --checkpoint`: however a run ends, the same command goes on to the same bits.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;

class Training {
 public:
  explicit Training(const std::string& name) : folder(name) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += "the cat sat on the mat. ";
    write_whole_file(folder / "text", text);
  }

  // Starts the command with these arguments beside its usual ones; its outputs go to the files `out` and `err`.
  pid_t start(const std::vector<std::string>& more, const std::string& epochs = "12") const {
    std::vector<std::string> arguments{UNROLL_COMMAND, "train",   "--text", folder / "text", "--hidden",
                                       "12",           "--steps", "8",      "--batch",       "4",
                                       "--epochs",     epochs,    "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::fflush(nullptr);  // or the child prints again what is waiting here
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::freopen((folder / "out").c_str(), "w", stdout);
      std::freopen((folder / "err").c_str(), "w", stderr);
      ::execv(UNROLL_COMMAND, pointers.data());
      ::_exit(127);
    }
    return child;
  }

  // The exit status, or minus the number of the signal that ended it.
  static int wait(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(const std::vector<std::string>& more) const { return wait(start(more)); }
  std::string out() const { return read_whole_file(folder / "out"); }
  std::string err() const { return read_whole_file(folder / "err"); }

  TemporaryFolder folder;
};

}  // namespace

TEST_CASE("unroll train --checkpoint: killed again and again it comes to the same bits") {
  const Training training("unroll-checkpoint-kill");
  const std::string whole = training.folder / "whole", resumed = training.folder / "resumed",
                    checkpoint = training.folder / "checkpoint";
  REQUIRE(training.run({"--save", whole}) == 0);
  const std::string expected = training.out();

  Generator generator(20);
  int cut_short = 0, status = 1;
  double milliseconds = 20;
  for (int attempt = 0; attempt < 100 && status != 0; ++attempt, milliseconds *= 1.2) {
    const int signal = std::vector<int>{SIGKILL, SIGKILL, SIGTERM, SIGINT}[generator.below(4)];
    const pid_t child = training.start({"--save", resumed, "--checkpoint", checkpoint, "--save-every", "1"});
    std::this_thread::sleep_for(
        std::chrono::microseconds(static_cast<int>(1000 * milliseconds * generator.uniform(0.5, 1.5))));
    ::kill(child, signal);
    status = Training::wait(child);
    if (status == 0) break;
    const bool as_expected = status == -signal || status == 128 + signal;
    CHECK(as_expected);
    cut_short += fs::exists(checkpoint);
  }
  REQUIRE(status == 0);
  CHECK(cut_short >= 2);
  CHECK(training.out() == expected);
  CHECK(read_whole_file(resumed) == read_whole_file(whole));
}

TEST_CASE("unroll train --checkpoint: says from where it goes on and that it is done") {
  const Training training("unroll-checkpoint-says");
  const std::string checkpoint = training.folder / "checkpoint";
  REQUIRE(training.run({"--checkpoint", checkpoint}) == 0);
  CHECK(training.err().find("Going on") == std::string::npos);
  const std::string out = training.out();
  REQUIRE(training.run({"--checkpoint", checkpoint}) == 0);
  CHECK(training.err() == checkpoint + " is at the end of this training: nothing was left to learn.\n");
  CHECK(training.out() == out);
}

TEST_CASE("unroll train --checkpoint: an interrupted run says that the same command goes on") {
  const Training training("unroll-checkpoint-interrupted");
  const std::string checkpoint = training.folder / "checkpoint";
  const pid_t child = training.start({"--checkpoint", checkpoint, "--save-every", "1"}, "100000");
  for (int i = 0; i < 500 && !fs::exists(checkpoint); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(child, SIGTERM);
  CHECK(Training::wait(child) == 128 + SIGTERM);
  CHECK(training.err().find("Interrupted. The same command goes on from here: " + checkpoint + "\n") !=
        std::string::npos);
  const std::string update = load_safetensors(checkpoint).metadata.at("update");
  const pid_t again = training.start({"--checkpoint", checkpoint, "--save-every", "1"}, "100000");
  const auto before = fs::last_write_time(checkpoint);
  for (int i = 0; i < 500 && fs::last_write_time(checkpoint) == before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(again, SIGKILL);
  Training::wait(again);
  CHECK(training.err().find("Going on from " + checkpoint + ": " + update + " of ") != std::string::npos);
}

TEST_CASE("unroll train --checkpoint: one of other options or another text is refused") {
  const Training training("unroll-checkpoint-other");
  const std::string checkpoint = training.folder / "checkpoint";
  REQUIRE(training.run({"--checkpoint", checkpoint}) == 0);
  CHECK(training.run({"--checkpoint", checkpoint, "--seed", "2"}) == 2);
  CHECK(training.err().find("unroll train: " + checkpoint +
                            ": the save of another training: its fingerprint is \"text ") == 0);
  CHECK(training.err().find("seed 1\", here it is \"text ") != std::string::npos);
  CHECK(training.err().find("name another file (or delete this one) to begin anew") != std::string::npos);
  write_whole_file(training.folder / "text", "another text, another training");
  CHECK(training.run({"--checkpoint", checkpoint}) == 2);
  CHECK(training.run({"--save-every", "5"}) == 2);
  CHECK(training.err().find("--save-every requires --checkpoint") != std::string::npos);
}

}  // namespace unroll::test
