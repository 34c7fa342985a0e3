#pragma once

#include <cstdio>

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace unroll::cli {

// JSON whose keys keep the order in which they were written.
using Json = nlohmann::ordered_json;

// One JSON value on stdout, on one line.
inline void print_json(const Json& json) { fmt::print("{}\n", json.dump()); }

}  // namespace unroll::cli
