#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <fmt/color.h>
#include <fmt/format.h>

namespace unroll::cli {

// JSON whose keys keep the order in which they were written.
using Json = nlohmann::ordered_json;

// One JSON value on stdout, on one line.
inline void print_json(const Json& json) { fmt::print("{}\n", json.dump()); }

// Whether people read stdout, and want colours (the variable NO_COLOR says no).
inline bool on_terminal() { return ::isatty(STDOUT_FILENO) != 0 && !std::getenv("NO_COLOR"); }

inline std::string coloured(const std::string& text, fmt::terminal_color colour) {
  return on_terminal() ? fmt::format(fmt::fg(colour), "{}", text) : text;
}

}  // namespace unroll::cli
