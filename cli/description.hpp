#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

// What the command line takes, read from the parser itself: the completions of the shells and the man page are written from it, so that
// they say what is true.
namespace unroll::cli {

struct OptionDescription {
  std::string name;   // "--steps"; "CELL" where the value stands alone
  std::string value;  // what stands for its value: "N", "FILE"; "" for a switch
  std::string preset;
  std::string help;
  bool positional = false;
  bool repeats = false;
  bool file = false;               // the value is the name of a file or folder
  std::vector<std::string> words;  // what the value may be, where that is known
};

struct CommandDescription {
  std::string name, help, footer;
  std::vector<OptionDescription> options;
};

struct Description {
  std::string version;
  CommandDescription program;                // what can be said without a subcommand
  std::vector<CommandDescription> commands;  // but for hidden ones
};

Description describe(const CLI::App& app);

// The scripts that complete what is typed.
std::string bash_completion(const Description& program);
std::string zsh_completion(const Description& program);
std::string fish_completion(const Description& program);

// unroll(1), in the language of troff.
std::string man_page(const Description& program);

}  // namespace unroll::cli
