// 7 · BPTT, drawn: "hello"
#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <fmt/format.h>

#include <map>

using namespace unroll;
using course::section;

namespace {

//[ letters
const std::string letters = "helo", word = "hello";
constexpr std::int64_t classes = 4, hidden = 3, steps = 4;

std::int64_t number(char letter) { return static_cast<std::int64_t>(letters.find(letter)); }

Array one_hot(char letter) {
  Array row({1, classes}, DType::f64);
  row.set_flat(static_cast<std::size_t>(number(letter)), 1);
  return row;
}
//]

//[ network
struct Network {
  Generator generator{7};
  Parameter W_xh{"W_xh", normal({classes, hidden}, 0.5, generator, DType::f64)};
  Parameter W_hh{"W_hh", normal({hidden, hidden}, 0.5, generator, DType::f64)};
  Parameter b{"b", Array({hidden}, DType::f64)};
  Parameter W_hy{"W_hy", normal({hidden, classes}, 0.5, generator, DType::f64)};
  Parameter b_y{"b_y", Array({classes}, DType::f64)};
  bool remembers = true;  // false: the state is not handed on

  std::vector<Parameter> parameters() const { return {W_xh, W_hh, b, W_hy, b_y}; }

  struct Recorded {
    std::vector<Var> x, h, y, losses;  // of step t at index t - 1
    Var loss;
  };

  Recorded record(Tape& tape) const {
    Recorded r;
    const Var zero = [&] {
      const Step step(tape, 0);
      return tape.constant(Array({1, hidden}, DType::f64), "h");
    }();
    for (std::size_t t = 1; t <= steps; ++t) {
      const Step step(tape, static_cast<std::int64_t>(t));
      const Var before = t == 1 || !remembers ? zero : r.h.back();
      r.x.push_back(tape.constant(one_hot(word[t - 1]), "x"));
      const Var from_x = matmul(r.x.back(), tape.use(W_xh)), from_h = matmul(before, tape.use(W_hh));
      const Var a = (from_x + from_h + tape.use(b)).named("a");
      r.h.push_back(tanh(a).named("h"));
      r.y.push_back((matmul(r.h.back(), tape.use(W_hy)) + tape.use(b_y)).named("y"));
      const std::int64_t target = number(word[t]);
      r.losses.push_back(cross_entropy(r.y.back(), {&target, 1}).named("L"));
    }
    r.loss = (r.losses[0] + r.losses[1] + r.losses[2] + r.losses[3]).named("L");
    return r;
  }
};
//]

std::string numbers(const ArrayView& a) {
  std::string text;
  for (std::size_t i = 0; i < a.size(); ++i) text += fmt::format("{:8.3f}", a.flat(i) + 0.0);
  return text;
}

void lesson() {
  section("Input and target");
  //[ lesson
  for (std::size_t t = 1; t <= steps; ++t)
    fmt::print("t = {}   x_t = {}  {}   target {} = class {}\n", t, word[t - 1], numbers(one_hot(word[t - 1])), word[t],
               number(word[t]));
  //]
}

//[ predictions
void print_predictions(const Network& network) {
  Tape tape;
  const auto [x, h, y, losses, loss] = network.record(tape);
  fmt::print("             h       e       l       o   target  -log p\n");
  for (std::size_t t = 1; t <= steps; ++t) {
    const Var p = softmax(y[t - 1]);
    const double right = p.value().flat(static_cast<std::size_t>(number(word[t])));
    fmt::print("t = {}  {}{}        {}  {:6.3f}\n", t, word[t - 1], numbers(p.value()), word[t], -std::log(right));
  }
  fmt::print("L, their sum: {:.3f}\n", loss.item());
}
//]

void draw(const Network& network, const std::string& file, const std::string& title) {
  Tape tape;
  const auto recorded = network.record(tape);
  const Gradients gradients = backward(recorded.loss, {.keep = Keep::all, .flows = true});
  render(tape, file, {.level = Level::gates, .gradients = &gradients, .title = title});
}

void print_backward_equations(const Network& network) {
  section("The equations");
  //[ equations
  Tape tape;
  const auto recorded = network.record(tape);
  backward(recorded.loss, {.create_graph = true});
  const std::string text = equations(tape);  // the forward program, and then the adjoints
  fmt::print("{}", text.substr(text.find("-- t = 4\ndy_4")));
  //]
}

void two_parts(const Network& network) {
  section("Two parts");
  //[ two parts
  Tape tape;
  const auto [x, h, y, losses, loss] = network.record(tape);
  const Gradients g = backward(loss, {.keep = Keep::all, .flows = true});
  fmt::print("       from y_t  from t + 1   |dL/dh_t|\n");
  for (std::int64_t t = steps; t >= 1; --t) {
    const Var h_t = h[static_cast<std::size_t>(t - 1)];
    // what comes from the own step alone is the whole gradient, and is not measured apart
    fmt::print("t = {}  {:8.3f}    {:8.3f}    {:8.3f}\n", t, g.flow(h_t, t).value_or(g.norm(h_t)),
               g.flow(h_t, t + 1).value_or(0), g.norm(h_t));
  }
  //]

  section("As arrays, for t = 3");
  //[ as arrays
  const Var y_3 = y[2], h_3 = h[2], h_4 = h[3];
  Array from_output({1, hidden}, DType::f64), from_next({1, hidden}, DType::f64);
  for (std::int64_t i = 0; i < hidden; ++i) {
    double own = 0, next = 0;
    for (std::int64_t k = 0; k < classes; ++k) own += g[y_3].at({0, k}) * network.W_hy.value().at({i, k});
    for (std::int64_t j = 0; j < hidden; ++j) {
      const double da_4 = g[h_4].at({0, j}) * (1 - std::pow(h_4.value().at({0, j}), 2));
      next += da_4 * network.W_hh.value().at({i, j});
    }
    from_output.set_flat(static_cast<std::size_t>(i), own);
    from_next.set_flat(static_cast<std::size_t>(i), next);
  }
  fmt::print("from y_3   dL/dy_3 W_hy^T  {}\n", numbers(from_output));
  fmt::print("from t = 4 dL/da_4 W_hh^T  {}\n", numbers(from_next));
  fmt::print("dL/dh_3 of the library     {}\n", numbers(g[h_3]));
  //]
}

void order_of_work(const Network& network) {
  section("The order of the backward pass");
  //[ order
  Tape tape;
  const auto recorded = network.record(tape);
  const NodeId first = static_cast<NodeId>(tape.size());
  backward(recorded.loss, {.create_graph = true});
  std::map<NodeId, std::string> adjoints;  // by their place on the tape
  for (NodeId id = 0; id < first; ++id) {
    const Node& node = tape[id];
    if (node.place.step >= 1 && node.adjoint != no_node && !tape.name(id).empty())
      adjoints[node.adjoint] = fmt::format("d{}_{} {}", tape.name(id), node.place.step, to_string(node.value.shape));
  }
  std::int32_t running = no_step;
  for (const auto& [id, adjoint] : adjoints) {
    if (tape[id].place.step == no_step) continue;
    if (tape[id].place.step != running) fmt::print("{}t = {}:", running == no_step ? "" : "\n", tape[id].place.step);
    running = tape[id].place.step;
    fmt::print("  node {} {}", id, adjoint);
  }
  fmt::print("\n");
  //]

  section("Who hears from whom");
  //[ units
  const Array J = jacobian(recorded.h[3], recorded.h[2]);  // (1, unit of step 4, 1, unit of step 3)
  for (std::int64_t i = 0; i < hidden; ++i) {
    fmt::print("unit {} of h_3 hears from units 0, 1, 2 of h_4 with factors", i);
    for (std::int64_t j = 0; j < hidden; ++j) fmt::print("{:8.3f}", J.at({0, j, 0, i}));
    fmt::print("\n");
  }
  //]
}

PlotSeries train(const Network& network, const std::string& label, bool talk) {
  PlotSeries curve;
  curve.label = label;
  //[ train
  Adam adam(network.parameters(), {.learning_rate = 0.03});
  fit([&](Tape& tape, std::int64_t) { return network.record(tape).loss; }, adam,
      {.updates = 300, .callbacks = {[&](const FitState& state) {
                         curve.xs.push_back(static_cast<double>(state.update));
                         curve.ys.push_back(state.loss);
                         return true;
                       }}});
  //]
  if (talk)
    for (const std::size_t update : {1, 10, 50, 100, 200, 300})
      fmt::print("update {:>3}   L = {:.4f}\n", update, curve.ys[update - 1]);
  return curve;
}

}  // namespace

int main() {
  lesson();

  const Network network;
  section("Before training");
  print_predictions(network);
  draw(network, "before.svg", "\"hello\" before training, with its gradients");

  print_backward_equations(network);
  two_parts(network);
  order_of_work(network);

  section("Training");
  const PlotSeries with_memory = train(network, "with memory", true);
  section("After training");
  print_predictions(network);
  draw(network, "after.svg", "\"hello\" after 300 updates");

  section("Without memory");
  //[ without memory
  Network forgetful;
  forgetful.remembers = false;
  const PlotSeries without_memory = train(forgetful, "without", false);
  print_predictions(forgetful);
  fmt::print("2 ln 2 = {:.3f}\n", 2 * std::log(2.0));
  //]
  draw({.title = "The loss with and without the state handed on",
        .x_label = "update",
        .y_label = "L",
        .log_y = true,
        .series = {with_memory, without_memory}},
       "loss.svg");
}
