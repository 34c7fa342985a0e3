#include <unroll/cli/flags.hpp>

namespace unroll::cli {

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
  add_cells(c, o.cells);
  c.add_option("--form", o.form,
               "only forms whose name holds this: peepholes, 2 layers, bidirectional, lengths, recomputed, ...")
      ->type_name("TEXT");
  add_number(c, "--input", o.input, 256, "features of x");
  add_number(c, "--hidden", o.hidden, 256, "units of h");
  add_number(c, "--steps", o.steps, 10'000, "time steps");
  add_number(c, "--batch", o.batch, 256, "sequences side by side");
  add_choice<CheckMode>(c, "--mode", o.mode,
                        {{"entries", CheckMode::entries},
                         {"directions", CheckMode::directions},
                         {"forward", CheckMode::forward},
                         {"extrapolated", CheckMode::extrapolated}},
                        "what is compared, and with what [entries]");
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
  add_cells(c, o.cells);
  add_number(c, "--steps", o.steps, 10'000, "time steps T");
  add_choice<std::string>(c, "--task", o.task, {{"last", "last"}, {"recall", "recall"}, {"adding", "adding"}},
                          "what the network is to learn")
      ->default_str(o.task);
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

}  // namespace unroll::cli
