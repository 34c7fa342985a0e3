#pragma once

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/check/patterns.hpp>

#include <vector>

namespace unroll::detail {

// The leaves are afterwards what they were, whatever the program does to them.
class KeptLeaves {
 public:
  explicit KeptLeaves(const std::vector<CheckedLeaf>& leaves) : leaves_(leaves) {
    for (const CheckedLeaf& leaf : leaves) before_.push_back(leaf.parameter.value().copy());
  }
  ~KeptLeaves() {
    for (std::size_t i = 0; i < leaves_.size(); ++i)
      if (!same_bits(leaves_[i].parameter.value(), before_[i])) Parameter(leaves_[i].parameter).assign(before_[i]);
  }
  KeptLeaves(const KeptLeaves&) = delete;
  KeptLeaves& operator=(const KeptLeaves&) = delete;

  const Parameter* changed() const {
    for (std::size_t i = 0; i < leaves_.size(); ++i)
      if (!same_bits(leaves_[i].parameter.value(), before_[i])) return &leaves_[i].parameter;
    return nullptr;
  }

 private:
  const std::vector<CheckedLeaf>& leaves_;
  std::vector<Array> before_;
};

}  // namespace unroll::detail
