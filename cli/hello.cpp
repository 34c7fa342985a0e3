#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace unroll::cli {

namespace {

constexpr std::string_view word = "hello";
constexpr std::string_view letters = "helo";
constexpr double enough = 0.9;  // probability of every right answer at which training stops

std::int64_t number(char letter) { return static_cast<std::int64_t>(letters.find(letter)); }

// What the network says at one time step.
struct Prediction {
  char input, answer;
  double probability;  // of the answer
  bool right;
};

// A textbook LSTM that sees h, e, l, l, one letter a step, and a readout that says which letter comes next.
class Network {
 public:
  Network(std::int64_t hidden, Generator& generator)
      : lstm({.input = letters.size(), .hidden = hidden}, generator),
        readout({.input = hidden, .output = letters.size(), .name = "readout"}, generator) {}

  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all = lstm.parameters();
    all.insert(all.end(), readout.parameters().begin(), readout.parameters().end());
    return all;
  }

  // Records the network unrolled over the word. Gives the logits of every step and the loss, the mean cross-entropy.
  std::pair<std::vector<Var>, Var> record(Tape& tape) const {
    std::vector<Var> logits, losses;
    LSTMState state = lstm.zero_state(tape, 1);
    for (std::size_t t = 1; t < word.size(); ++t) {
      const Step step(tape, static_cast<std::int64_t>(t));
      Array one_hot({1, static_cast<std::int64_t>(letters.size())});
      one_hot.set_flat(static_cast<std::size_t>(number(word[t - 1])), 1);
      const auto [h, next] = lstm(tape.input(one_hot, "x"), state);
      const std::int64_t target = number(word[t]);
      logits.push_back(readout(h).named("y"));
      losses.push_back(cross_entropy(logits.back(), {&target, 1}).named("L"));
      state = next;
    }
    return {logits, mean(stack(losses, 0)).named("L")};
  }

  // The loss, and what the network says at each step.
  std::pair<double, std::vector<Prediction>> predictions() const {
    Tape tape;
    const auto [logits, loss] = record(tape);
    std::vector<Prediction> result;
    for (std::size_t t = 1; t < word.size(); ++t) {
      const Var p = softmax(logits[t - 1]);
      std::size_t best = 0;
      for (std::size_t i = 1; i < letters.size(); ++i)
        if (p.value().flat(i) > p.value().flat(best)) best = i;
      result.push_back({word[t - 1], letters[best], p.value().flat(best), letters[best] == word[t]});
    }
    return {loss.item(), result};
  }

  textbook::LSTM lstm;
  Linear readout;
};

std::string answer(const std::vector<Prediction>& predictions) {
  std::string text;
  for (const Prediction& p : predictions) text += p.answer;
  return text;
}

bool learned(const std::vector<Prediction>& predictions) {
  return std::all_of(predictions.begin(), predictions.end(),
                     [](const Prediction& p) { return p.right && p.probability > enough; });
}

// 1, 2, 5, 10, 20, 50, ...: often at first, when much happens.
bool worth_a_line(std::int64_t step) {
  while (step % 10 == 0) step /= 10;
  return step == 1 || step == 2 || step == 5;
}

struct Outcome {
  std::int64_t steps = 0;
  double loss = 0;
  std::vector<Prediction> predictions;
};

Outcome train(const Network& network, std::int64_t most_steps, bool talk) {
  Outcome outcome;
  // Whether to go on after so many steps.
  const auto look = [&](std::int64_t steps) {
    outcome.steps = steps;
    std::tie(outcome.loss, outcome.predictions) = network.predictions();
    const bool finished = learned(outcome.predictions) || steps == most_steps;
    if (talk && (steps == 0 || worth_a_line(steps) || finished))
      fmt::print("after {:>4} steps: loss {:.4f}, \"hell\" -> \"{}\"\n", steps, outcome.loss,
                 answer(outcome.predictions));
    return !finished;
  };
  Adam adam(network.parameters(), {.learning_rate = 0.03});
  if (look(0))
    fit([&](Tape& tape, std::int64_t) { return network.record(tape).second; }, adam,
        {.updates = most_steps, .callbacks = {[&](const FitState& state) { return look(state.update); }}});
  return outcome;
}

void print_table(const Outcome& outcome) {
  fmt::print("\n{:>3}  {:<5}  {:<6}  {}\n", "t", "input", "answer", "probability");
  for (std::size_t t = 0; t < outcome.predictions.size(); ++t) {
    const Prediction& p = outcome.predictions[t];
    fmt::print("{:>3}  {:<5}  {:<6}  {:.3f}{}\n", t + 1, p.input, p.answer, p.probability, p.right ? "" : "  wrong");
  }
}

void draw_network(const Network& network, const std::string& file) {
  Tape tape;
  const Gradients gradients = backward(network.record(tape).second, {.keep = Keep::all, .flows = true});
  render(
      tape, file,
      {.gradients = &gradients, .title = "An LSTM that has learned \"hello\", unrolled over time, with its gradients"});
}

}  // namespace

int run_hello(const HelloOptions& o) {
  Generator generator(o.seed);
  const Network network(o.hidden, generator);
  if (!o.json) {
    std::size_t count = 0;
    for (const Parameter& p : network.parameters()) count += p.size();
    fmt::print(
        "An LSTM with {} hidden units and a readout of 4 letters, {} parameters, sees h, e, l, l and learns to\n"
        "answer e, l, l, o (Adam, learning rate 0.03).\n\n",
        o.hidden, count);
  }
  const Outcome outcome = train(network, o.training_steps, !o.json);
  const bool passed = learned(outcome.predictions);
  for (const std::string& file : o.outputs) draw_network(network, file);

  if (o.json) {
    Json rows = Json::array();
    for (const Prediction& p : outcome.predictions)
      rows.push_back(
          {{"input", std::string(1, p.input)}, {"answer", std::string(1, p.answer)}, {"probability", p.probability}});
    print_json({{"learned", passed},
                {"steps", outcome.steps},
                {"loss", outcome.loss},
                {"answer", answer(outcome.predictions)},
                {"rows", rows},
                {"outputs", o.outputs}});
    return passed ? done : check_failed;
  }
  print_table(outcome);
  if (!passed)
    fmt::print("\nNot learned in {} steps: more --training-steps, another --seed or a larger --hidden may do it.\n",
               outcome.steps);
  for (const std::string& file : o.outputs) fmt::print("\nThe unrolled network with its gradients: {}", file);
  if (!o.outputs.empty()) fmt::print("\n");
  return passed ? done : check_failed;
}

}  // namespace unroll::cli
