#pragma once

#include <unroll/core/render/geometry.hpp>
#include <unroll/core/render/grid.hpp>
#include <unroll/core/render/scene.hpp>

#include <map>
#include <utility>
#include <vector>

// How lines between blocks run: through the gaps between columns, where each has a lane of its own, and, to other than neighbouring columns, through
// channels below everything.
namespace unroll::drawing {

class Routes {
 public:
  Routes(const Scene& scene, const Grid& grid);

  // How wide the gap before each column must be, and behind the last; `number` is the room for a number on a line.
  std::vector<double> gap_widths(double number) const;
  // Once the columns have their places.
  Curve curve(const Connection& c, const Grid& grid, double number) const;
  // The lowest channel; the floor where there are none.
  double floor(const Grid& grid) const;

 private:
  // A vertical piece in a gap, from `low` to `high`.
  struct Lane {
    double low = 0, high = 0;
    int position = 0;
  };
  enum Side { from_left, from_channel, from_right };
  using Key = std::pair<Side, std::pair<double, NodeId>>;  // in the order from left to right
  struct Gap {
    std::map<Key, Lane> lanes;
    int count = 0;
    bool leaves_left = false;  // lines with numbers come from its right side
  };

  Key exit_key(const Connection& c, const Grid& grid) const;
  Key entry_key(const Connection& c, const Grid& grid) const;
  double lane_x(int gap, const Key& key, const Grid& grid, double number) const;
  double channel_height(int group, const Grid& grid) const;
  void take(int gap, const Key& key, double a, double b);

  const Scene& scene_;
  std::vector<Gap> gaps_;
  std::map<int, int> channels_;  // by group
};

}  // namespace unroll::drawing
