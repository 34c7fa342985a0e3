#pragma once

#include <unroll/cli/output.hpp>

#include <unroll/core/check/verdict.hpp>

#include <string>
#include <vector>

namespace unroll::cli {

// What `unroll flow` found out about one cell.
struct CellReport {
  std::string cell, task;
  GradientFlow flow;
  FlowBeginning beginning;
  Judgement judgement;
  std::vector<std::int64_t> asked;  // the steps of the losses in the credit table; empty without one

  // Of several layers, the uppermost: the one that the loss reads.
  const LayerFlow& top() const { return flow.layers.back(); }
};

// At most `count` of 0 .. size - 1, evenly spaced, the first and the last among them.
std::vector<std::size_t> spread(std::size_t size, std::size_t count);

Json to_json(const CellReport& report);
// A table of a few rows, and the verdict with its grounds.
std::string to_text(const CellReport& report);
// Plots one below the other as an SVG file, or a page with tables and maps, by the suffix.
std::string to_picture(const std::vector<CellReport>& reports, bool page);

}  // namespace unroll::cli
