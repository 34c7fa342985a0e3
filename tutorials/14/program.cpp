#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

constexpr std::int64_t K = 6, units = 32;  // symbols 0 .. 5; units of h

//[ table
// What a task reads and what it is asked for, step by step. In `reads`, x is a symbol of the input, p the right answer of the step before,
// and . nothing. In `asks`, L is a step with a loss.
struct Task {
  std::string name, reads, asks;
  int (*answer)(const std::vector<int>& x, int t);  // what is right at step t = 1, 2, ..., for the input symbols x
};

const std::vector<Task> tasks{
    {"one-to-one", "x", "L", [](const std::vector<int>& x, int) { return 5 - x[0]; }},
    {"one-to-many", "x...", "LLLL", [](const std::vector<int>& x, int t) { return (x[0] + t) % 6; }},
    {"many-to-one", "xxxx", "...L",
     [](const std::vector<int>& x, int t) { return *std::max_element(x.begin(), x.begin() + t); }},
    {"encoder-decoder", "xxx.pp", "...LLL", [](const std::vector<int>& x, int t) { return x[6 - t]; }},
    {"synchronised", "xxxx", "LLLL",
     [](const std::vector<int>& x, int t) { return *std::max_element(x.begin(), x.begin() + t); }}};
//]

//[ network
// One cell and one readout: h_t = tanh(x_t W + h_(t-1) U + b), y_t = h_t V + a.
struct Network : Module {
  Parameter W, U, b, V, a;

  Network() : Module("rnn") {
    Generator generator(1);
    W = add("W", normal({K, units}, 0.4, generator, DType::f64));
    U = add("U", normal({units, units}, 0.15, generator, DType::f64));
    b = add("b", Array({units}, DType::f64));
    V = add("V", normal({units, K}, 0.15, generator, DType::f64));
    a = add("a", Array({K}, DType::f64));
  }
  Var step(const Var* x, Var h) const {  // nullptr: nothing is read
    Tape& tape = h.tape();
    const Scope scope(tape, "rnn");
    const Var from_h = matmul(h, tape.use(U)) + tape.use(b);
    return tanh(x ? matmul(*x, tape.use(W)) + from_h : from_h).named("h");
  }
  Var readout(Var h) const {
    Tape& tape = h.tape();
    const Scope scope(tape, "readout");
    return (matmul(h, tape.use(V)) + tape.use(a)).named("y");
  }
};
//]

// A batch of a task: what is read and what is right at each step, one symbol for each sequence. -1: nothing.
struct Batch {
  std::vector<std::vector<std::int64_t>> reads, right;
};

Batch batch(const Task& task, std::int64_t size, Generator& generator) {
  Batch result;
  std::vector<std::vector<int>> x(static_cast<std::size_t>(size), std::vector<int>(task.reads.size()));
  for (auto& symbols : x)
    for (int& symbol : symbols) symbol = static_cast<int>(generator.below(K));
  for (std::size_t t = 0; t < task.reads.size(); ++t) {
    result.reads.emplace_back(), result.right.emplace_back();
    for (std::size_t i = 0; i < x.size(); ++i) {
      result.right[t].push_back(task.asks[t] == 'L' ? task.answer(x[i], static_cast<int>(t) + 1) : -1);
      switch (task.reads[t]) {
        case 'x': result.reads[t].push_back(x[i][t]); break;
        case 'p': result.reads[t].push_back(result.right[t - 1][i]); break;
        case 's':
          result.reads[t].push_back(result.right[t][i]);
          break;  // of the same step: see "A target that is seen"
        default: result.reads[t].push_back(-1);
      }
    }
  }
  return result;
}

// (batch, K): a one in the place of the symbol; zeros where there is none.
Array one_hot(const std::vector<std::int64_t>& symbols) {
  Array rows({std::ssize(symbols), K}, DType::f64);
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] >= 0) rows.set_flat(i * static_cast<std::size_t>(K) + static_cast<std::size_t>(symbols[i]), 1);
  return rows;
}

Var zero(Tape& tape, std::size_t size) {
  return tape.constant(Array({static_cast<std::int64_t>(size), units}, DType::f64), "h");
}

//[ loss
// The loss of a task as its shape says: only steps that read have an input, only steps that are asked have a readout.
Var loss_of(const Network& network, Tape& tape, const Task& task, const Batch& data) {
  Var h = zero(tape, data.reads[0].size());
  std::vector<Var> losses;
  for (std::size_t t = 0; t < task.reads.size(); ++t) {
    const Step step(tape, static_cast<std::int64_t>(t) + 1);
    if (task.reads[t] == '.') {
      h = network.step(nullptr, h);
    } else {
      const Var x = tape.constant(one_hot(data.reads[t]), task.reads[t] == 'x' ? "x" : "prev");
      h = network.step(&x, h);
    }
    if (task.asks[t] == 'L') losses.push_back(cross_entropy(network.readout(h), data.right[t]).named("L"));
  }
  return mean(stack(losses)).named("loss");
}
//]

//[ masked
// The same as one synchronised program: an input and a readout at every step. Zeros stand for no input, and a mask says which answers count.
Var masked_loss(const Network& network, Tape& tape, const Task& task, const Batch& data) {
  Var h = zero(tape, data.reads[0].size());
  std::vector<Var> ys;
  std::vector<std::int64_t> right;
  std::vector<double> mask;
  for (std::size_t t = 0; t < task.reads.size(); ++t) {
    const Step step(tape, static_cast<std::int64_t>(t) + 1);
    const Var x = tape.constant(one_hot(data.reads[t]), "x");
    h = network.step(&x, h);
    ys.push_back(network.readout(h));
    for (const std::int64_t symbol : data.right[t]) {
      mask.push_back(task.asks[t] == 'L' ? 1 : 0);
      right.push_back(std::max<std::int64_t>(symbol, 0));  // where the mask is 0, any
    }
  }
  return cross_entropy(ys, right, mask);
}
//]

std::vector<std::int64_t> largest(const Array& y) {
  std::vector<std::int64_t> result;
  const auto rows = as_xtensor<double, 2>(y.view());
  for (std::size_t i = 0; i < rows.shape()[0]; ++i) {
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < K; ++k)
      if (rows(i, static_cast<std::size_t>(k)) > rows(i, static_cast<std::size_t>(best))) best = k;
    result.push_back(best);
  }
  return result;
}

//[ score
// How many of the answers for 500 new sequences are right. Where a step reads the answer before, it gets the network's own, not the right one.
double score(const Network& network, const Task& task) {
  Generator generator(99);
  const Batch data = batch(task, 500, generator);
  Tape tape;
  Var h = zero(tape, 500);
  std::vector<std::int64_t> said;
  const std::vector<std::int64_t> nothing(500, -1);
  double right = 0, all = 0;
  for (std::size_t t = 0; t < task.reads.size(); ++t) {
    const bool own = task.reads[t] == 'p' || (task.reads[t] == 's' && task.asks[t - 1] == 'L');
    const Var x = tape.constant(one_hot(own ? said : task.reads[t] == 's' ? nothing : data.reads[t]));
    h = network.step(&x, h);
    said = largest(network.readout(h).value().copy());
    for (std::size_t i = 0; task.asks[t] == 'L' && i < said.size(); ++i) ++all, right += said[i] == data.right[t][i];
  }
  return 100 * right / all;
}
//]

double train(const Network& network, const Task& task, std::int64_t updates = 300) {
  Generator generator(2);
  Adam adam(network.parameters(), {.learning_rate = 0.01});
  return fit([&](Tape& tape, std::int64_t) { return loss_of(network, tape, task, batch(task, 32, generator)); }, adam,
             {.updates = updates, .clip = 1})
      .mean_loss;
}

}  // namespace

int main() {
  section("Five shapes, one network");
  //[ train
  fmt::print("{:<17}{:<8}{:<10}{:>8}{:>8}\n", "", "reads", "asks", "before", "after");
  for (const Task& task : tasks) {
    const Network network;
    const double before = score(network, task);
    train(network, task);
    fmt::print("{:<17}{:<8}{:<10}{:>6.0f} %{:>6.0f} %\n", task.name, task.reads, task.asks, before,
               score(network, task));
  }
  //]

  section("The pictures");
  //[ pictures
  for (const Task& task : tasks) {
    Generator generator(5);
    Tape tape;
    loss_of(Network(), tape, task, batch(task, 1, generator));
    render(tape, task.name + ".svg", {.level = Level::gates, .values = ValueView::none});
  }
  //]

  section("All of them are the last one");
  //[ reduce
  fmt::print("{:<17}{:>9}{:>9}{:>12}{:>12}\n", "", "loss", "masked", "difference", "|dL/dU|");
  for (const Task& task : tasks) {
    Generator generator(5);
    const Network network;
    const Batch data = batch(task, 8, generator);
    Tape own, masked;
    const Var loss = loss_of(network, own, task, data), same = masked_loss(network, masked, task, data);
    const Gradients g = backward(loss), g_same = backward(same, {.keep = Keep::all, .flows = true});
    double difference = 0;  // of any gradient entry
    for (const Parameter& p : network.parameters())
      for (std::size_t i = 0; i < g_same[p].size(); ++i)
        difference = std::max(difference, std::abs(g_same[p].flat(i) - (g.contains(p) ? g[p].flat(i) : 0)));
    fmt::print("{:<17}{:>9.4f}{:>9.4f}{:>12.0e}{:>12.4f}\n", task.name, loss.item(), same.item(), difference,
               g_same.norm(network.U));
    if (task.name == "many-to-one")
      render(masked, "masked.svg", {.level = Level::gates, .gradients = &g_same, .values = ValueView::none});
  }
  //]

  section("A target that is seen");
  //[ seen
  fmt::print("{:<10}{:>14}{:>20}\n", "reads", "training loss", "right on its own");
  for (const char* reads : {"xxx.pp", "xxxsss"}) {
    Task task = tasks[3];
    task.reads = reads;
    const Network network;
    const double loss = train(network, task);
    fmt::print("{:<10}{:>14.1f}{:>20.1f}\n", reads, loss, score(network, task) / 100);
  }
  //]

  section("Sequences of different lengths");
  //[ lengths
  const Network network;
  const auto cell = [&](Var x, Var h) {
    const Var next = network.step(&x, h);
    return std::pair{next, next};
  };
  Generator generator(7);
  const Array padded = normal({5, 2, K}, 1, generator, DType::f64);  // five steps of two sequences
  Tape tape;
  const Var xs = tape.constant(padded, "x");
  const auto first_units = [](Var h, std::int64_t row) {
    return fmt::format("{:8.4f} {:8.4f} {:8.4f}", h.value().at({row, 0}), h.value().at({row, 1}),
                       h.value().at({row, 2}));
  };
  const auto all = over_time(cell, xs, zero(tape, 2));                       // as if both had five steps
  const auto own = over_time(cell, xs, zero(tape, 2), {.lengths = {3, 5}});  // the first has three
  const auto alone = over_time(cell, slice(slice(xs, 0, 0, 3), 1, 0, 1), zero(tape, 1));
  fmt::print("the three steps alone:       {}\n", first_units(alone.state, 0));
  fmt::print("without lengths, last step:  {}\n", first_units(all.outputs.back(), 0));
  fmt::print("with lengths, last step:     {}\n", first_units(own.outputs.back(), 0));
  fmt::print("with lengths, last state:    {}\n", first_units(own.state, 0));
  //]
}
