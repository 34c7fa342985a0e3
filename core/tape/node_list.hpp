#pragma once

#include <unroll/core/tape/node.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace unroll {

// The nodes of a tape, in order. They stand in blocks that never move, so that a reference to a node stays valid while more are
// appended, and clearing keeps the blocks for the next recording.
class NodeList {
 public:
  // The number of nodes.
  std::size_t size() const { return size_; }
  // The node at a position, which must be below size().
  Node& operator[](std::size_t i) { return blocks_[i / block][i % block]; }
  const Node& operator[](std::size_t i) const { return blocks_[i / block][i % block]; }

  // A node to be filled in: every field may hold what an earlier recording left there.
  Node& append() {
    if (size_ == blocks_.size() * block) blocks_.push_back(std::make_unique<Node[]>(block));
    return (*this)[size_++];
  }
  // Forgets all nodes from position n on.
  void truncate(std::size_t n) { size_ = n; }

 private:
  static constexpr std::size_t block = 256;

  std::vector<std::unique_ptr<Node[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace unroll
