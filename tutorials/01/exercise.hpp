#pragma once

#include "../course.hpp"

#include <cstddef>
#include <vector>

using Numbers = std::vector<double>;

// h_1 = x, h_2 = w_1 h_1, h_3 = w_2 h_2, ...: all values, x first. The last one is y.
Numbers forward(double x, const Numbers& w);

// dy/dx.
double by_x(const Numbers& w);

// dy/dw_i for each i. A weight may be 0.
Numbers by_weights(double x, const Numbers& w);

// A chain in which link i multiplies by weights[which[i]]: a weight may stand in several links, or in none. dy/dweights[k] for each k.
Numbers by_shared_weights(double x, const Numbers& weights, const std::vector<std::size_t>& which);
