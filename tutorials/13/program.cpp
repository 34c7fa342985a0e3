#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

//[ faults
enum class Fault { none, bias, weight, transposed, state, mean };

// a = x W + h_(t-1) U + b, h_t = tanh(a). On the way back one of five faults, or none.
std::vector<Var> step_backward(std::span<const Var> in, Var h, Var dh, Fault fault) {
  const Var x = in[0], before = in[1], W = in[2], U = in[3];
  const Var da = dh * (1 - square(h));
  Var dbefore = matmul(da, transpose(U)), dU = matmul(transpose(before), da), db = sum(da, {0});
  if (fault == Fault::bias) db = select(da, 0, 0);            // the first sequence only
  if (fault == Fault::weight) dU = matmul(transpose(h), da);  // h_t in place of h_(t-1)
  if (fault == Fault::transposed) dbefore = matmul(da, U);    // U is square: the shapes fit
  if (fault == Fault::state) dbefore = dbefore * 0;           // nothing goes back to the step before
  Var dW = matmul(transpose(x), da);
  if (fault == Fault::mean) dW = dW / static_cast<double>(x.shape()[0]);  // a mean over the batch
  return {matmul(da, transpose(W)), dbefore, dW, dU, db};
}
//]

struct Suspect : Module {
  Parameter W, U, b;
  Fault fault;

  explicit Suspect(Fault fault_, std::int64_t hidden = 3) : Module("rnn"), fault(fault_) {
    Generator generator(5);
    W = add("W", normal({2, hidden}, 0.7, generator, DType::f64));
    U = add("U", normal({hidden, hidden}, 0.7, generator, DType::f64));
    b = add("b", normal({hidden}, 0.7, generator, DType::f64));
  }
  HiddenState zero_state(Tape& tape, std::int64_t batch) const {
    return zero_hidden_state(tape, name(), batch, b.shape()[0], DType::f64);
  }
  std::pair<Var, HiddenState> operator()(Var x, HiddenState before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto forward = [](std::span<const Var> in) {
      return std::vector<Var>{tanh(affine(in[0], in[2], in[1], in[3], in[4])).named("h")};
    };
    const auto back = [which = fault](std::span<const Var> in, std::span<const Var> out, std::span<const Var> adjoint) {
      return step_backward(in, out[0], adjoint[0], which);
    };
    const Var h = custom_vjp(forward, back, {x, before.h, tape.use(W), tape.use(U), tape.use(b)})[0];
    return {h, {h}};
  }
};

//[ clue
// The leaves whose gradient is wrong, as letters.
std::string wrong_leaves(const Suspect& cell, std::int64_t steps, std::int64_t batch) {
  std::string names;
  for (const GradcheckRow& row :
       gradcheck(cell, {.steps = steps, .batch = batch, .input = 2, .gradcheck = {.diagnose = false}}).rows)
    if (!row.passed) names += (names.empty() ? "" : " ") + row.name.substr(row.name.find('.') + 1);
  return names.empty() ? "-" : names;
}
//]

// |dL/dh_t| for L = mean(h_T^2) over ten steps.
std::vector<double> norms_over_time(Fault fault) {
  const Suspect cell(fault);
  Generator generator(3);
  Tape tape;
  const Sequence<HiddenState> run = over_time(cell, tape.constant(normal({10, 2, 2}, 1, generator, DType::f64)));
  const Gradients g = backward(mean(square(run.state.h)), {.keep = Keep::all});
  std::vector<double> norms;
  for (const Var h : run.outputs) {
    double sum = 0;
    for (const double value : as_xarray<double>(g[h])) sum += value * value;
    norms.push_back(std::sqrt(sum));
  }
  return norms;
}

}  // namespace

int main() {
  const std::array<std::pair<const char*, Fault>, 5> animals{{{"bias", Fault::bias},
                                                              {"weight", Fault::weight},
                                                              {"transposed", Fault::transposed},
                                                              {"state", Fault::state},
                                                              {"mean", Fault::mean}}};

  section("All of them compute the right thing");
  //[ outputs
  for (const auto& [name, fault] : animals) {
    Tape tape;
    const Array ones = xt::xarray<double>(xt::ones<double>({3, 1, 2}));
    fmt::print("{:<11} h_3 = {:.4f}\n", name,
               fmt::join(as_xarray<double>(over_time(Suspect(fault), tape.constant(ones)).state.h.value()), " "));
  }
  //]

  section("Clues");
  //[ clues
  fmt::print("{:<11} {:<16} {:<16} {}\n", "wrong by", "T = 1, batch 1", "T = 1, batch 2", "T = 3, batch 1");
  for (const auto& [name, fault] : animals)
    fmt::print("{:<11} {:<16} {:<16} {}\n", name, wrong_leaves(Suspect(fault), 1, 1),
               wrong_leaves(Suspect(fault), 1, 2), wrong_leaves(Suspect(fault), 3, 1));
  //]

  section("Where it hurts");
  //[ norms
  Plot plot{.title = "The gradient by each state, L = mean(h_10^2)",
            .x_label = "time step t",
            .y_label = "|dL/dh_t|",
            .log_y = true,
            .id = "norms"};
  for (const auto& [name, fault] :
       {std::pair{"right", Fault::none}, {"transposed", Fault::transposed}, {"state", Fault::state}}) {
    const std::vector<double> norms = norms_over_time(fault);
    fmt::print("{:<11} t = 10: {:.4f}   t = 9: {:.4f}   t = 5: {:.4f}\n", name, norms[9], norms[8], norms[4]);
    plot.series.push_back({name, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, norms});
  }
  draw(plot, "norms.svg");
  //]

  section("The checker's answers");
  //[ answers
  for (const auto& [name, fault] : animals) {
    const GradcheckReport report = gradcheck(Suspect(fault), {.steps = 3, .batch = 2, .input = 2});
    fmt::print("{:<11} [{}] {}\n", name, to_string(report.diagnosis->cause), report.diagnosis->summary);
  }
  //]

  section("A fault without a backward pass of its own");
  //[ detached
  const Parameter W("W", Array({1, 1}, {0.8})), U("U", Array({1, 1}, {0.9}));
  const auto cell = [&](Var x, Var h) {
    Tape& tape = x.tape();
    const Var past = detach(h);  // somebody wanted to save memory
    const Var next = tanh(matmul(x, tape.use(W)) + matmul(past, tape.use(U))).named("h");
    return std::pair{next, next};
  };
  Tape tape;
  const auto run =
      over_time(cell, tape.constant(Array({3, 1, 1}, {1, 0.5, -1}), "x"), tape.constant(Array({1, 1}, {0}), "h"));
  const Gradients g = backward(mean(square(run.state)), {.keep = Keep::all, .flows = true});
  render(tape, "detached.svg", {.gradients = &g});
  const auto zero = [](Tape& t, std::int64_t batch) { return t.constant(Array({batch, 1}, DType::f64), "h"); };
  const GradcheckReport report = gradcheck(AnyCell("rnn", cell, zero, {W, U}), {.steps = 3, .batch = 2, .input = 1});
  fmt::print("[{}] {}\n", to_string(report.diagnosis->cause), report.diagnosis->summary);
  //]
}
