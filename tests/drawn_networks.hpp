#pragma once

#include <unroll/core/tape/var.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Every cell and form of the library as a small program to draw.
namespace unroll::test {

struct DrawnNetwork {
  std::string name;
  std::function<Var(Tape&, std::int64_t)> record;  // so many steps; gives the loss
  bool has_cell_state = false;                     // c, on its way through all steps
};

const std::vector<DrawnNetwork>& drawn_networks();
const DrawnNetwork& drawn_network(const std::string& name);

}  // namespace unroll::test
