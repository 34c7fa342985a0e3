#include <unroll/cli/flags.hpp>

namespace unroll::cli {

CLI::Validator whole_number(std::int64_t low, std::int64_t high) {
  return {[=](std::string& text) -> std::string {
            std::int64_t value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
            return fmt::format("{} is not a whole number from {} to {}", text, low, high);
          },
          ""};
}

CLI::Validator seed_number() {
  return {[](std::string& text) -> std::string {
            const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
            std::uint64_t value = 0;
            if (digits && CLI::detail::lexical_cast(text, value)) return {};
            return text + " is not a whole number from 0 up";
          },
          ""};
}

CLI::Validator number(double low, bool low_allowed, const char* what) {
  return {[=](std::string& text) -> std::string {
            double value = 0;
            // the comparison with 1e30 leaves out infinity and NaN
            if (CLI::detail::lexical_cast(text, value) && (low_allowed ? value >= low : value > low) && value < 1e30)
              return {};
            return fmt::format("{} is not {}", text, what);
          },
          ""};
}

CLI::Validator drawing() {
  return {[](std::string& text) -> std::string {
            for (const std::string suffix : {".dot", ".svg", ".png", ".pdf", ".json", ".html"})
              if (text.size() > suffix.size() && text.ends_with(suffix)) return {};
            return text + " does not end in .dot, .svg, .png, .pdf, .json or .html, which says what to draw";
          },
          ""};
}

CLI::Validator ending(const std::string& suffix) {
  return {[=](std::string& text) -> std::string {
            if (text.size() > suffix.size() && text.ends_with(suffix)) return {};
            return fmt::format("{} does not end in {}", text, suffix);
          },
          ""};
}

CLI::App& add(CLI::App& app, const char* name, const char* description, const char* footer) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.footer(footer);
  return command;
}

CLI::Option* add_number(CLI::App& app, const char* flag, std::int64_t& value, std::int64_t high, const char* help) {
  return app.add_option(flag, value, help)->check(whole_number(1, high))->capture_default_str()->type_name("N");
}

void add_seed(CLI::App& app, std::uint64_t& seed, const char* help) {
  app.add_option("--seed", seed, help)->check(seed_number())->capture_default_str()->type_name("N");
}

void add_json(CLI::App& app, bool& json, const char* schema) {
  app.add_flag("--json", json, fmt::format("print {}", schema));
}

CellKind parse_cell(const std::string& name) {
  const auto kind = cell_kind(name);
  if (!kind) throw CLI::ValidationError("CELL", name + " is not a cell: choose rnn, lstm or gru");
  return *kind;
}

CLI::Option* add_cell(CLI::App& app, const char* name, CellKind& cell) {
  return app
      .add_option_function<std::string>(
          name, [&cell](const std::string& text) { cell = parse_cell(text); }, "rnn, lstm or gru")
      ->type_name("");
}

void add_cells(CLI::App& app, std::vector<CellKind>& cells) {
  app.add_option_function<std::vector<std::string>>(
         "CELL",
         [&cells](const std::vector<std::string>& names) {
           for (const std::string& name : names) cells.push_back(parse_cell(name));
         },
         "rnn, lstm or gru; none means all")
      ->type_name("");
}

void require_reset_gate(const CLI::App& app, CellKind cell) {
  if (app.count("--reset") > 0 && cell != CellKind::gru)
    throw CLI::ValidationError("--reset", "only a gru has a reset gate");
}

void add_reset(CLI::App& app, Reset& reset, const CellKind& cell) {
  app.add_option_function<std::string>(
         "--reset",
         [&reset](const std::string& text) {
           if (text != "before" && text != "after")
             throw CLI::ValidationError("--reset", text + " is neither before nor after");
           reset = text == "before" ? Reset::before : Reset::after;
         },
         "GRU: the reset gate acts before or after the matrix product [before]")
      ->type_name("before|after");
  app.parse_complete_callback([&app, &cell] { require_reset_gate(app, cell); });
}

void add_model(CLI::App& app, std::string& model, const char* model_help, std::string& text, const char* text_type,
               const char* text_help, std::initializer_list<const char*> others) {
  CLI::Option* of_text = app.add_option("--text", text, text_help)->type_name(text_type);
  CLI::Option* of_model = app.add_option("--model", model, model_help)->type_name("MODEL");
  of_model->needs(of_text);
  of_text->needs(of_model);
  for (const char* other : others) of_model->excludes(app.get_option(other));
}

}  // namespace unroll::cli
