#include "exercise.hpp"

Matrix reach(const Matrix& W_in, const Matrix& W, int T) {
  (void)W_in, (void)W, (void)T;  // product(a, b) is the matrix product
  return hole("what x_1 is multiplied with on its way to h_T");
}

Matrix reach_through_tanh(const Matrix& W_in, const Matrix& W, const std::vector<Row>& h) {
  (void)W_in, (void)W, (void)h;  // a * row multiplies column j of a with row(j); 1 - h[t] * h[t] is a row
  return hole("the same, with the derivative of tanh at every step that x_1 passes");
}

double clip_by_global_norm(std::vector<xt::xarray<double>>& gradients, double limit) {
  (void)gradients, (void)limit;  // g *= factor scales an array; xt::sum(g * g)() is a number
  return hole("one norm of all elements, and one factor for all arrays");
}

Fate fate(const Matrix& W) {
  (void)W;  // the eigenvalues of a 2 x 2 matrix solve z^2 - (W(0,0) + W(1,1)) z + det W = 0; they may be complex
  return hole("the answer from the eigenvalues of W");
}
