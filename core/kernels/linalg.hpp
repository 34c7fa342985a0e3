#pragma once

#include <unroll/core/array/array.hpp>

#include <vector>

// Products and factorisations: the only place that names BLAS and LAPACK (through xtensor-blas).
namespace unroll::kernels {

// out (+)= a b over the last two axes, (..., m, k) x (..., k, n) -> (..., m, n); the axes in front broadcast. `shape` is that of the
// result, which is row-major. A transposed or row-strided operand is read where it is, without a copy.
void matmul(const ArrayView& a, const ArrayView& b, const Shape& shape, void* out, bool accumulate);

// The orthogonal factor Q (rows x columns) of a tall matrix in float64, with the sign that makes the diagonal of R positive, so that Q
// of a matrix of normal numbers is uniform among orthogonal matrices. Throws ShapeError if rows < columns.
Array orthogonal_factor(const Array& matrix);

// The singular values of a matrix, largest first, and the largest absolute value of the eigenvalues of a square one, both in float64. Throw
// ShapeError for another rank or shape, Error if an element is not finite or LAPACK finds no answer.
std::vector<double> singular_values(const ArrayView& matrix);
double spectral_radius(const ArrayView& matrix);

// How many threads BLAS may use in this process, where it can be told (OpenBLAS). At the sizes of most recurrent steps one is fastest: the
// threads of a product wait for each other longer than they compute.
void set_blas_threads(int threads);

}  // namespace unroll::kernels
