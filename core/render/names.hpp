#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace unroll {

// What listings, equations and drawings call the nodes of a tape: a node that was named "c" at step 2 is c_2, the parameter
// "lstm.W_f" is W_f. Where two nodes would share a name, as much of their scope (or of the parameter's module) stands before
// it as tells them apart, "lstm2.h_1"; nodes that only their place on the tape tells apart carry their index, "loss#45".
// No two nodes have one name, and equal tapes have equal names.
class Names {
 public:
  explicit Names(const Tape& tape);

  // The name of a node; "" if it was given none.
  const std::string& operator[](NodeId id) const { return names_[id]; }

  // A name for a node that has none: the one proposed, with the node's index behind it if another node has that name.
  std::string fresh(std::string proposed, NodeId id);

 private:
  std::vector<std::string> names_;
  std::unordered_set<std::string> taken_;
};

// "c_2" at step 2, "c" outside of time.
std::string at_step(std::string_view name, std::int32_t step);

// Puts a prefix before the last part of a name: d before "lstm.h_1" gives "lstm.dh_1". What stands in brackets or quotes is one part.
std::string with_prefix(std::string_view prefix, std::string_view name);

}  // namespace unroll
