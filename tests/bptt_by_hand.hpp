#pragma once

#include "layers_support.hpp"

#include <unroll/layers/gru.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// Backpropagation through time for one layer, derived by hand and written as plain loops over one sequence of the batch
// at a time.
// Nothing here uses the engine: numbers go in and out of arrays, and all that happens between is below.
//
// Notation: L is the loss, and da is short for dL/da, the derivative of L by a with all that follows a taken into
// account. h' and c' are the states one step earlier. Where a value feeds several places, its adjoint is the sum of
// what comes back from each (the chain rule for several variables): this is why adjoints are added up below, and why a
// weight used at T steps gets a sum over T.
namespace unroll::test::by_hand {

using Vector = std::vector<double>;

struct Matrix {
  Matrix(std::size_t rows, std::size_t columns) : width(columns), elements(rows * columns) {}
  explicit Matrix(const Array& a)
      : Matrix(static_cast<std::size_t>(a.shape()[0]), static_cast<std::size_t>(a.shape()[1])) {
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = a.flat(i);
  }
  double& operator()(std::size_t i, std::size_t j) { return elements[i * width + j]; }
  double operator()(std::size_t i, std::size_t j) const { return elements[i * width + j]; }

  std::size_t rows() const { return elements.size() / width; }
  std::size_t width;
  Vector elements;
};

inline Vector vector_of(const Array& a) {
  Vector v(a.size());
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = a.flat(i);
  return v;
}
inline Array array_of(Shape shape, const Vector& v) { return Array(std::move(shape), std::span<const double>(v)); }

inline double logistic(double a) { return 1 / (1 + std::exp(-a)); }

// Row (t, b) of a (time, batch, width) array, or (0, b) of a (batch, width) one.
inline Vector row(const Array& a, std::size_t t, std::size_t b) {
  const auto width = static_cast<std::size_t>(a.shape()[a.rank() - 1]);
  const auto batch = static_cast<std::size_t>(a.shape()[a.rank() - 2]);
  Vector v(width);
  for (std::size_t j = 0; j < width; ++j) v[j] = a.flat((t * batch + b) * width + j);
  return v;
}
inline void set_row(Array& a, std::size_t t, std::size_t b, const Vector& v) {
  const auto batch = static_cast<std::size_t>(a.shape()[a.rank() - 2]);
  for (std::size_t j = 0; j < v.size(); ++j) a.set_flat((t * batch + b) * v.size() + j, v[j]);
}

// a_k += sum_m v_m W_mk
inline void add_product(Vector& a, const Vector& v, const Matrix& W) {
  for (std::size_t m = 0; m < v.size(); ++m)
    for (std::size_t k = 0; k < a.size(); ++k) a[k] += v[m] * W(m, k);
}

// The same, backwards: da_k/dv_m = W_mk and da_k/dW_mk = v_m, so that
//   dv_m  += sum_k da_k W_mk
//   dW_mk += v_m da_k
inline void add_product_backward(const Vector& da, const Vector& v, const Matrix& W, Vector& dv, Matrix& dW) {
  for (std::size_t m = 0; m < v.size(); ++m)
    for (std::size_t k = 0; k < da.size(); ++k) {
      dv[m] += da[k] * W(m, k);
      dW(m, k) += v[m] * da[k];
    }
}

inline void add_to(Vector& sum, const Vector& v) {
  for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += v[k];
}

// What all three layers have in common: the arrays of a solution, filled row by row.
struct Sheet {
  explicit Sheet(const Problem& p)
      : T(static_cast<std::size_t>(p.x.shape()[0])),
        B(static_cast<std::size_t>(p.x.shape()[1])),
        I(static_cast<std::size_t>(p.x.shape()[2])),
        H(static_cast<std::size_t>(p.h0.shape()[1])),
        dx(p.x.shape(), DType::f64),
        dh0(p.h0.shape(), DType::f64) {
    solution.output = Array(p.d_output.shape(), DType::f64);
    solution.h = Array(p.h0.shape(), DType::f64);
  }
  Solution finished(const Parameter& W_x, const Matrix& dW_x, const Parameter& W_h, const Matrix& dW_h) {
    solution.gradients["x"] = dx;
    solution.gradients["h0"] = dh0;
    solution.gradients["W_x"] = array_of(W_x.shape(), dW_x.elements);
    solution.gradients["W_h"] = array_of(W_h.shape(), dW_h.elements);
    return solution;
  }

  std::size_t T, B, I, H;
  Array dx, dh0;
  Solution solution;
};

// ---- RNN:  a = x W_x + h' W_h + b,  h = phi(a),  phi = tanh or relu

inline Solution rnn(const RNN& layer, const Problem& p) {
  Sheet s(p);
  const Matrix W_x(layer.W_x.value()), W_h(layer.W_h.value());
  const Vector bias = vector_of(layer.b.value());
  Matrix dW_x(s.I, s.H), dW_h(s.H, s.H);
  Vector db(s.H);
  const bool is_tanh = layer.options.activation == Activation::tanh;

  for (std::size_t b = 0; b < s.B; ++b) {
    std::vector<Vector> h{row(p.h0, 0, b)};  // h[t] is the state after step t
    for (std::size_t t = 1; t <= s.T; ++t) {
      Vector a = bias;
      add_product(a, row(p.x, t - 1, b), W_x);
      add_product(a, h[t - 1], W_h);
      for (double& v : a) v = is_tanh ? std::tanh(v) : std::max(v, 0.0);
      h.push_back(a);
      set_row(s.solution.output, t - 1, b, a);
    }
    set_row(s.solution.h, 0, b, h[s.T]);

    // Backwards: dh holds what the steps after t (or, at the end, the loss of the last state) say about h_t.
    Vector dh = row(p.d_h, 0, b);
    for (std::size_t t = s.T; t >= 1; --t) {
      add_to(dh, row(p.d_output, t - 1, b));  // h_t is also the output of step t
      // h = tanh(a): dh/da = 1 - tanh(a)^2 = 1 - h^2.   h = max(a, 0): dh/da = 1 where a > 0, that is where h > 0.
      Vector da(s.H);
      for (std::size_t k = 0; k < s.H; ++k) da[k] = dh[k] * (is_tanh ? 1 - h[t][k] * h[t][k] : h[t][k] > 0 ? 1 : 0);
      // a is b plus two products: db = da, and each product goes backwards as above; h' receives the road back in time.
      add_to(db, da);
      Vector dx(s.I), dh_before(s.H);
      add_product_backward(da, row(p.x, t - 1, b), W_x, dx, dW_x);
      add_product_backward(da, h[t - 1], W_h, dh_before, dW_h);
      set_row(s.dx, t - 1, b, dx);
      dh = dh_before;
    }
    set_row(s.dh0, 0, b, dh);
  }
  s.solution.gradients["b"] = array_of(layer.b.shape(), db);
  return s.finished(layer.W_x, dW_x, layer.W_h, dW_h);
}

// ---- LSTM:  a = x W_x + h' W_h + b in four blocks,  i = s(a_i),  f = s(a_f),  g = tanh(a_g),  o = s(a_o),
//             c = f c' + i g,  h = o tanh(c),  with the logistic function s

inline Solution lstm(const LSTM& layer, const Problem& p) {
  Sheet s(p);
  const std::size_t H = s.H;
  const Matrix W_x(layer.W_x.value()), W_h(layer.W_h.value());
  const Vector bias = vector_of(layer.b.value());
  Matrix dW_x(s.I, 4 * H), dW_h(H, 4 * H);
  Vector db(4 * H);
  Array dc0(p.c0.shape(), DType::f64);
  s.solution.c = Array(p.c0.shape(), DType::f64);

  for (std::size_t b = 0; b < s.B; ++b) {
    std::vector<Vector> h{row(p.h0, 0, b)}, c{row(p.c0, 0, b)};
    std::vector<Vector> gates{{}};  // gates[t] holds i, f, g, o of step t, block after block
    for (std::size_t t = 1; t <= s.T; ++t) {
      Vector a = bias, h_t(H), c_t(H);
      add_product(a, row(p.x, t - 1, b), W_x);
      add_product(a, h[t - 1], W_h);
      for (std::size_t k = 0; k < 4 * H; ++k) a[k] = k / H == 2 ? std::tanh(a[k]) : logistic(a[k]);
      for (std::size_t j = 0; j < H; ++j) {
        const double i = a[j], f = a[H + j], g = a[2 * H + j], o = a[3 * H + j];
        c_t[j] = f * c[t - 1][j] + i * g;
        h_t[j] = o * std::tanh(c_t[j]);
      }
      gates.push_back(a);
      h.push_back(h_t);
      c.push_back(c_t);
      set_row(s.solution.output, t - 1, b, h_t);
    }
    set_row(s.solution.h, 0, b, h[s.T]);
    set_row(s.solution.c, 0, b, c[s.T]);

    Vector dh = row(p.d_h, 0, b), dc = row(p.d_c, 0, b);
    for (std::size_t t = s.T; t >= 1; --t) {
      add_to(dh, row(p.d_output, t - 1, b));
      Vector da(4 * H), dc_before(H);
      for (std::size_t j = 0; j < H; ++j) {
        const double i = gates[t][j], f = gates[t][H + j], g = gates[t][2 * H + j], o = gates[t][3 * H + j];
        const double q = std::tanh(c[t][j]);
        // h = o q with q = tanh(c): do = dh q, and c gets dh o dq/dc = dh o (1 - q^2) beside what came from step t + 1.
        const double d_o = dh[j] * q;
        const double d_c = dc[j] + dh[j] * o * (1 - q * q);
        // c = f c' + i g: each factor gets d_c times the other one.
        const double d_f = d_c * c[t - 1][j], d_i = d_c * g, d_g = d_c * i;
        dc_before[j] = d_c * f;
        // i = s(a): s'(a) = s(a) (1 - s(a)) = i (1 - i), likewise f and o.   g = tanh(a): 1 - g^2.
        da[j] = d_i * i * (1 - i);
        da[H + j] = d_f * f * (1 - f);
        da[2 * H + j] = d_g * (1 - g * g);
        da[3 * H + j] = d_o * o * (1 - o);
      }
      add_to(db, da);
      Vector dx(s.I), dh_before(H);
      add_product_backward(da, row(p.x, t - 1, b), W_x, dx, dW_x);
      add_product_backward(da, h[t - 1], W_h, dh_before, dW_h);
      set_row(s.dx, t - 1, b, dx);
      dh = dh_before;
      dc = dc_before;
    }
    set_row(s.dh0, 0, b, dh);
    set_row(dc0, 0, b, dc);
  }
  s.solution.gradients["c0"] = dc0;
  s.solution.gradients["b"] = array_of(layer.b.shape(), db);
  return s.finished(layer.W_x, dW_x, layer.W_h, dW_h);
}

// ---- GRU:  r = s(x W_r + h' U_r + b_r),  z = s(x W_z + h' U_z + b_z),  h = z h' + (1 - z) n, and
//      reset before:  n = tanh(x W_n + (r h') U_n + b_n)
//      reset after:   n = tanh(x W_n + b_n + r q),  q = h' U_n + b_hn,  and second biases b_hr, b_hz in r and z

inline Solution gru(const GRU& layer, const Problem& p) {
  Sheet s(p);
  const std::size_t H = s.H;
  const bool after = layer.options.reset == Reset::after;
  const auto block = [&](const Matrix& M, std::size_t k) {  // of columns
    Matrix part(M.rows(), H);
    for (std::size_t m = 0; m < M.rows(); ++m)
      for (std::size_t j = 0; j < H; ++j) part(m, j) = M(m, k * H + j);
    return part;
  };
  const auto part = [&](const Vector& v, std::size_t k) {
    return Vector(v.begin() + static_cast<std::ptrdiff_t>(k * H), v.begin() + static_cast<std::ptrdiff_t>((k + 1) * H));
  };
  const Matrix W_x(layer.W_x.value()), W_h(layer.W_h.value());
  const Matrix U[] = {block(W_h, 0), block(W_h, 1), block(W_h, 2)};
  const Vector bias = vector_of(layer.b.value()), bias_h = after ? vector_of(layer.b_h.value()) : Vector(3 * H);
  Matrix dW_x(s.I, 3 * H), dW_h(H, 3 * H);
  Matrix dU[] = {Matrix(H, H), Matrix(H, H), Matrix(H, H)};
  Vector db(3 * H), db_h(3 * H);

  for (std::size_t b = 0; b < s.B; ++b) {
    std::vector<Vector> h{row(p.h0, 0, b)}, r{{}}, z{{}}, n{{}}, q{{}};
    for (std::size_t t = 1; t <= s.T; ++t) {
      Vector a = bias;
      add_product(a, row(p.x, t - 1, b), W_x);
      Vector a_r = part(bias_h, 0), a_z = part(bias_h, 1), q_t = part(bias_h, 2), a_n(H), r_t(H), z_t(H), n_t(H),
             h_t(H);
      add_product(a_r, h[t - 1], U[0]);
      add_product(a_z, h[t - 1], U[1]);
      for (std::size_t j = 0; j < H; ++j) {
        r_t[j] = logistic(a[j] + a_r[j]);
        z_t[j] = logistic(a[H + j] + a_z[j]);
      }
      if (after) {
        add_product(q_t, h[t - 1], U[2]);
        for (std::size_t j = 0; j < H; ++j) a_n[j] = r_t[j] * q_t[j];
      } else {
        for (std::size_t j = 0; j < H; ++j) q_t[j] = r_t[j] * h[t - 1][j];  // q is here what enters the product
        add_product(a_n, q_t, U[2]);
      }
      for (std::size_t j = 0; j < H; ++j) {
        n_t[j] = std::tanh(a[2 * H + j] + a_n[j]);
        h_t[j] = z_t[j] * h[t - 1][j] + (1 - z_t[j]) * n_t[j];
      }
      r.push_back(r_t);
      z.push_back(z_t);
      n.push_back(n_t);
      q.push_back(q_t);
      h.push_back(h_t);
      set_row(s.solution.output, t - 1, b, h_t);
    }
    set_row(s.solution.h, 0, b, h[s.T]);

    Vector dh = row(p.d_h, 0, b);
    for (std::size_t t = s.T; t >= 1; --t) {
      add_to(dh, row(p.d_output, t - 1, b));
      Vector da_r(H), da_z(H), da_n(H), dr(H), dq(H), dh_before(H);
      for (std::size_t j = 0; j < H; ++j) {
        // h = z h' + (1 - z) n: dz = dh (h' - n), dn = dh (1 - z), and h' gets dh z.
        const double dz = dh[j] * (h[t - 1][j] - n[t][j]), dn = dh[j] * (1 - z[t][j]);
        dh_before[j] = dh[j] * z[t][j];
        da_z[j] = dz * z[t][j] * (1 - z[t][j]);
        da_n[j] = dn * (1 - n[t][j] * n[t][j]);
      }
      if (after) {
        // a_n = x W_n + b_n + r q: dr = da_n q and dq = da_n r; q = h' U_n + b_hn.
        for (std::size_t j = 0; j < H; ++j) {
          dr[j] = da_n[j] * q[t][j];
          dq[j] = da_n[j] * r[t][j];
        }
        add_product_backward(dq, h[t - 1], U[2], dh_before, dU[2]);
      } else {
        // a_n = x W_n + q U_n + b_n with q = r h': back through the product first, then dr = dq h', and h' gets dq r.
        add_product_backward(da_n, q[t], U[2], dq, dU[2]);
        for (std::size_t j = 0; j < H; ++j) {
          dr[j] = dq[j] * h[t - 1][j];
          dh_before[j] += dq[j] * r[t][j];
        }
      }
      for (std::size_t j = 0; j < H; ++j) da_r[j] = dr[j] * r[t][j] * (1 - r[t][j]);
      add_product_backward(da_r, h[t - 1], U[0], dh_before, dU[0]);
      add_product_backward(da_z, h[t - 1], U[1], dh_before, dU[1]);

      // x W_x + b is the same in all three blocks; of the second biases, that of n stands inside the reset: db_hn = dq.
      Vector da(3 * H), dx(s.I);
      for (std::size_t j = 0; j < H; ++j) {
        da[j] = da_r[j];
        da[H + j] = da_z[j];
        da[2 * H + j] = da_n[j];
        db_h[j] += da_r[j];
        db_h[H + j] += da_z[j];
        db_h[2 * H + j] += dq[j];
      }
      add_to(db, da);
      add_product_backward(da, row(p.x, t - 1, b), W_x, dx, dW_x);
      set_row(s.dx, t - 1, b, dx);
      dh = dh_before;
    }
    set_row(s.dh0, 0, b, dh);
  }
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t m = 0; m < H; ++m)
      for (std::size_t j = 0; j < H; ++j) dW_h(m, k * H + j) = dU[k](m, j);
  s.solution.gradients["b"] = array_of(layer.b.shape(), db);
  if (after) s.solution.gradients["b_h"] = array_of(layer.b_h.shape(), db_h);
  return s.finished(layer.W_x, dW_x, layer.W_h, dW_h);
}

}  // namespace unroll::test::by_hand
