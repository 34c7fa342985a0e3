#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

// What every operation must hold. The cases run over all_ops() with the samples that stand beside each definition, so a
// new operation is tested by having samples.

namespace unroll::test {

namespace {

bool is_constant(const Sample& sample, std::size_t i) {
  return std::find(sample.constants.begin(), sample.constants.end(), i) != sample.constants.end();
}

// One call of a sample on a tape of its own.
struct Recording {
  Recording(const Sample& sample, const std::vector<Array>& operands) {
    for (std::size_t i = 0; i < operands.size(); ++i)
      x.push_back(is_constant(sample, i) ? tape.constant(operands[i]) : tape.input(operands[i]));
    y = sample.call(x);
  }
  explicit Recording(const Sample& sample) : Recording(sample, sample.operands) {}

  Tape tape;
  std::vector<Var> x;
  Var y;
};

template <class Body> void for_each_sample(Body&& body) {
  for (const Op* op : all_ops()) {
    const std::vector<Sample> samples = op->samples ? op->samples() : std::vector<Sample>{};
    for (std::size_t k = 0; k < samples.size(); ++k) {
      INFO("operation ", std::string(op->name), ", sample ", k);
      body(*op, samples[k]);
    }
  }
}

// As above, for the samples that have derivatives, with a recording of each and a cotangent for its result.
template <class Body> void for_each_derivative(Body&& body) {
  for_each_sample([&](const Op& op, const Sample& sample) {
    if (!op.differentiable()) return;
    Recording recording(sample);
    REQUIRE(recording.y.node().tracked);
    body(sample, recording, spread(recording.y.shape(), -1, 1, 5));
  });
}

// The sample as a function of its operands' values.
Program program(const Sample& sample) {
  return [&sample](const std::vector<Array>& at) { return Recording(sample, at).y.value().copy(); };
}

std::vector<Array> directions(const Sample& sample) {
  std::vector<Array> result;
  for (std::size_t i = 0; i < sample.operands.size(); ++i)
    result.push_back(is_constant(sample, i) ? Array()
                                            : spread(sample.operands[i].shape(), -1, 1, 9 + static_cast<int>(i)));
  return result;
}

std::vector<Tangent> tangents(const Recording& recording, const std::vector<Array>& directions) {
  std::vector<Tangent> result;
  for (std::size_t i = 0; i < directions.size(); ++i)
    if (directions[i].size() > 0) result.push_back({recording.x[i], directions[i]});
  return result;
}

}  // namespace

TEST_CASE("contract: all_ops lists every operation that the library promises, once") {
  std::multiset<std::string> names;
  for (const Op* op : all_ops()) names.emplace(op->name);
  for (const char* name :
       {"add",    "sub",      "mul",         "div",         "neg",           "pow",     "square",       "sqrt",
        "exp",    "log",      "log1p",       "expm1",       "abs",           "sign",    "tanh",         "sigmoid",
        "relu",   "softplus", "sin",         "cos",         "erf",           "maximum", "minimum",      "where",
        "clip",   "matmul",   "affine",      "sum",         "mean",          "max",     "logsumexp",    "softmax",
        "sum_to", "reshape",  "log_softmax", "transpose",   "cross_entropy", "slice",   "broadcast_to", "pad",
        "concat", "stack",    "gather",      "scatter_add", "dropout",       "detach",  "select"}) {
    INFO("operation ", name);
    CHECK(names.count(name) == 1);
  }
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("contract: every operation has samples that record it") {
  for (const Op* op : all_ops()) {
    INFO("operation ", std::string(op->name));
    REQUIRE((op->samples != nullptr));
    const std::vector<Sample> samples = op->samples();
    CHECK(!samples.empty());
    for (const Sample& sample : samples) {
      const Recording recording(sample);
      bool recorded = false;
      for (NodeId id = 0; id < recording.tape.size(); ++id) recorded |= recording.tape[id].op == op;
      CHECK(recorded);
      for (const Array& operand : sample.operands) CHECK(operand.dtype() == DType::f64);
    }
  }
}

TEST_CASE("contract: every operation with a choice of shapes or attributes has samples that must be refused") {
  for (const Op* op : all_ops()) {
    INFO("operation ", std::string(op->name));
    // a pointwise operation refuses what does not broadcast (below), and detach takes everything
    CHECK((op->refused != nullptr || op->is_pointwise() || op->name == "detach"));
  }
}

TEST_CASE("contract: every reverse rule agrees with central differences") {
  for_each_derivative([](const Sample& sample, Recording& r, const Array& u) {
    const Gradients gradients = backward(r.y, {.cotangent = u});
    for (std::size_t i = 0; i < r.x.size(); ++i) {
      if (is_constant(sample, i)) continue;
      CAPTURE(i);
      CHECK(close(gradients[r.x[i]], numeric_gradient(program(sample), sample.operands, i, u), 1e-8, 1e-8));
    }
  });
}

TEST_CASE("contract: every forward rule agrees with central differences") {
  for_each_derivative([](const Sample& sample, Recording& r, const Array&) {
    const std::vector<Array> all = directions(sample);
    CHECK(
        close(jvp(r.y, tangents(r, all)).value(), numeric_tangent(program(sample), sample.operands, all), 1e-8, 1e-8));
    for (std::size_t i = 0; i < all.size(); ++i) {  // and one operand alone: the others have no tangent at all
      if (all[i].size() == 0) continue;
      CAPTURE(i);
      std::vector<Array> one(all.size());
      one[i] = all[i];
      CHECK(close(jvp(r.y, tangents(r, one)).value(), numeric_tangent(program(sample), sample.operands, one), 1e-8,
                  1e-8));
    }
  });
}

TEST_CASE("contract: every forward rule is the transpose of the reverse rule: u (J v) = (J' u) v") {
  for_each_derivative([](const Sample& sample, Recording& r, const Array& u) {
    const std::vector<Array> v = directions(sample);
    const Gradients gradients = backward(r.y, {.cotangent = u});
    double right = 0, size = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (v[i].size() == 0) continue;
      right += dot(gradients[r.x[i]], v[i]);
      size += gradients.norm(r.x[i]);
    }
    const double left = dot(jvp(r.y, tangents(r, v)).value(), u);
    CHECK(std::abs(left - right) <= 1e-13 * (1 + size));
  });
}

TEST_CASE("contract: a recorded backward pass gives the gradients of an unrecorded one") {
  for_each_derivative([](const Sample& sample, Recording& r, const Array& u) {
    const Gradients plain = backward(r.y, {.cotangent = u});
    const Gradients recorded = backward(r.y, {.create_graph = true, .cotangent = u});
    for (std::size_t i = 0; i < r.x.size(); ++i) {
      if (is_constant(sample, i)) continue;
      CAPTURE(i);
      CHECK(close(recorded[r.x[i]], plain[r.x[i]], 1e-15, 1e-14));
      CHECK(close(recorded.var(r.x[i]).value(), plain[r.x[i]], 1e-15, 1e-14));
    }
  });
}

TEST_CASE("contract: an adjoint that is a broadcast or transposed view of other memory gives the same gradients") {
  // The adjoint of sum() is one number repeated and that of transpose() a transposed view; recorded, they stay views.
  for_each_derivative([](const Sample& sample, Recording& r, const Array&) {
    const Array weights = spread(transpose(r.y).shape(), -1, 1, 3);
    for (const Var loss : {sum(r.y), sum(transpose(r.y) * r.tape.constant(weights))}) {
      const Gradients plain = backward(loss), recorded = backward(loss, {.create_graph = true});
      for (std::size_t i = 0; i < r.x.size(); ++i) {
        if (is_constant(sample, i)) continue;
        CAPTURE(i);
        CHECK(close(recorded[r.x[i]], plain[r.x[i]], 1e-15, 1e-14));
      }
    }
  });
}

TEST_CASE("contract: the recorded gradient of every operation is itself differentiated right") {
  for_each_derivative([](const Sample& sample, Recording& r, const Array& u) {
    const Gradients first = backward(r.y, {.create_graph = true, .cotangent = u});
    for (std::size_t i = 0; i < r.x.size(); ++i) {
      if (is_constant(sample, i)) continue;
      const Var gradient = first.var(r.x[i]);
      const Array w = spread(gradient.shape(), -1, 1, 7);
      const Program gradient_of = [&](const std::vector<Array>& at) {
        const Recording moved(sample, at);
        return backward(moved.y, {.cotangent = u})[moved.x[i]].copy();
      };
      for (std::size_t j = 0; j < r.x.size(); ++j) {
        if (is_constant(sample, j)) continue;
        CAPTURE(i);
        CAPTURE(j);
        Array second(r.x[j].shape(), DType::f64);  // zero where the gradient does not depend on the operand
        if (gradient.node().tracked) {
          const Gradients gradients = backward(gradient, {.cotangent = w});
          if (gradients.contains(r.x[j])) second = gradients[r.x[j]].copy();
        }
        CHECK(close(second, numeric_gradient(gradient_of, sample.operands, j, w), 2e-8, 2e-8));
      }
    }
  });
}

TEST_CASE("contract: every operation gives in float32 what it gives in float64, rounded") {
  for_each_sample([](const Op&, const Sample& sample) {
    std::vector<Array> narrow;
    for (const Array& operand : sample.operands) narrow.push_back(operand.as(DType::f32));
    Recording single(sample, narrow), both(sample);
    CHECK(single.y.dtype() == DType::f32);
    CHECK(close(single.y.value(), both.y.value(), 1e-6, 1e-6));
    if (!both.y.node().tracked) return;
    const Array u = spread(both.y.shape(), -1, 1, 5);
    for (const bool recorded : {false, true}) {
      CAPTURE(recorded);
      const Gradients a = backward(single.y, {.create_graph = recorded, .cotangent = u.as(DType::f32)});
      const Gradients b = backward(both.y, {.cotangent = u});
      for (std::size_t i = 0; i < single.x.size(); ++i) {
        if (is_constant(sample, i)) continue;
        CHECK(a[single.x[i]].dtype == DType::f32);
        CHECK(close(a[single.x[i]], b[both.x[i]], 2e-6, 2e-6));
      }
    }
  });
}

namespace {

// Three ways in which the same elements can lie in memory. Each gives a Var with the value of `array`, or an empty one
// where the rank does not allow it.
Var transposed(Tape& tape, const Array& array) {
  if (array.rank() < 2) return {};
  Tape other;
  return transpose(tape.input(transpose(other.input(array)).value().copy()));
}

// The neighbours that must not be read.
Array others(const Shape& shape, std::int64_t last) {
  std::vector<std::int64_t> extents = shape.vector();
  extents.back() = last;
  return Array::filled(Shape(extents), 99, DType::f64);
}

Var cut_from_padded(Tape& tape, const Array& array) {
  if (array.rank() < 1) return {};
  Tape other;
  const Var before = other.input(others(array.shape(), 1).as(array.dtype()));
  const Var after = other.input(others(array.shape(), 2).as(array.dtype()));
  const Var padded = concat(std::vector{before, other.input(array), after}, -1);
  return slice(tape.input(padded.value().copy()), -1, 1, -2);
}

Var every_other(Tape& tape, const Array& array) {
  if (array.rank() < 1) return {};
  Tape other;
  const Var gap = other.input(others(array.shape(), array.shape()[array.rank() - 1]).as(array.dtype()));
  return select(tape.input(stack(std::vector{other.input(array), gap}, -1).value().copy()), -1, 0);
}

}  // namespace

TEST_CASE("contract: operands that are strided views give the values and gradients of contiguous ones") {
  std::size_t strided = 0;
  for (Var (*const lay)(Tape&, const Array&) : {transposed, cut_from_padded, every_other})
    for (const DType dtype : {DType::f64, DType::f32})
      for_each_sample([&](const Op&, const Sample& sample) {
        std::vector<Array> operands;
        for (const Array& operand : sample.operands) operands.push_back(operand.as(dtype));
        Recording plain(sample, operands);
        Tape tape;
        std::vector<Var> x;
        for (const Array& operand : operands) {
          Var view = lay(tape, operand);
          if (view.empty()) view = tape.input(operand);
          REQUIRE(same_bits(view.value(), operand));
          strided += !view.value().contiguous();
          x.push_back(view);
        }
        const double tolerance = dtype == DType::f64 ? 1e-14 : 4e-6;
        const Var y = sample.call(x);
        CHECK(close(y.value(), plain.y.value(), tolerance, tolerance));
        if (!plain.y.node().tracked) return;
        const Array u = spread(y.shape(), -1, 1, 5).as(dtype);
        const Gradients expected = backward(plain.y, {.cotangent = u});
        for (const bool recorded : {false, true}) {
          CAPTURE(recorded);
          const Gradients found = backward(y, {.keep = Keep::all, .create_graph = recorded, .cotangent = u});
          for (std::size_t i = 0; i < x.size(); ++i)
            if (!is_constant(sample, i)) CHECK(close(found[x[i]], expected[plain.x[i]], tolerance, tolerance));
        }
      });
  CHECK(strided > 300);  // else nothing was tested
}

TEST_CASE("contract: a refused call names the operation and its shapes, and leaves no node") {
  std::size_t refused = 0;
  const auto check = [&](const Op& op, const Sample& sample) {
    Tape tape;
    std::vector<Var> x;
    for (const Array& operand : sample.operands) x.push_back(tape.input(operand));
    const std::size_t before = tape.size();
    std::string message;
    try {
      sample.call(x);
      FAIL_CHECK("not refused");
    } catch (const ShapeError& e) { message = e.what(); }
    INFO(message);
    CHECK(message.rfind(std::string(op.name) + ": ", 0) == 0);
    for (const Array& operand : sample.operands) CHECK(message.find(to_string(operand.shape())) != std::string::npos);
    CHECK(message.find("node ") != std::string::npos);
    CHECK(tape.size() == before);
    ++refused;
  };
  for (const Op* op : all_ops()) {
    INFO("operation ", std::string(op->name));
    if (op->refused)
      for (const Sample& sample : op->refused()) check(*op, sample);
    if (!op->is_pointwise()) continue;
    Sample mismatch = op->samples().front();
    if (mismatch.operands.size() < 2) continue;
    for (Array& operand : mismatch.operands) operand = spread({2, 3}, 0.5, 2);
    mismatch.operands.back() = spread({4}, 0.5, 2);
    check(*op, mismatch);
  }
  CHECK(refused > 30);
}

TEST_CASE("contract: operands of two dtypes are refused by every operation that takes several") {
  std::size_t refused = 0;
  for_each_sample([&](const Op& op, const Sample& sample) {
    if (sample.operands.size() < 2) return;
    for (std::size_t i = 0; i < sample.operands.size(); ++i) {
      CAPTURE(i);
      std::vector<Array> operands = sample.operands;
      operands[i] = operands[i].as(DType::f32);
      std::string message;
      try {
        const Recording mixed(sample, operands);
      } catch (const DTypeError& e) { message = e.what(); }
      INFO(message);
      CHECK(message.rfind(std::string(op.name) + ": ", 0) == 0);
      CHECK(message.find("float32") != std::string::npos);
      CHECK(message.find("float64") != std::string::npos);
      ++refused;
    }
  });
  CHECK(refused > 60);
}

}  // namespace unroll::test
