#include <unroll/cli/description.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

// What is completed: the subcommands; of each, its options and what may stand alone; and of an option its words or the names of files. The
// scripts use what the shells bring along, and no further package.
namespace unroll::cli {
namespace {

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// With a backslash before each of these characters.
std::string escaped(const std::string& text, const std::string& characters) {
  std::string result;
  for (const char c : text) {
    if (characters.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

// In single quotes, for bash and zsh.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::string fish_quoted(const std::string& text) { return "'" + escaped(text, "'\\") + "'"; }

// ---- bash

// The case that stands for what follows `before` in a command.
std::string bash_case(const std::string& pattern, const std::vector<std::string>& words, bool file) {
  return fmt::format("    {}) words={} files={} ;;\n", pattern, quoted(joined(words)), file ? "1" : "");
}

std::string bash_cases(const CommandDescription& command) {
  std::string values;
  std::vector<std::string> words;
  bool file = false;
  for (const OptionDescription& option : command.options) {
    if (option.positional) {
      words.insert(words.end(), option.words.begin(), option.words.end());
      file = file || option.file;
      continue;
    }
    words.push_back(option.name);
    if (!option.value.empty()) values += bash_case(quoted(command.name + " " + option.name), option.words, option.file);
  }
  return values + bash_case(quoted(command.name + " ") + "*", words, file);
}

// ---- zsh

std::string zsh_value(const OptionDescription& option) {
  const std::string what = escaped(option.value, ":");
  if (option.file) return ":" + what + ":_files";
  return ":" + what + ":" + (option.words.empty() ? "" : "(" + joined(option.words) + ")");
}

std::string zsh_argument(const OptionDescription& option) {
  if (option.positional) return quoted((option.repeats ? "*" : "") + zsh_value(option));
  const std::string flag = (option.repeats ? "*" : "") + option.name + (option.value.empty() ? "" : "=");
  return quoted(flag + "[" + escaped(option.help, "[]:\\") + "]" + (option.value.empty() ? "" : zsh_value(option)));
}

std::string zsh_arguments(const CommandDescription& command) {
  std::string result = "_arguments";
  for (const OptionDescription& option : command.options) result += " \\\n        " + zsh_argument(option);
  return result;
}

// ---- fish

std::string fish_option(const std::string& condition, const OptionDescription& option) {
  std::string line = "complete -c unroll -n " + fish_quoted(condition);
  if (!option.positional) line += " -l " + option.name.substr(2);
  if (!option.positional && !option.value.empty()) line += " -r";
  line += option.file ? " -F" : " -f";
  if (!option.words.empty()) line += " -a " + fish_quoted(joined(option.words));
  return line + " -d " + fish_quoted(option.positional ? option.value : option.help) + "\n";
}

}  // namespace

std::string bash_completion(const Description& program) {
  std::vector<std::string> first;
  for (const CommandDescription& command : program.commands) first.push_back(command.name);
  for (const OptionDescription& option : program.program.options) first.push_back(option.name);
  std::string cases;
  for (const CommandDescription& command : program.commands) cases += bash_cases(command);
  return fmt::format(R"(# Completion of `unroll` in bash, written by `unroll completion bash`.
_unroll() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} words= files=
  # bash takes --option=value for three words
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  if ((COMP_CWORD == 1)); then
    words={}
  else
    case "${{COMP_WORDS[1]}} $before" in
{}    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O ${{#COMPREPLY[@]}} COMPREPLY < <(compgen -f -- "$word")
  fi
}}
complete -F _unroll unroll
)",
                     quoted(joined(first)), cases);
}

std::string zsh_completion(const Description& program) {
  std::string commands, cases;
  for (const CommandDescription& command : program.commands) {
    commands += "    " + quoted(command.name + ":" + escaped(command.help, ":\\")) + "\n";
    cases += fmt::format("      {})\n        {} ;;\n", command.name, zsh_arguments(command));
  }
  return fmt::format(R"(#compdef unroll
# Completion of `unroll` in zsh, written by `unroll completion zsh`.
_unroll() {{
  local state
  local -a commands
  commands=(
{}  )
  {} \
        '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) case $words[1] in
{}    esac ;;
  esac
}}
if [[ $funcstack[1] == _unroll ]]; then
  _unroll "$@"
else
  compdef _unroll unroll
fi
)",
                     commands, "_arguments -C" + zsh_arguments(program.program).substr(10), cases);
}

std::string fish_completion(const Description& program) {
  std::string result =
      "# Completion of `unroll` in fish, written by `unroll completion fish`.\ncomplete -c unroll -f\n";
  for (const OptionDescription& option : program.program.options)
    result += fish_option("__fish_use_subcommand", option);
  for (const CommandDescription& command : program.commands)
    result += fmt::format("complete -c unroll -n __fish_use_subcommand -a {} -d {}\n", command.name,
                          fish_quoted(command.help));
  for (const CommandDescription& command : program.commands)
    for (const OptionDescription& option : command.options)
      result += fish_option("__fish_seen_subcommand_from " + command.name, option);
  return result;
}

}  // namespace unroll::cli
