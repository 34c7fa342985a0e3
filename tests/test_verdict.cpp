#include "layers_support.hpp"

#include <unroll/core/check/verdict.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/flow_monitor.hpp>
#include <unroll/optim/optimizers.hpp>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <unistd.h>

namespace unroll::test {

namespace {

constexpr CellKind all_cells[] = {CellKind::rnn, CellKind::lstm, CellKind::gru};
constexpr std::uint64_t seeds[] = {1, 2, 3, 4, 5, 6, 7, 8};

// A network that is shown one of two symbols, then noise, and is asked at the end which one it was.
class Network {
 public:
  Network(CellKind cell, std::uint64_t seed, std::int64_t steps, std::int64_t layers = 1)
      : generator_(seed),
        steps_(steps),
        stack_({.cell = cell, .input = 2, .hidden = 16, .layers = layers}, generator_),
        readout_({.input = 16, .output = 2}, generator_),
        parameters_(stack_.parameters()) {
    for (const Parameter& p : readout_.parameters()) parameters_.push_back(p);
  }

  // W_x, W_h and b of a layer.
  Parameter weight(std::size_t k, std::size_t layer = 0) const { return stack_.parameters()[3 * layer + k]; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  Generator& generator() { return generator_; }

  void scale(std::size_t k, double factor) const {
    Parameter p = weight(k);
    Array value = p.value().copy();
    for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, factor * value.flat(i));
    p.assign(value);
  }
  // The bias of one block of 16 units.
  void set_bias(std::size_t block, double bias) const {
    Parameter p = weight(2);
    Array value = p.value().copy();
    for (std::size_t i = 0; i < 16; ++i) value.set_flat(16 * block + i, bias);
    p.assign(value);
  }

  Var loss(Tape& tape) {
    constexpr std::int64_t batch = 16;
    Array x({steps_, batch, 2});
    std::vector<std::int64_t> symbols;
    for (std::size_t i = 0; i < x.size(); ++i) x.set_flat(i, 0.2 * generator_.normal());
    for (std::size_t b = 0; b < batch; ++b) {
      symbols.push_back(static_cast<std::int64_t>(generator_.below(2)));
      x.set_flat(2 * b + static_cast<std::size_t>(symbols.back()), 1);
    }
    const auto sequence = over_time(stack_, tape.constant(x));
    return cross_entropy(readout_(sequence.outputs.back()), symbols);
  }

  // Trains, and gives the verdict on what it has become, against its own beginning.
  Judgement judged(std::int64_t updates = 0) {
    Tape tape;
    const auto measured = [&] {
      tape.clear();
      return flow_evidence(loss(tape));
    };
    const FlowBeginning beginning = beginning_of(measured());
    Adam adam(parameters_, {.learning_rate = 0.02});
    for (std::int64_t i = 0; i < updates; ++i) {
      tape.clear();
      Gradients gradients = backward(loss(tape));
      clip_by_norm(gradients, 1);
      adam.step(gradients);
    }
    return judge(measured(), beginning);
  }

 private:
  Generator generator_;
  std::int64_t steps_;
  RecurrentStack stack_;
  Linear readout_;
  std::vector<Parameter> parameters_;
};

std::string told(const Judgement& judgement) {
  return fmt::format("{}: {}", to_string(judgement.verdict), fmt::join(judgement.grounds, " "));
}

void make_forgetful(const Network& network, CellKind cell) {
  network.scale(1, 0.3);
  if (cell == CellKind::lstm) network.set_bias(1, -2);  // forget gate
  if (cell == CellKind::gru) network.set_bias(1, -2);   // update gate: z keeps
}

}  // namespace

TEST_CASE("verdict: a network whose recurrence shrinks is vanishing") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : seeds) {
      Network network(cell, seed, 20);
      make_forgetful(network, cell);
      const Judgement judgement = network.judged();
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::vanishing);
    }
}

TEST_CASE("verdict: a gradient that still vanishes after training is not taken for convergence") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : {1, 2, 3}) {
      Network network(cell, static_cast<std::uint64_t>(seed), 60);
      make_forgetful(network, cell);
      const Judgement judgement = network.judged(40);
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::vanishing);
    }
}

TEST_CASE("verdict: a linear or rectified recurrence that is too large is exploding") {
  for (const bool rectified : {false, true})
    for (const std::uint64_t seed : seeds) {
      Generator generator(seed);
      Array W = orthogonal({16, 16}, generator);
      for (std::size_t i = 0; i < W.size(); ++i) W.set_flat(i, (rectified ? 3 : 2) * W.flat(i));
      const Parameter U("U", W);
      Tape tape;
      const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
        const Var a = x + matmul(h, tape.use(U));
        const Var next = (rectified ? relu(a) : a + 0.0).named("h");
        return {next, next};
      };
      const Var xs = tape.constant(normal({20, 8, 16}, 1, generator));
      const Var last = over_time(cell, xs, tape.input(Array({8, 16}), "h")).outputs.back();
      const Judgement judgement = judge(flow_evidence(mean(square(last))));
      INFO(rectified, " ", told(judgement));
      CHECK(judgement.verdict == Verdict::exploding);
    }
}

TEST_CASE("verdict: a tanh, LSTM or GRU recurrence whose weights are far too large is exploding") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : seeds) {
      Network network(cell, seed, 100);
      network.scale(0, 0.1);
      network.scale(1, cell == CellKind::rnn ? 4 : 8);
      const Judgement judgement = network.judged();
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::exploding);
    }
}

TEST_CASE("verdict: huge biases saturate") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : seeds) {
      Network network(cell, seed, 20);
      Parameter b = network.weight(2);
      Array value = b.value().copy();
      for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, network.generator().below(2) ? 12 : -12);
      b.assign(value);
      const Judgement judgement = network.judged();
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::saturated);
    }
}

TEST_CASE("verdict: a network that has learned its task is converged") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : seeds) {
      Network network(cell, seed, 4);
      const Judgement judgement = network.judged(200);
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::converged);
    }
}

TEST_CASE("verdict: a fresh network on a short task is healthy") {
  for (const CellKind cell : all_cells)
    for (const std::uint64_t seed : seeds) {
      const Judgement judgement = Network(cell, seed, 8).judged();
      INFO(to_string(cell), " ", told(judgement));
      CHECK(judgement.verdict == Verdict::healthy);
    }
}

TEST_CASE("verdict: the lower layer of two can be the one that is ill") {
  for (const CellKind cell : all_cells) {
    Network network(cell, 1, 8, 2);
    CHECK(network.judged().verdict == Verdict::healthy);
    Parameter b = network.weight(2, 0);
    b.assign(Array::filled(b.shape(), 12));
    const Judgement judgement = network.judged();
    INFO(told(judgement));
    CHECK(judgement.verdict == Verdict::saturated);
    CHECK(judgement.grounds.front().starts_with(std::string(to_string(cell)) + "1: 100 % of the values"));
  }
}

// ---- the rules by themselves

namespace {

// The state of a stack after the first half of the steps.
CarriedState half_way(const RecurrentStack& stack, const Array& x) {
  Tape tape;
  Array early({x.shape()[0] / 2, x.shape()[1], x.shape()[2]}, DType::f64);
  for (std::size_t k = 0; k < early.size(); ++k) early.set_flat(k, x.flat(k));
  return carried(over_time(stack, tape.constant(early)).state);
}

FlowEvidence good() {
  FlowEvidence e;
  e.layer = "lstm";
  e.loss = 1;
  e.steps_back = 20;
  e.error = 1;
  e.entering = 0.5;
  e.arriving = 0.1;
  e.growth = 1;
  e.half_life = 6;
  e.saturated = 0.125;
  return e;
}

Verdict verdict(const std::function<void(FlowEvidence&)>& change, std::optional<FlowBeginning> beginning = {}) {
  FlowEvidence e = good();
  change(e);
  return judge(e, beginning).verdict;
}

}  // namespace

TEST_CASE("verdict: each rule decides at its threshold, and in its order") {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const FlowBeginning beginning{4, 20};
  CHECK(verdict([](auto&) {}) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.arriving = 0.00101; }) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.arriving = 0.00099; }) == Verdict::vanishing);
  CHECK(verdict([](auto& e) { e.arriving = 0, e.steps_back = 0; }) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.arriving = 0, e.saturated = 0.49; }) == Verdict::vanishing);
  CHECK(verdict([](auto& e) { e.arriving = 0, e.saturated = 0.51; }) == Verdict::saturated);
  CHECK(verdict([](auto& e) { e.saturated = 0.89; }) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.saturated = 0.91; }) == Verdict::saturated);
  CHECK(verdict([](auto& e) { e.growth = 999; }) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.growth = 1001, e.saturated = 1; }) == Verdict::exploding);
  for (const double bad : {inf, -inf, nan}) {
    CHECK(verdict([&](auto& e) { e.loss = bad; }) == Verdict::exploding);
    CHECK(verdict([&](auto& e) { e.error = bad; }) == Verdict::exploding);
    CHECK(verdict([&](auto& e) { e.growth = bad; }, beginning) == Verdict::exploding);
  }
  // 5 % of an error of 20, 25 % of a loss of 4
  CHECK(verdict([](auto& e) { e.error = 0.99, e.loss = 0.99; }, beginning) == Verdict::converged);
  CHECK(verdict([](auto& e) { e.error = 1.01, e.loss = 0.99; }, beginning) == Verdict::healthy);
  CHECK(verdict([](auto& e) { e.error = 0.99, e.loss = 1.01; }, beginning) == Verdict::saturated);
  CHECK(verdict([](auto& e) { e.error = 0.1, e.loss = 0.1, e.arriving = 0, e.growth = 1e6; }, beginning) ==
        Verdict::converged);
  CHECK(verdict([](auto& e) { e.error = 1e-9, e.loss = 1e-9; }) == Verdict::healthy);  // no beginning to compare with
  CHECK(verdict([](auto& e) { e.error = 0, e.loss = 0; }) == Verdict::converged);
  CHECK(verdict([](auto& e) { e.error = 0; }) == Verdict::saturated);
}

TEST_CASE("verdict: the grounds are sentences with their numbers, the deciding one first") {
  FlowEvidence e = good();
  CHECK(judge(e, FlowBeginning{4, 20}).grounds.size() == 4);
  CHECK(told(judge(e, FlowBeginning{4, 10})) ==
        "healthy: Of the gradient that enters at the last step, 10 % arrives 20 steps earlier, at the first. The error "
        "at the output is 1, 10 % of that at the beginning; the loss 1, 25 %. It halves every 6 steps. 12.5 % of the "
        "values of the gates are saturated.");
  e.growth = 5000;
  e.half_life.reset();
  CHECK(judge(e).grounds ==
        std::vector<std::string>{
            "The gradient grows to 5e+03 times what entered at the last step, on its way back of 20 "
            "steps.",
            "The error at the output is 1, the loss 1.",
            "Of the gradient that enters at the last step, 10 % arrives 20 steps earlier, at the "
            "first.",
            "It does not decay evenly: there is no half-life.", "12.5 % of the values of the gates are saturated."});
  e.arriving = 0.6;
  CHECK(judge(e).grounds[3] == "It does not halve on its way.");
  e.loss = std::numeric_limits<double>::infinity();
  CHECK(judge(e).grounds ==
        std::vector<std::string>{"The loss is inf and the gradient at the output 1: numbers have overflowed."});
  e = good();
  e.error = 0.01;
  CHECK(judge(e, FlowBeginning{1, 1}).grounds.front() ==
        "The error at the output is 0.01, 1 % of that at the beginning; the loss 1, 100 %. The readout does not let it "
        "through.");
  CHECK(message([] { judge(std::vector<FlowEvidence>{}); }) == "judge: there is no layer to judge");
}

TEST_CASE("verdict: the grounds do not speak of halving where nothing travels") {
  FlowEvidence e = good();
  e.half_life = 0;
  e.arriving = 0;
  CHECK(told(judge(e)).find("Nothing is left of it after one step.") != std::string::npos);
  CHECK(told(judge(e)).find("halve") == std::string::npos);
  e = good();
  e.half_life.reset();
  e.steps_back = 0;
  CHECK(told(judge(e)).find("halve") == std::string::npos);
  e = good();
  e.cut_before = 11;
  e.steps_back = 9;
  CHECK(
      told(judge(e)).starts_with("healthy: Of the gradient that enters at the last step, 10 % arrives 9 steps earlier, "
                                 "at the first before a cut. "));
  e.entering = e.arriving = e.growth = 0;
  CHECK(told(judge(e)) ==
        "vanishing: Nothing of the error enters the layer. The error at the output is 1, the loss 1. 12.5 % of the "
        "values of the gates are saturated.");
  e.steps_back = 0;
  CHECK(judge(e).verdict == Verdict::vanishing);
}

TEST_CASE("verdict: a layer on which the loss does not depend is left out and named") {
  FlowEvidence a = good(), b = good();
  a.layer = "spare";
  a.reached = false;
  a.error = a.entering = a.arriving = a.growth = 0;
  const Judgement judgement = judge({a, b});
  CHECK(judgement.verdict == Verdict::healthy);
  CHECK(judgement.grounds.front().starts_with("lstm: Of the gradient"));
  CHECK(judgement.grounds.back() == "Left out, because the loss does not depend on it: spare.");
  CHECK(message([&] { judge(std::vector<FlowEvidence>{a}); }) ==
        "judge: the loss depends on no recurrent layer: not on spare");
}

TEST_CASE("verdict: two bidirectional layers do not explode before training") {
  for (const CellKind cell : all_cells)
    for (const std::int64_t steps : {20, 60})
      for (const bool every_step : {false, true}) {
        Generator generator(3);
        const Bidirectional layers =
            bidirectional({.cell = cell, .input = 2, .hidden = 16, .layers = 2, .dtype = DType::f64}, generator);
        const Linear readout({.input = 32, .output = 2, .dtype = DType::f64}, generator);
        Tape tape;
        const auto sequence = over_time(layers, tape.constant(normal({steps, 4, 2}, 1, generator, DType::f64)));
        const std::vector<std::int64_t> symbols{0, 1, 1, 0};
        Var loss = cross_entropy(readout(sequence.outputs.back()), symbols);
        for (std::size_t t = 0; every_step && t + 1 < sequence.outputs.size(); ++t)
          loss = loss + cross_entropy(readout(sequence.outputs[t]), symbols);
        const std::vector<FlowEvidence> found = flow_evidence(loss);
        REQUIRE(found.size() == 4);
        for (std::size_t i = 0; i < 4; ++i) {
          INFO(to_string(cell), " ", steps, " ", every_step, " ", found[i].layer, " ", told(judge(found[i])));
          CHECK(found[i].reached);
          CHECK(found[i].growth < 20);
          CHECK(judge(found[i]).verdict != Verdict::exploding);
          // of the last output, the direction that reads backwards has seen one step only
          CHECK(found[i].steps_back == (every_step || i % 2 == 0 ? steps - 1 : 0));
        }
      }
}

TEST_CASE("verdict: the recurrence of each direction is judged by what passes through it") {
  for (const std::size_t ill : {2, 3}) {  // the two directions of the upper layer
    Generator generator(3);
    const Bidirectional layers =
        bidirectional({.cell = CellKind::rnn, .input = 2, .hidden = 16, .layers = 2, .dtype = DType::f64}, generator);
    for (std::size_t i = 0; i < 4; ++i) {
      Parameter W = layers.parameters()[3 * i + 1];
      Array value = orthogonal({16, 16}, generator, DType::f64);
      for (std::size_t k = 0; k < value.size(); ++k) value.set_flat(k, (i == ill ? 0.2 : 1) * value.flat(k));
      W.assign(value);
    }
    Tape tape;
    const auto sequence = over_time(layers, tape.constant(normal({20, 4, 2}, 0.3, generator, DType::f64)));
    const std::vector<FlowEvidence> found = flow_evidence(mean(square(sequence.stacked())));
    for (std::size_t i = 0; i < 4; ++i) {
      INFO(ill, " ", found[i].layer, " ", told(judge(found[i])));
      CHECK(found[i].steps_back == 19);
      CHECK(judge(found[i]).verdict == (i == ill ? Verdict::vanishing : Verdict::healthy));
    }
  }
}

TEST_CASE("verdict: padding behind the sequences does not hide that the gradient vanishes") {
  for (const bool every_step : {false, true})
    for (const double scale : {0.3, 1.0}) {
      Generator generator(1);
      const RNN rnn({.input = 2, .hidden = 16, .dtype = DType::f64}, generator);
      Array W = orthogonal({16, 16}, generator, DType::f64);
      for (std::size_t k = 0; k < W.size(); ++k) W.set_flat(k, scale * W.flat(k));
      Parameter(rnn.W_h).assign(W);
      Tape tape;
      const Array x = normal({60, 3, 2}, 0.2, generator, DType::f64);
      const auto sequence = over_time(rnn, time_steps(tape.constant(x)), rnn.zero_state(tape, 3),
                                      {.lengths = std::vector<std::int64_t>{18, 20, 19}});
      const FlowEvidence found =
          flow_evidence(every_step ? mean(square(sequence.stacked())) : mean(square(sequence.state.h))).at(0);
      INFO(every_step, " ", scale, " ", told(judge(found)));
      CHECK(found.steps_back == 19);
      CHECK(found.entering > 0);
      CHECK(judge(found).verdict == (scale < 1 ? Verdict::vanishing : Verdict::healthy));
    }
}

TEST_CASE("verdict: what does not enter a layer is lost and does not arrive") {
  Network network(CellKind::rnn, 1, 8, 2);
  Parameter W_x = network.weight(0, 1);
  W_x.assign(Array(W_x.shape(), W_x.dtype()));  // the upper layer lets nothing through
  Tape tape;
  const std::vector<FlowEvidence> found = flow_evidence(network.loss(tape));
  CHECK(found[0].reached);
  CHECK(found[0].arriving == 0);
  CHECK(judge(found[1]).verdict == Verdict::healthy);
  const Judgement judgement = judge(found);
  CHECK(judgement.verdict == Verdict::vanishing);
  CHECK(judgement.grounds.front() == "rnn1: Nothing of the error enters the layer.");
}

TEST_CASE("verdict: a layer that runs twice is judged by the run that the loss reads") {
  Generator generator(4);
  const LSTM lstm({.input = 2, .hidden = 8}, generator);
  Tape tape;
  const auto run = [&] { return over_time(lstm, tape.constant(normal({6, 2, 2}, 1, generator))); };
  const auto first = run();
  run();
  const Judgement judgement = judge(flow_evidence(mean(square(first.outputs.back()))));
  INFO(told(judgement));
  CHECK(judgement.verdict == Verdict::healthy);
  CHECK(judgement.grounds.front().starts_with("lstm: "));
  CHECK(judgement.grounds.back() == "Left out, because the loss does not depend on it: lstm, run 2.");
}

TEST_CASE("verdict: a truncated gradient is judged as far back as it goes") {
  for (const CellKind cell : all_cells) {
    Generator generator(2);
    const RecurrentStack stack({.cell = cell, .input = 2, .hidden = 16, .dtype = DType::f64}, generator);
    Tape tape;
    const Array x = normal({20, 4, 2}, 1, generator, DType::f64);
    const auto sequence = over_time(stack, time_steps(tape.constant(x)), stack.zero_state(tape, 4),
                                    {.truncate = Truncation{.k1 = 10, .k2 = 10}});
    const FlowEvidence found = flow_evidence(mean(square(sequence.outputs.back()))).at(0);
    const Judgement judgement = judge(found);
    INFO(told(judgement));
    CHECK(found.steps_back == 9);
    CHECK(found.cut_before == 11);
    CHECK(judgement.verdict == Verdict::healthy);
    CHECK(told(judgement).find("Gradients are cut before step 11: ") != std::string::npos);
    // as the last ten steps by themselves, from the state before them
    Tape alone;
    Array late({10, 4, 2}, DType::f64);
    for (std::size_t k = 0; k < late.size(); ++k) late.set_flat(k, x.flat(x.size() / 2 + k));
    const auto half =
        over_time(stack, time_steps(alone.constant(late)), resumed(stack.zero_state(alone, 4), half_way(stack, x)));
    CHECK(found.arriving == doctest::Approx(flow_evidence(mean(square(half.outputs.back()))).at(0).arriving));
  }
}

TEST_CASE("verdict: the warm-up of a truncated gradient is no layer") {
  Generator generator(2);
  const GRU gru({.input = 2, .hidden = 4}, generator);
  Tape tape;
  const auto sequence = over_time(gru, time_steps(tape.constant(normal({12, 2, 2}, 1, generator))),
                                  gru.zero_state(tape, 2), {.truncate = Truncation{.k1 = 4, .k2 = 6}});
  const std::vector<FlowEvidence> found = flow_evidence(mean(square(sequence.outputs.back())));
  REQUIRE(found.size() == 1);
  CHECK(found[0].layer == "gru");
  CHECK(found[0].cut_before == 9);
}

TEST_CASE("verdict: a state that overflows is exploding, not an error") {
  Tape tape;
  const Parameter U("U", Array({1, 1}, {1e30}, DType::f32));
  Var h = tape.input(Array({1, 1}, {1}, DType::f32), "h");
  for (std::int64_t t = 1; t <= 4; ++t) {
    const Step step(tape, t);
    h = matmul(h, tape.use(U)).named("h");
  }
  const Judgement judgement = judge(flow_evidence(sum(h)));
  INFO(told(judgement));
  CHECK(judgement.verdict == Verdict::exploding);
}

// ---- during training

namespace {

// Trains with or without a monitor, and gives the loss of each update.
std::vector<double> train(Network& network, FlowMonitor* monitor, std::int64_t updates, FitOptions options = {}) {
  FitLoss loss = [&](Tape& tape, std::int64_t) { return network.loss(tape); };
  options.updates = updates;
  std::vector<double> losses;
  options.callbacks.push_back([&](const FitState& state) {
    losses.push_back(state.loss);
    return true;
  });
  if (monitor) {
    loss = monitor->watch(loss);
    options.callbacks.push_back(monitor->callback());
  }
  Adam adam(network.parameters(), {.learning_rate = 0.02});
  fit(loss, adam, options);
  return losses;
}

}  // namespace

TEST_CASE("flow monitor: the verdict goes from healthy to converged, and the training ends in the same bits") {
  for (const CellKind cell : all_cells) {
    std::vector<FlowReading> readings;
    FlowMonitor monitor({.every = 20, .report = [&](const FlowReading& reading) {
                           readings.push_back(reading);
                           return true;
                         }});
    Network watched(cell, 3, 4), alone(cell, 3, 4);
    const std::vector<double> losses = train(watched, &monitor, 161);
    CHECK(losses == train(alone, nullptr, 161));
    for (std::size_t p = 0; p < watched.parameters().size(); ++p)
      CHECK(same_bits(watched.parameters()[p].value(), alone.parameters()[p].value()));

    REQUIRE(readings.size() == 9);
    for (std::size_t i = 0; i < readings.size(); ++i) {
      CHECK(readings[i].update == static_cast<std::int64_t>(20 * i + 1));
      CHECK(readings[i].loss == losses[20 * i]);
    }
    CHECK(readings.front().judgement.verdict == Verdict::healthy);
    CHECK(readings.back().judgement.verdict == Verdict::converged);
    REQUIRE(monitor.latest());
    CHECK(monitor.latest()->update == 161);
    CHECK(monitor.beginning().loss == losses[0]);
  }
}

TEST_CASE("flow monitor: the report can end the training") {
  FlowMonitor monitor({.every = 10, .report = [](const FlowReading& reading) {
                         return reading.judgement.verdict != Verdict::converged;
                       }});
  Network network(CellKind::lstm, 2, 4);
  const std::size_t updates = train(network, &monitor, 300).size();
  INFO(updates, " updates");
  CHECK(updates < 250);
  CHECK(updates > 20);
  CHECK(updates % 10 == 1);
  CHECK(monitor.latest()->judgement.verdict == Verdict::converged);
}

TEST_CASE("flow monitor: a resumed training is judged against the beginning of the interrupted one") {
  const auto file = std::filesystem::temp_directory_path() / ("unroll-test-verdict-" + std::to_string(::getpid()));
  const auto run = [&](FlowMonitor& monitor, std::int64_t updates, bool remember) {
    Network network(CellKind::gru, 2, 4);
    FitOptions options{.save = file, .fingerprint = "test"};
    double unused = 0;
    if (remember)
      monitor.remember_in(options.memory);
    else
      for (const char* what : {"loss", "error"})
        options.memory.numbers.emplace_back(fmt::format("flow monitor: {} at the beginning", what), &unused);
    train(network, &monitor, updates, options);
  };
  FlowMonitor first({.every = 10}), resumed({.every = 10}), forgetful({.every = 10});
  run(first, 200, true);
  std::filesystem::copy_file(file, file.string() + ".copy");
  run(resumed, 220, true);
  CHECK(resumed.latest()->judgement.verdict == Verdict::converged);
  CHECK(resumed.beginning().loss == first.beginning().loss);
  CHECK(resumed.beginning().error == first.beginning().error);
  std::filesystem::rename(file.string() + ".copy", file);
  run(forgetful, 220, false);
  CHECK(forgetful.latest()->judgement.verdict != Verdict::converged);
  std::filesystem::remove(file);
  CHECK(message([] { FlowMonitor({.every = 0}); }) == "FlowMonitor: option every is 0, expected at least 1");
}

}  // namespace unroll::test
