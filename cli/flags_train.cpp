#include <unroll/cli/flags.hpp>

namespace unroll::cli {

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

}  // namespace unroll::cli
