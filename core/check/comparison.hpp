#pragma once

#include <unroll/core/check/difference.hpp>
#include <unroll/core/check/objective.hpp>

#include <cstddef>
#include <vector>

// One leaf's gradient against another way to compute it.
namespace unroll::detail {

// What is known of one leaf after the comparison.
struct ComparedLeaf {
  Array analytic;                  // from reverse mode, float64
  Array numeric;                   // from differences or forward mode, float64; NaN where it was not asked for
  std::vector<bool> wrong;         // entries that failed
  bool uneven = false;             // some entries agree only with steps that were chosen anew
  GradcheckRow row;                // without `entry`
  std::size_t wrong_at_kinks = 0;  // of the entries that failed: at a kink, and not between its two sides
};

class Comparison {
 public:
  Comparison(Objective& objective, const GradcheckOptions& options, double tolerance, std::vector<Array> analytic);

  std::vector<ComparedLeaf> run();
  // The same, where entries at kinks are right whatever their two sides are. After run().
  std::vector<ComparedLeaf> run_without_kinks();
  // Of all leaves that were compared along directions (see GradcheckReport).
  double miss_probability() const { return miss_probability_; }
  // The curve of one entry.
  VCurve curve(std::size_t leaf, std::size_t position);

 private:
  struct Found;
  Line line(MovedLeaf& moved, std::size_t leaf, std::size_t position) const;
  double scale(std::size_t leaf, std::size_t position) const;
  VCurve curve(MovedLeaf& moved, std::size_t leaf, std::size_t position) const;
  double quick(MovedLeaf& moved, std::size_t leaf, std::size_t position);
  double own_scale(std::size_t leaf, double a, double n) const;
  double denominator(std::size_t leaf, std::size_t position, double a, double n) const;
  Found judge(MovedLeaf& moved, std::size_t leaf, std::size_t position, double n);
  void by_entries(std::size_t leaf);
  bool by_directions(std::size_t leaf);
  std::size_t enough_wrong() const;
  // All entries, or of a leaf that was compared along directions and is large, as many as can be afforded.
  std::vector<std::size_t> positions(std::size_t leaf) const;

  Objective& objective_;
  const GradcheckOptions& options_;
  double tolerance_;
  bool forward_;
  double epsilon_;
  double size_ = 0;              // of the objective: the sum of its absolute terms
  double noise_ = 0;             // rounding errors of the objective that its terms do not show
  double runs_ = 0;              // of the program, that a closer look at one leaf may take
  std::vector<double> typical_;  // root mean square of each leaf
  std::vector<double> largest_;  // derivative of each leaf
  double largest_of_all_ = 0;
  std::vector<ComparedLeaf> leaves_;
  bool kinks_excused_ = false;
  double miss_probability_ = 0;
};

}  // namespace unroll::detail
