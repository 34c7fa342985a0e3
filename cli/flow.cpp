#include <unroll/cli/commands.hpp>
#include <unroll/cli/flow_report.hpp>
#include <unroll/cli/flow_task.hpp>
#include <unroll/cli/model_text.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/optimizers.hpp>

#include <cmath>

namespace unroll::cli {

namespace {

// Rows of the credit table: more cannot be told apart, and each costs a backward pass.
constexpr std::size_t credit_rows = 64;
// The contributions of the steps are arrays as large as the parameters. More bytes of them than this are not asked for.
constexpr double contributions_limit = 5e8;

std::vector<std::int64_t> asked_steps(std::int64_t steps) {
  std::vector<std::int64_t> asked;
  for (const std::size_t i : spread(static_cast<std::size_t>(steps), credit_rows))
    asked.push_back(static_cast<std::int64_t>(i) + 1);
  return asked;
}

FlowOptions flow_options(const FlowCommandOptions& o, const std::vector<Parameter>& recurrent,
                         const std::vector<Var>& losses) {
  FlowOptions options;
  double bytes = 0;
  for (const Parameter& p : recurrent)
    bytes += static_cast<double>(o.steps) * static_cast<double>(p.size() * size_of(p.dtype()));
  if (bytes <= contributions_limit) options.contributions = recurrent;
  if (o.jacobians) options.jacobians = FlowOptions::Jacobians::of_h;
  options.step_losses = losses;
  return options;
}

// Adam, with the norm of the gradients clipped to 1. Ends early where a number is no longer finite: the verdict says so.
void train(const FlowNetwork& network, const FlowCommandOptions& o) {
  Adam adam(network.parameters(), {.learning_rate = o.learning_rate});
  Generator batches(o.seed + 1);
  Tape tape;
  if (o.updates > 0) fmt::print(stderr, "{}: {} updates ...\n", to_string(network.stack().options.cell), o.updates);
  for (std::int64_t update = 0; update < o.updates; ++update) {
    tape.clear();
    Gradients gradients = backward(network.loss(tape, batches));
    if (!std::isfinite(clip_by_norm(gradients, 1))) return;
    adam.step(gradients);
  }
}

CellReport report_on_task(CellKind cell, const FlowCommandOptions& o) {
  const FlowNetwork network({.task = o.task,
                             .cell = cell,
                             .steps = o.steps,
                             .hidden = o.hidden,
                             .layers = o.layers,
                             .batch = o.batch,
                             .seed = o.seed});
  CellReport report{.cell = to_string(cell),
                    .task = o.task,
                    .flow = {},
                    .beginning = {},
                    .judgement = {},
                    .asked = asked_steps(o.steps)};
  Tape tape;
  const auto record = [&] {  // the same batch before and after the training
    tape.clear();
    Generator batch(o.seed + 2);
    return network.losses(tape, batch, report.asked);
  };
  report.beginning = beginning_of(flow_evidence(record().back()));
  train(network, o);
  const std::vector<Var> losses = record();
  report.flow = gradient_flow(losses.back(), flow_options(o, network.stack().parameters(), losses));
  report.judgement = judge(evidence(report.flow), o.updates > 0 ? std::optional(report.beginning) : std::nullopt);
  return report;
}

// ---- a trained model on a text

// The beginning of the text: the steps, and the character after them.
std::u32string beginning_of_text(const FlowCommandOptions& o) {
  std::u32string text;
  try {
    text = decode_utf8(read_whole_file(o.text));
  } catch (const Utf8Error& e) { throw FileError(fmt::format("{} is not UTF-8 text ({})", o.text, e.what())); }
  if (!text.empty() && text[0] == 0xFEFF) text.erase(0, 1);  // a byte order mark is not part of the text
  const auto needed = static_cast<std::size_t>(o.steps) + 1;
  if (text.size() < needed)
    throw Error(fmt::format("{} has {} characters: {} steps need {}, the last one to be predicted", o.text, text.size(),
                            o.steps, needed));
  return text.substr(0, needed);
}

// Records the model on the beginning of the text: the losses of the asked steps, as parts of the whole, and the whole behind them.
std::vector<Var> record(Tape& tape, const CharacterModel& model, const TextWindow& window,
                        const std::vector<std::int64_t>& asked) {
  CharacterModel::CarriedState state = model.zero_state(1);
  const Var loss = model.loss(tape, window, state);
  const Var logits = tape.var(tape.inputs(loss.id())[0]);  // (time, 1, characters)
  std::vector<Var> losses;
  for (const std::int64_t step : asked) {
    const std::span<const std::int64_t> target(&window.targets[static_cast<std::size_t>(step - 1)], 1);
    losses.push_back(cross_entropy(select(logits, 0, step - 1), target) / static_cast<double>(window.steps));
  }
  losses.push_back(loss);
  return losses;
}

CellReport report_on_model(const FlowCommandOptions& o) {
  const CharacterModel model = load_character_model(o.model);
  const TextWindow window = one_window(model.vocabulary, beginning_of_text(o));
  CellReport report{.cell = to_string(model.options.cell),
                    .task = o.model,
                    .flow = {},
                    .beginning = {},
                    .judgement = {},
                    .asked = asked_steps(o.steps)};
  Tape tape;
  {
    Generator generator(o.seed);
    const CharacterModel untrained(model.options, model.vocabulary, generator);
    report.beginning = beginning_of(flow_evidence(record(tape, untrained, window, {}).back()));
    tape.clear();
  }
  std::vector<Var> losses = record(tape, model, window, report.asked);
  const Var loss = losses.back();
  losses.pop_back();
  std::vector<Parameter> recurrent;
  for (const Parameter& p : model.parameters())
    if (p.name().starts_with(report.cell)) recurrent.push_back(p);
  report.flow = gradient_flow(loss, flow_options(o, recurrent, losses));
  report.judgement = judge(evidence(report.flow), report.beginning);
  return report;
}

}  // namespace

int run_flow(const FlowCommandOptions& o) {
  if (!o.output.empty()) require_writable(o.output);
  std::vector<CellReport> reports;
  if (!o.model.empty()) {
    reports.push_back(report_on_model(o));
  } else {
    std::vector<CellKind> cells = o.cells;
    if (cells.empty()) cells = {CellKind::rnn, CellKind::lstm, CellKind::gru};
    for (const CellKind cell : cells) reports.push_back(report_on_task(cell, o));
  }
  if (!o.output.empty()) write_whole_file(o.output, to_picture(reports, o.output.ends_with(".html")));
  if (o.json) {
    Json cells = Json::array();
    for (const CellReport& report : reports) cells.push_back(to_json(report));
    print_json({{"cells", cells}});
    return done;
  }
  for (const CellReport& report : reports) fmt::print("{}{}", &report == &reports.front() ? "" : "\n", to_text(report));
  if (!o.output.empty()) fmt::print("\n{}\n", o.output);
  return done;
}

}  // namespace unroll::cli
