#pragma once

#include <unroll/layers/module.hpp>

#include <string>

namespace unroll {

// A table of the parameters of a module: name, shape, count, and the total.
std::string summary(const Module& module);

}  // namespace unroll
