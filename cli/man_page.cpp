#include <unroll/cli/description.hpp>

#include <cctype>
#include <sstream>

#include <fmt/format.h>

namespace unroll::cli {
namespace {

// As it stands, whatever it means to troff: a backslash begins a command, so does a dot or an apostrophe at the beginning of a line, and a
// plain hyphen is not the minus of an option.
std::string literal(const std::string& text) {
  std::string result;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) result += "\\&";
    result += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    line_begins = c == '\n';
  }
  return result;
}

std::string option_entry(const OptionDescription& option) {
  std::string result = ".TP\n";
  if (!option.positional) result += "\\fB" + literal(option.name) + "\\fR";
  if (!option.value.empty())
    result += (option.positional ? "" : " ") + std::string("\\fI") + literal(option.value) + "\\fR";
  result += "\n" + literal(option.help);
  if (!option.preset.empty()) result += " [" + literal(option.preset) + "]";
  return result + "\n";
}

std::string options_of(const CommandDescription& command) {
  std::string result;
  for (const OptionDescription& option : command.options) result += option_entry(option);
  return result;
}

// Line for line.
std::string verbatim(const std::string& text) { return text.empty() ? "" : ".PP\n.nf\n" + literal(text) + "\n.fi\n"; }

// "See how ...: more." as the line that apropos(1) shows: "see how ...".
std::string summary(std::string text) {
  text = text.substr(0, text.find(':'));
  text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return text;
}

}  // namespace

std::string man_page(const Description& program) {
  std::string commands;
  for (const CommandDescription& command : program.commands)
    commands += fmt::format(".SS unroll {}\n{}.\n{}{}", literal(command.name), literal(command.help),
                            options_of(command), verbatim(command.footer));
  return fmt::format(R"(.\" Written by `unroll man\-page`.
.TH UNROLL 1 "" "{}" "User Commands"
.SH NAME
unroll \- {}
.SH SYNOPSIS
.B unroll
.I COMMAND
.RI [ OPTION ]...
.SH DESCRIPTION
{}
.SH OPTIONS
{}.SH COMMANDS
{}.SH EXAMPLES AND EXIT STATUS
{})",
                     literal(program.version), literal(summary(program.program.help)), literal(program.program.help),
                     options_of(program.program), commands, verbatim(program.program.footer));
}

}  // namespace unroll::cli
