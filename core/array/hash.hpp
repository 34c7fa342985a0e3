#pragma once

#include <cstdint>
#include <string_view>

namespace unroll {

// A number of 64 bits by which damage to bytes, or other bytes, show (FNV-1a; Fowler, Noll and Vo): no protection against intent. Several pieces
// in a row: hand the number of one on to the next.
inline std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before = 14695981039346656037ULL) {
  for (const char byte : bytes) before = (before ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  return before;
}

}  // namespace unroll
