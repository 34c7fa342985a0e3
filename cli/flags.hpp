#pragma once

#include <unroll/cli/commands.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <fmt/format.h>

// The command line: a subcommand fills its options in a file of flags, and does its work in a file of its own. (CLI11 takes seconds to
// compile, so few files include this.)
namespace unroll::cli {

// What the command line asked for.
using Run = std::function<int()>;

void add_summary(CLI::App& app, SummaryOptions& o, Run& run);
void add_check(CLI::App& app, CheckOptions& o, Run& run);
void add_zoo(CLI::App& app, ZooOptions& o, Run& run);
void add_tutorial(CLI::App& app, TutorialOptions& o, Run& run);
void add_grade(CLI::App& app, GradeOptions& o, Run& run);
void add_render(CLI::App& app, RenderCommandOptions& o, Run& run);
void add_list(CLI::App& app, ListOptions& o, Run& run);
void add_bias(CLI::App& app, BiasOptions& o, Run& run);
void add_hello(CLI::App& app, HelloOptions& o, Run& run);
void add_train(CLI::App& app, TrainOptions& o, Run& run);
void add_sample(CLI::App& app, SampleCommandOptions& o, Run& run);
void add_example(CLI::App& app, ExampleOptions& o, Run& run);
void add_reproduce(CLI::App& app, ReproduceOptions& o, Run& run);
void add_flow(CLI::App& app, FlowCommandOptions& o, Run& run);
void add_completion(CLI::App& app, std::string& shell, Run& run);
void add_man_page(CLI::App& app, Run& run);

// ---- what a value may be; the messages end in what would be right

CLI::Validator whole_number(std::int64_t low, std::int64_t high);
CLI::Validator seed_number();
CLI::Validator number(double low, bool low_allowed, const char* what);
// the name of a file to draw
CLI::Validator drawing();
CLI::Validator ending(const std::string& suffix);

// One of some words, each for a value.
template <class Value> using Words = std::vector<std::pair<std::string, Value>>;

template <class Value> Value one_of(const std::string& flag, const Words<Value>& words, const std::string& text) {
  std::string known;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].first == text) return words[i].second;
    known += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i].first;
  }
  throw CLI::ValidationError(flag, fmt::format("{} is not {}", text.empty() ? "\"\"" : text, known));
}

// ---- what several subcommands share

CLI::App& add(CLI::App& app, const char* name, const char* description, const char* footer);
CLI::Option* add_number(CLI::App& app, const char* flag, std::int64_t& value, std::int64_t high, const char* help);
void add_seed(CLI::App& app, std::uint64_t& seed, const char* help);
void add_json(CLI::App& app, bool& json, const char* schema);

template <class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, Value& value, const Words<Value>& words,
                        const std::string& help) {
  std::string type;
  for (const auto& [word, meaning] : words) type += (type.empty() ? "" : "|") + word;
  return app
      .add_option_function<std::string>(
          flag, [&value, flag, words](const std::string& text) { value = one_of(flag, words, text); }, help)
      ->type_name(type);
}

CellKind parse_cell(const std::string& name);
CLI::Option* add_cell(CLI::App& app, const char* name, CellKind& cell);
// CELL...: any number of them.
void add_cells(CLI::App& app, std::vector<CellKind>& cells);
// Refuses --reset where the cell has none.
void require_reset_gate(const CLI::App& app, CellKind cell);
void add_reset(CLI::App& app, Reset& reset, const CellKind& cell);
// A trained character model and its text, in place of what the options `others` say.
void add_model(CLI::App& app, std::string& model, const char* model_help, std::string& text, const char* text_type,
               const char* text_help, std::initializer_list<const char*> others);

}  // namespace unroll::cli
