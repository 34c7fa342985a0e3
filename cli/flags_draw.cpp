#include <unroll/cli/flags.hpp>

#include <algorithm>

namespace unroll::cli {
namespace {

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

// What `render` and `list` record.
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

}  // namespace

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

}  // namespace unroll::cli
