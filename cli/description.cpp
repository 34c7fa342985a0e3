#include <unroll/cli/description.hpp>
#include <unroll/cli/flags.hpp>

#include <unroll/examples/examples.hpp>
#include <unroll/examples/reproduce/reproduce.hpp>
#include <unroll/examples/zoo/zoo.hpp>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace unroll::cli {
namespace {

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> names_of(const auto& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.emplace_back(thing.name);
  return names;
}

// "none" of "N|none": the words, but not what stands for something else.
std::vector<std::string> words_in(const std::string& value) {
  std::vector<std::string> words;
  std::istringstream parts(value);
  if (value.find('|') != std::string::npos)
    for (std::string word; std::getline(parts, word, '|');)
      if (word != upper_case(word) || std::isdigit(static_cast<unsigned char>(word.front()))) words.push_back(word);
  return words;
}

std::vector<std::string> words_for(const std::string& command, const std::string& value) {
  if (value == "CELL") return {"rnn", "lstm", "gru"};
  if (value == "NAME" && command == "zoo") return names_of(zoo::zoo());
  if (value == "NAME" && command == "example") return names_of(examples::all());
  if (value == "NAME" && command == "reproduce") return names_of(reproduce::all());
  return words_in(value);
}

OptionDescription describe(const std::string& command, const CLI::Option& option) {
  OptionDescription d;
  d.positional = !option.nonpositional();
  d.name = d.positional ? option.get_name(true) : "--" + option.get_lnames().front();
  const bool takes_value = option.get_items_expected_max() > 0;
  if (takes_value) d.value = option.get_type_name();
  // a value without a description has the name of its option: `--cell CELL`
  if (takes_value && d.value.empty()) d.value = d.positional ? d.name : upper_case(option.get_lnames().front());
  d.preset = option.get_default_str();
  d.help = option.get_description();
  d.repeats = option.get_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  d.file = d.value.starts_with("FILE") || d.value == "MODEL" || d.value == "FOLDER";
  d.words = words_for(command, d.value);
  return d;
}

CommandDescription describe_command(const CLI::App& app) {
  CommandDescription d{app.get_name(), app.get_description(), app.get_footer(), {}};
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) d.options.push_back(describe(d.name, *option));
  return d;
}

}  // namespace

Description describe(const CLI::App& app) {
  Description d;
  d.version = app.version();
  d.program = describe_command(app);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
    d.commands.push_back(describe_command(*command));
  return d;
}

void add_completion(CLI::App& app, std::string& shell, Run& run) {
  CLI::App& c = add(app, "completion", "Print the script by which a shell completes what is typed",
                    "Examples:\n"
                    "  eval \"$(unroll completion bash)\"\n"
                    "        in ~/.bashrc; for zsh in ~/.zshrc, after compinit\n"
                    "  unroll completion fish | source");
  using Writer = std::string (*)(const Description&);
  const Words<Writer> writers{{"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};
  c.add_option("SHELL", shell, "bash, zsh or fish")->required()->type_name("bash|zsh|fish");
  c.callback([&app, &shell, &run, writers] {
    run = [&app, write = one_of("SHELL", writers, shell)] {
      fmt::print("{}", write(describe(app)));
      return done;
    };
  });
}

void add_man_page(CLI::App& app, Run& run) {
  CLI::App& c = add(app, "man-page", "Print the man page", "Examples:\n  unroll man-page > unroll.1");
  // the build asks for it, and man(1) shows it
  c.group("");
  c.callback([&app, &run] {
    run = [&app] {
      fmt::print("{}", man_page(describe(app)));
      return done;
    };
  });
}

}  // namespace unroll::cli
