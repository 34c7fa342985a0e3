#include <unroll/cli/commands.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include <fmt/format.h>

// The command line, and nothing else: each subcommand fills its options here and does its work in its own file. (CLI11 takes seconds to
// compile, so this is the only file that includes it.)
namespace unroll::cli {
namespace {

// ---- what a value may be; the messages end in what would be right

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

CLI::Option* add_number(CLI::App& app, const char* flag, std::int64_t& value, std::int64_t high, const char* help) {
  return app.add_option(flag, value, help)->check(whole_number(1, high))->capture_default_str()->type_name("N");
}

void add_seed(CLI::App& app, std::uint64_t& seed, const char* help) {
  app.add_option("--seed", seed, help)->check(seed_number())->capture_default_str()->type_name("N");
}

void add_json(CLI::App& app, bool& json, const char* schema) {
  app.add_flag("--json", json, fmt::format("print {}", schema));
}

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

// A trained character model and its text, in place of what the options `others` say.
void add_model(CLI::App& app, std::string& model, const char* model_help, std::string& text, const char* text_type,
               const char* text_help, std::initializer_list<const char*> others) {
  CLI::Option* of_text = app.add_option("--text", text, text_help)->type_name(text_type);
  CLI::Option* of_model = app.add_option("--model", model, model_help)->type_name("MODEL");
  of_model->needs(of_text);
  of_text->needs(of_model);
  for (const char* other : others) of_model->excludes(app.get_option(other));
}

// "K" or "K1,K2" of truncated BPTT.
void add_truncation(CLI::App& app, std::int64_t& k1, std::int64_t& k2) {
  app.add_option_function<std::string>(
         "--truncate",
         [&k1, &k2](const std::string& text) {
           const std::size_t comma = std::min(text.find(','), text.size());
           const std::string first = text.substr(0, comma);
           const std::string second = comma < text.size() ? text.substr(comma + 1) : first;
           if (!CLI::detail::lexical_cast(first, k1) || !CLI::detail::lexical_cast(second, k2) || k1 < 1 || k2 < k1)
             throw CLI::ValidationError("--truncate", text + " is neither K nor K1,K2 with 1 <= K1 <= K2");
         },
         "truncated BPTT: a window ends every K1 steps, and its gradient goes back over K2 [K2 = K1]")
      ->type_name("K1,K2");
}

void add_program(CLI::App& app, ProgramOptions& o) {
  add_cell(app, "CELL", o.cell);
  add_number(app, "--steps", o.steps, 100'000, "time steps T");
  add_number(app, "--input", o.input, 4096, "features of x");
  add_number(app, "--hidden", o.hidden, 1024, "units of h");
  add_number(app, "--batch", o.batch, 4096, "sequences side by side");
  add_number(app, "--layers", o.layers, 64, "layers one above the other");
  app.add_flag("--bidirectional", o.bidirectional, "a second cell of each layer, from the last step to the first");
  add_reset(app, o.reset, o.cell);
  app.add_flag("--peepholes", o.peepholes, "LSTM: the gates also see the cell state");
  add_truncation(app, o.k1, o.k2);
  app.add_flag("--packed", o.packed, "all gates in one product, as in training; without it, as in a textbook");
  add_seed(app, o.seed, "of the weights and inputs");
  add_model(app, o.model, "in place of a CELL: a character model that `unroll train --save` made", o.text, "TEXT",
            "what the model reads, a character a step: the sentence itself, not a file",
            {"CELL", "--steps", "--input", "--hidden", "--batch", "--layers", "--bidirectional", "--reset",
             "--peepholes", "--truncate", "--packed", "--seed"});
  app.parse_complete_callback([&app, &o] {
    require_reset_gate(app, o.cell);
    if (o.peepholes && o.cell != CellKind::lstm) throw CLI::ValidationError("--peepholes", "only an lstm has them");
    if (o.bidirectional && o.k1 > 0)
      throw CLI::ValidationError("--truncate", "not with --bidirectional, whose way back begins at the last step");
    if (app.count("CELL") == 0 && app.count("--model") == 0) throw CLI::RequiredError("CELL or --model");
  });
}

// ---- the subcommands

using Run = std::function<int()>;

CLI::App& add(CLI::App& app, const char* name, const char* description, const char* footer) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.footer(footer);
  return command;
}

void add_summary(CLI::App& app, SummaryOptions& o, Run& run) {
  CLI::App& c = add(app, "summary", "Count the parameters of a layer",
                    "Examples:\n"
                    "  unroll summary lstm --input 1 --hidden 10\n"
                    "        4 * ((1 + 1) * 10 + 10 * 10) = 480, three gates and a candidate\n"
                    "  unroll summary gru --input 1 --hidden 10 --reset after\n"
                    "        390, and 360 with the reset before: a second bias of 3 * 10\n"
                    "  unroll summary rnn --input 8 --hidden 16 --layers 2\n"
                    "  unroll summary lstm --input 8 --hidden 16 --bidirectional --projection 4");
  add_cell(c, "CELL", o.cell)->required();
  c.add_option("--input", o.input, "features of x")->check(whole_number(1, 65536))->required()->type_name("M");
  c.add_option("--hidden", o.hidden, "units of h")->check(whole_number(1, 4096))->required()->type_name("N");
  add_reset(c, o.reset, o.cell);
  c.add_option("--layers", o.layers, "layers one above the other")
      ->check(whole_number(1, 64))
      ->capture_default_str()
      ->type_name("L");
  c.add_flag("--bidirectional", o.bidirectional, "a second cell of each layer, from the last step to the first");
  c.add_flag("--layer-norm", o.layer_norm, "normalised sums");
  c.add_option("--projection", o.projection, "LSTM: h is projected to so many units")
      ->check(whole_number(1, 4096))
      ->type_name("P");
  add_json(c, o.json, R"({"layer", "parameters", "rows": [{"name", "shape", "parameters"}]})");
  c.callback([&] { run = [&] { return run_summary(o); }; });
}

void add_check(CLI::App& app, CheckOptions& o, Run& run) {
  CLI::App& c =
      add(app, "check", "Check the gradients of layers, and say what is wrong",
          "Every derivative that the backward pass finds, by every entry of every weight, of x and of the first\n"
          "state, is compared with (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / (12 h), in float64. A failure comes with\n"
          "a diagnosis. Exit 1 if a derivative is wrong. A cell of your own: docs/gradient-checking.md.\n\n"
          "Modes:\n"
          "  entries        every entry, by differences: 4 runs for each\n"
          "  directions     random directions, by differences: fast for large layers\n"
          "  forward        random directions, reverse mode against forward mode: nearly exact\n"
          "  extrapolated   every entry, differences extrapolated to step 0: slow, and a tighter bound\n\n"
          "Examples:\n"
          "  unroll check\n"
          "        every cell, in all its forms\n"
          "  unroll check lstm --steps 10 --parameters\n"
          "        the LSTM over ten steps, with a line for each parameter\n"
          "  unroll check gru --form bidirectional --mode forward\n"
          "        one form, against forward mode\n"
          "  unroll check lstm --hidden 64 --mode directions --directions 2 --form peepholes\n"
          "        a larger layer\n"
          "  unroll check gru --order 2\n"
          "        second derivatives, which check the recorded backward pass\n"
          "  unroll check rnn --tolerance 1e-30 --plot out/v-curve.svg\n"
          "        what a failure looks like: no floating-point number is as exact as that");
  c.add_option_function<std::vector<std::string>>(
       "CELL",
       [&o](const std::vector<std::string>& names) {
         for (const std::string& name : names) o.cells.push_back(parse_cell(name));
       },
       "rnn, lstm or gru; none means all")
      ->type_name("");
  c.add_option("--form", o.form,
               "only forms whose name holds this: peepholes, 2 layers, bidirectional, lengths, recomputed, ...")
      ->type_name("TEXT");
  add_number(c, "--input", o.input, 256, "features of x");
  add_number(c, "--hidden", o.hidden, 256, "units of h");
  add_number(c, "--steps", o.steps, 10'000, "time steps");
  add_number(c, "--batch", o.batch, 256, "sequences side by side");
  const std::map<std::string, CheckMode> modes{{"entries", CheckMode::entries},
                                               {"directions", CheckMode::directions},
                                               {"forward", CheckMode::forward},
                                               {"extrapolated", CheckMode::extrapolated}};
  c.add_option_function<std::string>(
       "--mode",
       [&o, modes](const std::string& text) {
         const auto found = modes.find(text);
         if (found == modes.end())
           throw CLI::ValidationError("--mode",
                                      text + " is no mode: choose entries, directions, forward or extrapolated");
         o.mode = found->second;
       },
       "what is compared, and with what [entries]")
      ->type_name("MODE");
  c.add_option("--order", o.order, "1 checks first derivatives, 2 second ones")
      ->check(whole_number(1, 2))
      ->capture_default_str()
      ->type_name("1|2");
  add_number(c, "--directions", o.directions, 10'000, "random directions of each leaf, in the modes that have them");
  c.add_option("--tolerance", o.tolerance,
               "largest relative error that passes [1e-06; 1e-09 in modes forward and extrapolated]")
      ->check(number(0, false, "a number above 0"))
      ->type_name("X");
  c.add_flag("--parameters", o.parameters, "a line for each parameter, not only for each layer");
  c.add_option("--plot", o.plot, "draw the error of the worst entry against the step")
      ->check(ending(".svg"))
      ->type_name("FILE.svg");
  add_seed(c, o.seed, "of weights, inputs and directions");
  add_json(
      c, o.json,
      R"({"passed", "mode", "order", "tolerance", "rows": [{"layer", "name", "entry", "index", "analytic", "numeric", "absolute_error", "relative_error", "passed"}], "diagnoses": [{"layer", "cause", "summary", "evidence"}]})");
  c.callback([&] { run = [&] { return run_check(o); }; });
}

void add_zoo(CLI::App& app, ZooOptions& o, Run& run) {
  CLI::App& c =
      add(app, "zoo", "Cells with a fault in their backward pass, for you to find",
          "Each animal is a recurrent cell whose gradient is wrong in one place. The list does not say where; with a\n"
          "NAME, the gradient check says what it finds, and then what the fault is.\n\n"
          "Examples:\n"
          "  unroll zoo\n"
          "  unroll zoo peephole-lstm");
  c.add_option("NAME", o.animal, "an animal; none lists all")->type_name("");
  add_json(c, o.json, R"({"animals": [{"name", "fault", "diagnosis", "cause", "evidence", "source"}]})");
  c.callback([&] { run = [&] { return run_zoo(o); }; });
}

void add_tutorial(CLI::App& app, TutorialOptions& o, Run& run) {
  CLI::App& c = add(app, "tutorial", "The course: list the chapters, or run the program of one",
                    "Seventeen chapters, from one multiplication to a trained, drawn and checked LSTM. The list says "
                    "which ones you have\n"
                    "read and whose exercises you have solved. With a number, the program of a chapter is built and "
                    "run, part by part;\n"
                    "its drawings go to out/tutorials/NN.\n\n"
                    "Examples:\n"
                    "  unroll tutorial\n"
                    "  unroll tutorial 6\n"
                    "  unroll tutorial --copy my-course\n"
                    "        a copy of your own, where unroll is installed");
  CLI::Option* const chapter = c.add_option("CHAPTER", o.chapter, "its number; none lists all")->type_name("");
  c.add_option("--copy", o.copy, "copy the course into a new folder")->type_name("FOLDER")->excludes(chapter);
  add_json(c, o.json, R"({"chapters": [{"number", "title", "page", "read", "solved"}]}, of the list)");
  c.callback([&] { run = [&] { return run_tutorial(o); }; });
}

void add_grade(CLI::App& app, GradeOptions& o, Run& run) {
  CLI::App& c =
      add(app, "grade", "Check your exercises of a chapter, with a hint for each mistake",
          "Builds tutorials/NN/exercise.cpp with the chapter's grader and runs it. Exit 1 until all tasks are done.\n\n"
          "Examples:\n"
          "  unroll grade 3\n"
          "  unroll grade 3 --file tutorials/03/solution.cpp");
  c.add_option("CHAPTER", o.chapter, "its number")->required()->type_name("");
  c.add_option("--file", o.file, "another file than the chapter's exercise.cpp")->type_name("FILE");
  add_json(c, o.json, R"({"title", "passed", "tasks": [{"name", "passed", "hint"}]})");
  c.callback([&] { run = [&] { return run_grade(o); }; });
}

// How it is drawn.
void add_look(CLI::App& c, RenderOptions& o) {
  add_choice<Level>(c, "--level", o.level,
                    {{"ops", Level::ops}, {"gates", Level::gates}, {"cells", Level::cells}, {"folded", Level::folded}},
                    "what gets a box: operations, gates, layers, or the network rolled up [ops]");
  c.add_option("--collapse", o.collapse, "only the first and the last K steps; 0: all")
      ->check(whole_number(0, 100'000))
      ->capture_default_str()
      ->type_name("K");
  c.add_option_function<std::string>(
       "--budget",
       [&o](const std::string& text) {
         if (text != "none" && (!CLI::detail::lexical_cast(text, o.budget) || o.budget < 1))
           throw CLI::ValidationError("--budget", text + " is neither a whole number from 1 up nor none");
         if (text == "none") o.budget = 0;
       },
       "boxes at most; a larger drawing leaves out steps, and says so [4000]")
      ->type_name("N|none");
  add_choice<ParameterView>(c, "--parameters", o.parameters,
                            {{"labels", ParameterView::labels}, {"nodes", ParameterView::nodes}},
                            "weights in the labels of their readers, or as boxes with a line to each use [labels]");
  c.add_flag_callback(
      "--backward", [&o] { o.backward = BackwardView::below; }, "the recorded backward pass as well");
  add_choice<ValueView>(c, "--values", o.values,
                        {{"none", ValueView::none},
                         {"shapes", ValueView::shapes},
                         {"statistics", ValueView::statistics},
                         {"numbers", ValueView::numbers}},
                        "what is said of values [shapes]");
  add_choice<Theme>(c, "--theme", o.theme, {{"light", Theme::light}, {"dark", Theme::dark}, {"print", Theme::print}},
                    "colours; print is black on white [light]");
  c.add_option("--title", o.title, "above the drawing")->type_name("TEXT");
}

// Where it is drawn.
void add_drawings(CLI::App& c, std::vector<std::string>& outputs, Format& format) {
  c.add_option("--output", outputs,
               "the file, by its suffix .dot .svg .png .pdf .json .html, or - for standard output; may be given again")
      ->check(CLI::Validator(
          [files = drawing()](std::string& text) { return text == "-" ? std::string() : files(text); }, ""))
      ->expected(1)
      ->take_all()
      ->required()
      ->type_name("FILE");
  add_choice<Format>(c, "--format", format,
                     {{"dot", Format::dot},
                      {"svg", Format::svg},
                      {"png", Format::png},
                      {"pdf", Format::pdf},
                      {"json", Format::json},
                      {"html", Format::html}},
                     "of --output - [svg]");
}

void require_one_writer(const CLI::App& c, const RenderCommandOptions& o) {
  const auto to_stdout = std::count(o.outputs.begin(), o.outputs.end(), "-");
  if (to_stdout > 1) throw CLI::ValidationError("--output", "- was given twice");
  if (to_stdout > 0 && o.json)
    throw CLI::ValidationError("--json", "not with --output -: both write to standard output");
  if (to_stdout == 0 && c.count("--format") > 0)
    throw CLI::ValidationError("--format", "only with --output -: of a file, the suffix says it");
}

void add_render(CLI::App& app, RenderCommandOptions& o, Run& run) {
  CLI::App& c =
      add(app, "render", "Draw a network, unrolled over time",
          "The loss is L = mean(h_T^2), of the last output only, so that the gradients show how far back it reaches;\n"
          "of a bidirectional network the mean over all outputs, of a character model the mean cross-entropy of the\n"
          "next characters. How to read the drawings: docs/drawing.md.\n\n"
          "Examples:\n"
          "  unroll render lstm --steps 3 --output lstm.svg\n"
          "  unroll render rnn --steps 8 --gradients --output rnn.png\n"
          "        watch the numbers on the lines fall from right to left\n"
          "  unroll render lstm --steps 100 --level gates --collapse 2 --gradients --output long.svg\n"
          "        the first two steps and the last two, a box for each gate\n"
          "  unroll render lstm --steps 6 --contributions W_f --output bars.svg\n"
          "        what each step adds to the gradient of a weight\n"
          "  unroll render lstm --steps 4 --truncate 2 --gradients --output cut.svg\n"
          "        truncated BPTT: where the gradient is cut\n"
          "  unroll render gru --steps 2 --gradients --backward --output gru.pdf\n"
          "        with the backward pass, which is a program, too\n"
          "  unroll render lstm --layers 2 --bidirectional --level cells --theme dark --output both.svg\n"
          "  unroll render --model out/model.safetensors --text \"the night\" --gradients --output night.html\n"
          "        a model that `unroll train --save` made, on a sentence of one's own, as a page\n"
          "  unroll render rnn --output - --format dot | dot -Tsvg > rnn.svg");
  add_program(c, o.program);
  add_look(c, o.drawing);
  c.add_flag("--gradients", o.gradients, "the norm of the gradient of every node, as colours, widths and numbers");
  c.add_option("--contributions", o.contributions,
               "a bar for each step: its part of the gradient of this parameter, W_f or lstm1.W_f; with --gradients")
      ->type_name("PARAMETER");
  add_drawings(c, o.outputs, o.drawing.format);
  add_json(c, o.json, R"({"nodes", "drawings": [{"output", "boxes", "notes"}]})");
  c.callback([&] {
    require_one_writer(c, o);
    run = [&] { return run_render(o); };
  });
}

void add_list(CLI::App& app, ListOptions& o, Run& run) {
  CLI::App& c = add(app, "list", "List the recorded program of a cell, or print it as equations",
                    "Examples:\n"
                    "  unroll list rnn --steps 2\n"
                    "        the tape, one line an operation, in the order of computation\n"
                    "  unroll list rnn --steps 2 --backward\n"
                    "        the same, and after it the backward pass\n"
                    "  unroll list rnn --steps 4 --truncate 1,2\n"
                    "        truncated BPTT: each window with a warm-up, and where the gradient is cut\n"
                    "  unroll list lstm --steps 2 --equations\n"
                    "        the forward and the adjoint program as mathematics\n"
                    "  unroll list gru --steps 2 --layers 2 --bidirectional\n"
                    "  unroll list --model out/model.safetensors --text \"the night\"\n"
                    "        a model that `unroll train --save` made, on a sentence of one's own");
  add_program(c, o.program);
  c.add_flag("--backward", o.backward, "the recorded backward pass as well");
  c.add_flag("--equations", o.equations, "as equations, with the adjoints");
  add_json(c, o.json, R"({"nodes", "lines": [...]})");
  c.callback([&] { run = [&] { return run_list(o); }; });
}

void add_bias(CLI::App& app, BiasOptions& o, Run& run) {
  CLI::App& c = add(
      app, "bias", "Measure the error of truncated BPTT against full BPTT",
      "The gradient of L = mean(h_t^2) over all steps: truncated, with windows of --k1 steps whose losses flow back\n"
      "over --k2 steps, against that of full BPTT.\n\n"
      "Examples:\n"
      "  unroll bias lstm --steps 100 --k1 10 --k2 10,20,50\n"
      "  unroll bias rnn --steps 40 --k1 1 --k2 1,2,4,8,40 --parameters\n"
      "        with a table of all parameters for each k2");
  add_cell(c, "CELL", o.cell)->required();
  add_number(c, "--steps", o.steps, 10'000, "time steps T");
  add_number(c, "--k1", o.k1, 10'000, "steps of a window");
  c.add_option("--k2", o.k2, "steps that its losses flow back over, at least k1; several with commas [k1, 2 k1, 4 k1]")
      ->delimiter(',')
      ->check(whole_number(1, 10'000))
      ->type_name("N,...");
  add_number(c, "--input", o.input, 256, "features of x");
  add_number(c, "--hidden", o.hidden, 256, "units of h");
  add_number(c, "--batch", o.batch, 256, "sequences side by side");
  add_reset(c, o.reset, o.cell);
  c.add_flag("--parameters", o.parameters, "a table of all parameters for each k2");
  add_seed(c, o.seed, "of the weights and inputs");
  add_json(
      c, o.json,
      R"({"cell", "rows": [{"k1", "k2", "relative_error", "cosine", "norm", "full_norm", "nodes", "parameters": [...]}]})");
  c.callback([&] { run = [&] { return run_bias(o); }; });
}

void add_hello(CLI::App& app, HelloOptions& o, Run& run) {
  CLI::App& c = add(app, "hello", "Teach an LSTM to answer \"ello\" to \"hell\"",
                    "Exit 1 if it is not learned.\n\n"
                    "Examples:\n"
                    "  unroll hello\n"
                    "  unroll hello --training-steps 10\n"
                    "        stopped early: it answers l to everything, the most frequent letter\n"
                    "  unroll hello --output out/hello.svg --output out/hello.png\n"
                    "        also draws the network, unrolled over time, with its gradients");
  c.add_option("--output", o.outputs, "draw the unrolled network: .dot .svg .png .pdf .json .html; may be given again")
      ->check(drawing())
      ->type_name("FILE");
  add_number(c, "--hidden", o.hidden, 256, "units of h");
  add_number(c, "--training-steps", o.training_steps, 1'000'000, "changes of the weights at most");
  add_seed(c, o.seed, "of the weights");
  add_json(c, o.json,
           R"({"learned", "steps", "loss", "answer", "rows": [{"input", "answer", "probability"}], "outputs"})");
  c.callback([&] { run = [&] { return run_hello(o); }; });
}

void add_train(CLI::App& app, TrainOptions& o, Run& run) {
  CLI::App& c = add(
      app, "train", "Learn a text, character by character",
      "The text is UTF-8 in any language; a character is a code point. It is cut into --batch streams that run side\n"
      "by side, and these into windows of --steps; the state runs on from window to window, gradients do not\n"
      "(truncated BPTT). The last 5 % of a text of 10000 characters or more are held out and measured apart.\n"
      "Equal seeds give equal models, unless --time-limit cuts in. Progress goes to stderr.\n\n"
      "Ctrl-C (or SIGTERM) stops after the current window, and saves the model where --save was given; the exit\n"
      "status is then 130 (143). Exit 1 if the loss is no longer a finite number.\n\n"
      "With --checkpoint FILE, the same command goes on where it was, however it ended (kill -9 included), to the\n"
      "same bits as without interruption.\n\n"
      "Examples:\n"
      "  unroll train --text data/night-train.txt --save out/model.safetensors\n"
      "  unroll train --text long.txt --save out/model.safetensors --checkpoint out/long.checkpoint\n"
      "  unroll train --text story.txt --cell gru --layers 2 --hidden 96 --epochs 20");
  c.add_option("--text", o.text, "the text to learn from")->required()->type_name("FILE");
  add_cell(c, "--cell", o.cell)->default_str("lstm");
  add_reset(c, o.reset, o.cell);
  add_number(c, "--hidden", o.hidden, 4096, "units of each layer");
  add_number(c, "--layers", o.layers, 64, "layers one above the other");
  add_number(c, "--steps", o.steps, 10'000, "time steps of a window, over which gradients flow");
  add_number(c, "--batch", o.batch, 4096, "streams side by side; a short text makes fewer");
  add_number(c, "--epochs", o.epochs, 1'000'000, "passes over the text");
  c.add_option("--learning-rate", o.learning_rate, "of Adam; falls in a straight line to 0")
      ->check(number(0, false, "a number above 0"))
      ->capture_default_str()
      ->type_name("X");
  c.add_option("--clip", o.clip, "largest norm of all gradients together")
      ->check(number(0, false, "a number above 0"))
      ->capture_default_str()
      ->type_name("X");
  c.add_option("--time-limit", o.time_limit, "seconds of training at most; how far it gets then depends on the machine")
      ->check(whole_number(1, 1'000'000))
      ->type_name("SECONDS");
  add_seed(c, o.seed, "of the weights and samples");
  c.add_option("--save", o.save, "keep the model in this file (safetensors)")->type_name("MODEL");
  CLI::Option* const checkpoint =
      c.add_option("--checkpoint", o.checkpoint, "go on from this file if it is there, and keep it up to date")
          ->type_name("FILE");
  add_number(c, "--save-every", o.save_every, 1'000'000'000, "windows between two checkpoints")->needs(checkpoint);
  add_json(c, o.json,
           R"({"characters", "initial_bits_per_character", "final_bits_per_character", "sample", "verdict"})");
  c.callback([&] { run = [&] { return run_train(o); }; });
}

void add_sample(CLI::App& app, SampleCommandOptions& o, Run& run) {
  CLI::App& c = add(app, "sample", "Let a saved model write",
                    "Examples:\n"
                    "  unroll sample out/model.safetensors --prompt 'The train' --length 300\n"
                    "  unroll sample out/model.safetensors --prompt 'The train' --temperature 0\n"
                    "        always the likeliest character: it soon goes round in circles\n"
                    "  unroll sample out/model.safetensors --prompt 'The train' --temperature 1.2 --seed 7\n"
                    "        bolder, with more mistakes");
  c.add_option("MODEL", o.model, "a model that `unroll train --save MODEL` made")->required()->type_name("");
  c.add_option("--prompt", o.prompt, "what the text begins with, in characters that the model knows")
      ->required()
      ->type_name("P");
  c.add_option("--length", o.length, "characters to write")
      ->check(whole_number(1, 10'000'000))
      ->capture_default_str()
      ->type_name("N");
  c.add_option("--temperature", o.temperature,
               "1: as likely as the model says; less: more careful; 0: always the likeliest")
      ->check(number(0, true, "a number from 0 up"))
      ->capture_default_str()
      ->type_name("X");
  add_seed(c, o.seed, "of the draws");
  add_json(c, o.json, R"({"prompt", "sample"})");
  c.callback([&] { run = [&] { return run_sample(o); }; });
}

void add_example(CLI::App& app, ExampleOptions& o, Run& run) {
  CLI::App& c =
      add(app, "example", "Train a small program for each task shape; without a NAME, list them",
          "Each example is one file in examples/: data, model, loss, training, and its score on held-out items beside\n"
          "that of a baseline which did not learn the task. Equal seeds give equal scores. Progress goes to stderr.\n\n"
          "Examples:\n"
          "  unroll example\n"
          "        the names and task shapes\n"
          "  unroll example digit\n"
          "        trains, and shows what it makes of digits that it never saw\n"
          "  unroll example caption --seed 2 --output out/caption.svg\n"
          "        also draws the trained network, unrolled over time, with its gradients");
  c.add_option("NAME", o.name, "which one")->type_name("");
  c.add_option("--output", o.outputs, "draw the unrolled network: .dot .svg .png .pdf .json .html; may be given again")
      ->check(drawing())
      ->type_name("FILE");
  c.add_option("--updates", o.updates, "changes of the weights; without it, as many as the example needs")
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  add_seed(c, o.seed, "of weights, batches and generated data");
  add_json(
      c, o.json,
      R"({"example", "shape", "score", "score_name", "baseline", "baselines": [{"name", "score"}], "seed", "updates", "parameters", "outputs"})");
  c.callback([&] { run = [&] { return run_example(o); }; });
}

void add_reproduce(CLI::App& app, ReproduceOptions& o, Run& run) {
  CLI::App& c = add(
      app, "reproduce", "Run a published experiment again; without a NAME, list them",
      "Prints the published number beside the one that came out here, for every row, and says by which criterion it\n"
      "counts as reproduced. Equal seeds give equal numbers. Progress goes to stderr. Exit 1 if one of the exact\n"
      "numbers does not come out; what a trained network reaches is reported, whatever it is.\n\n"
      "Examples:\n"
      "  unroll reproduce\n"
      "        the names, and about how long each takes\n"
      "  unroll reproduce exact\n"
      "        baselines, weight counts and derivatives that papers state exactly\n"
      "  unroll reproduce reach --output out/reach.svg\n"
      "        how far back each cell learns to look, as a curve");
  c.add_option("NAME", o.name, "which one")->type_name("");
  c.add_option("--output", o.output, "draw the curve of reach")->check(ending(".svg"))->type_name("FILE.svg");
  add_seed(c, o.seed, "of the first trial; the next ones count up from it");
  add_json(
      c, o.json,
      R"({"name", "title", "source", "setting", "criterion", "seed", "reproduced", "rows": [{"what", "published", "here", "reproduced", "note"}], "output"})");
  c.callback([&] { run = [&] { return run_reproduce(o); }; });
}

void add_flow(CLI::App& app, FlowCommandOptions& o, Run& run) {
  CLI::App& c = add(
      app, "flow", "Measure how the gradient flows back through time",
      "For every time step: the norms of the gradient by h and c, and the gates; then a verdict, which is converged,\n"
      "healthy, vanishing, saturated or exploding, with its grounds. The tasks ask at the last\n"
      "step for what was shown at the first: last (L = mean(h_T^2) of random inputs), recall (which of four\n"
      "symbols came first), adding (the sum of two marked numbers).\n\n"
      "Examples:\n"
      "  unroll flow --steps 50\n"
      "        rnn, lstm and gru side by side, untrained\n"
      "  unroll flow lstm --steps 30 --task recall --updates 300 --output flow.html\n"
      "        after some training, as a page with plots\n"
      "  unroll flow --model out/model.safetensors --text data/night-train.txt --steps 100 --output flow.svg\n"
      "        in a model that `unroll train --save` made, on the beginning of a text");
  c.add_option_function<std::vector<std::string>>(
       "CELL",
       [&o](const std::vector<std::string>& names) {
         for (const std::string& name : names) o.cells.push_back(parse_cell(name));
       },
       "rnn, lstm or gru; none means all")
      ->type_name("");
  add_number(c, "--steps", o.steps, 10'000, "time steps T");
  c.add_option("--task", o.task, "last, recall or adding")
      ->check(CLI::Validator(
          [](const std::string& text) -> std::string {
            if (text == "last" || text == "recall" || text == "adding") return {};
            return text + " is not a task: choose last, recall or adding";
          },
          ""))
      ->capture_default_str()
      ->type_name("TASK");
  add_number(c, "--hidden", o.hidden, 1024, "units of each layer");
  add_number(c, "--layers", o.layers, 64, "layers one above the other");
  add_number(c, "--batch", o.batch, 4096, "sequences side by side");
  c.add_option("--updates", o.updates, "updates of the parameters before the look")
      ->check(whole_number(0, 1'000'000))
      ->capture_default_str()
      ->type_name("N");
  c.add_option("--learning-rate", o.learning_rate, "of Adam")
      ->check(number(0, false, "a number above 0"))
      ->capture_default_str()
      ->type_name("X");
  c.add_flag("--jacobians", o.jacobians,
             "the singular values of dh_t/dh_(t-1), too: a backward pass for each unit and step");
  add_seed(c, o.seed, "of weights and data");
  add_model(c, o.model, "look at this character model", o.text, "FILE", "the text whose beginning the model reads",
            {"CELL", "--task", "--hidden", "--layers", "--batch", "--updates", "--learning-rate"});
  c.add_option("--output", o.output, "plots: .svg, or .html for a page with tables and maps")
      ->check(CLI::Validator(
          [](const std::string& name) -> std::string {
            for (const std::string suffix : {".svg", ".html"})
              if (name.size() > suffix.size() && name.ends_with(suffix)) return {};
            return name + " does not end in .svg or .html, which says what to write";
          },
          ""))
      ->type_name("FILE");
  add_json(c, o.json,
           R"({"cells": [{"cell", "verdict", "half_life", "gradient_norm_h", "gradient_norm_c", "grounds", ...}]})");
  c.callback([&] { run = [&] { return run_flow(o); }; });
}

// What the program says where it cannot do what was asked.
int refuse(const std::string& command, const std::string& message) {
  std::fputs(fmt::format("unroll{}{}: {}\n", command.empty() ? "" : " ", command, message).c_str(), stderr);
  return bad_usage;
}

int main(int argc, char** argv) {
  CLI::App app("See how recurrent networks learn: record, check, draw and train RNN, LSTM and GRU.", "unroll");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  unroll hello                                      an LSTM learns a word\n"
      "  unroll list rnn --steps 2 --equations             a network and its backward pass as mathematics\n"
      "  unroll render lstm --steps 3 --output lstm.svg    a drawing\n"
      "  unroll train --text data/night-train.txt          a network learns to write\n"
      "`unroll COMMAND --help` says more and has more examples.\n\n"
      "Exit status: 0 done, 1 a check failed, 2 the request cannot be met (a message says why).");
  SummaryOptions summary;
  CheckOptions check;
  ZooOptions zoo;
  TutorialOptions tutorial;
  GradeOptions grade;
  RenderCommandOptions render;
  ListOptions list;
  BiasOptions bias;
  HelloOptions hello;
  TrainOptions train;
  SampleCommandOptions sample;
  ExampleOptions example;
  ReproduceOptions reproduce;
  FlowCommandOptions flow;
  Run run;
  add_tutorial(app, tutorial, run);
  add_grade(app, grade, run);
  add_hello(app, hello, run);
  add_summary(app, summary, run);
  add_check(app, check, run);
  add_zoo(app, zoo, run);
  add_list(app, list, run);
  add_render(app, render, run);
  add_bias(app, bias, run);
  add_flow(app, flow, run);
  add_train(app, train, run);
  add_sample(app, sample, run);
  add_example(app, example, run);
  add_reproduce(app, reproduce, run);

  const auto command = [&] {
    const auto used = app.get_subcommands();
    return used.empty() ? std::string() : used.front()->get_name();
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) { return app.exit(e); } catch (const CLI::RequiredError& e) {
    if (!command().empty() || argc < 2)
      return refuse(command(), fmt::format("{}\n`unroll{}{} --help` shows what can be said here.", e.what(),
                                           command().empty() ? "" : " ", command()));
    return refuse("", fmt::format("there is no command {}\n`unroll --help` lists them.", argv[1]));
  } catch (const CLI::ParseError& e) {
    return refuse(command(), fmt::format("{}\n`unroll{}{} --help` shows what can be said here.", e.what(),
                                         command().empty() ? "" : " ", command()));
  }
  // At the sizes that are learned here, one thread is fastest; who knows better says so in the environment.
  if (!std::getenv("OPENBLAS_NUM_THREADS")) kernels::set_blas_threads(1);
  try {
    const int status = run();
    // what was printed counts only when it has arrived: the disk behind a redirection may be full
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) return refuse(command(), "the output could not be written");
    return status;
  } catch (const std::bad_alloc&) {
    return refuse(command(), "there is not enough memory for this: choose smaller numbers");
  } catch (const std::exception& e) { return refuse(command(), e.what()); }
}

}  // namespace
}  // namespace unroll::cli

int main(int argc, char** argv) { return unroll::cli::main(argc, argv); }
