// On what the numbers were measured, in one line: a ratio without its machine, compiler and date says little.
#pragma once

#include <string>

namespace unroll::bench {

std::string machine();

}  // namespace unroll::bench
