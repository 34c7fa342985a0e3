#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/examples/examples.hpp>

#include <algorithm>

namespace unroll::cli {

namespace {

using examples::Example;
using examples::Outcome;

int list_examples(const ExampleOptions& o) {
  if (!o.outputs.empty()) throw Error("--output needs the NAME of the example to draw");
  if (o.json) {
    Json rows = Json::array();
    for (const Example& e : examples::all())
      rows.push_back({{"example", e.name}, {"shape", e.shape}, {"task", e.task}, {"updates", e.updates}});
    print_json({{"examples", rows}});
    return done;
  }
  std::size_t name = 0, shape = 0;
  for (const Example& e : examples::all()) {
    name = std::max(name, e.name.size());
    shape = std::max(shape, e.shape.size());
  }
  for (const Example& e : examples::all()) fmt::print("{:<{}}  {:<{}}  {}\n", e.name, name, e.shape, shape, e.task);
  fmt::print("\n`unroll example NAME` trains one.\n");
  return done;
}

// Ten lines on stderr, spread over the training, and one for its first update.
FitCallback progress() {
  return [](const FitState& state) {
    const std::int64_t tenth = state.update * 10 / state.updates;
    if (state.update == 1 || tenth > (state.update - 1) * 10 / state.updates)
      fmt::print(stderr, "update {:>6} of {}: loss {:.4f}\n", state.update, state.updates, state.mean_loss);
    return true;
  };
}

void draw_network(const Example& example, const Outcome& outcome, const std::string& file) {
  Tape tape;
  const Var loss = outcome.picture(tape);
  const Gradients gradients = backward(loss, {.keep = Keep::all, .flows = true});
  render(tape, file,
         {.gradients = &gradients,
          .title = fmt::format("{} ({}), trained: {}", example.name, example.shape, example.task)});
}

void print_scores(const Outcome& outcome) {
  fmt::print("\n{}, {}\n", outcome.score_name, outcome.higher_is_better ? "more is better" : "less is better");
  std::size_t width = std::string_view("the trained network").size();
  for (const auto& baseline : outcome.baselines) width = std::max(width, baseline.name.size());
  fmt::print("  {:<{}}  {:.4f}\n", "the trained network", width, outcome.score);
  for (const auto& baseline : outcome.baselines) fmt::print("  {:<{}}  {:.4f}\n", baseline.name, width, baseline.score);
}

void print_result(const Example& example, const Outcome& outcome, std::int64_t updates, const ExampleOptions& o) {
  Json baselines = Json::array();
  for (const auto& [name, score] : outcome.baselines) baselines.push_back({{"name", name}, {"score", score}});
  print_json({{"example", example.name},
              {"shape", example.shape},
              {"score", outcome.score},
              {"score_name", outcome.score_name},
              {"higher_is_better", outcome.higher_is_better},
              {"baseline", outcome.baselines.front().score},
              {"baselines", baselines},
              {"seed", o.seed},
              {"updates", updates},
              {"parameters", outcome.parameters},
              {"outputs", o.outputs}});
}

}  // namespace

int run_example(const ExampleOptions& o) {
  if (o.name.empty()) return list_examples(o);
  const Example& example = examples::find(o.name);
  for (const std::string& file : o.outputs) require_writable(file);
  const std::int64_t updates = o.updates > 0 ? o.updates : example.updates;
  if (!o.json) {
    std::string file(example.name);
    std::replace(file.begin(), file.end(), '-', '_');
    fmt::print("{} ({}): {}\n{} updates; the program is examples/{}.cpp\n", example.name, example.shape, example.task,
               updates, file);
    std::fflush(stdout);
  }
  const Outcome outcome = example.run({.seed = o.seed, .updates = updates, .callbacks = {progress()}});
  for (const std::string& file : o.outputs) draw_network(example, outcome, file);
  if (o.json) {
    print_result(example, outcome, updates, o);
    return done;
  }
  fmt::print("\n{}", outcome.shown);
  print_scores(outcome);
  for (const std::string& file : o.outputs) fmt::print("\nThe unrolled network with its gradients: {}", file);
  if (!o.outputs.empty()) fmt::print("\n");
  return done;
}

}  // namespace unroll::cli
