#pragma once

// Exercises of chapter 10: write the GRU, in both conventions, and carry weights from one to the other.
#include <unroll/unroll.hpp>

// The weights of a GRU are gru.reset, gru.update and gru.candidate, each with W, U and b.

// 1. h_t from x_t and h_(t-1), where z keeps the past: h_t = z * h_(t-1) + (1 - z) * n. The reset stands before the product.
unroll::Var step_keeping(unroll::Var x, unroll::Var h, const unroll::textbook::GRU& gru);

// 2. The same with the same weights, where z admits the new: h_t = (1 - z) * h_(t-1) + z * n.
unroll::Var step_admitting(unroll::Var x, unroll::Var h, const unroll::textbook::GRU& gru);

// 3. Changes the weights, so that step_admitting does with them what step_keeping did before.
void to_admitting(unroll::textbook::GRU& gru);

// 4. The candidate with the reset after the product: r acts on h U_n + b_hn. gru.b_hn is the second bias; r is given.
unroll::Var candidate_after(unroll::Var x, unroll::Var h, unroll::Var r, const unroll::textbook::GRU& gru);
