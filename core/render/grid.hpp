#pragma once

#include <unroll/core/render/layout.hpp>
#include <unroll/core/render/scene.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Where the blocks of a scene stand: rows one above the other, columns side by side.
namespace unroll::drawing {

// One line from a box of one block to another block.
struct Connection {
  Spot from;
  NodeId source = no_node;
  Spot to;                      // a port, an input, the first item of a motorway, or a reader outside of time
  Point entrance;               // where the line ends, or `tail` takes over; in the coordinates of the block
  const Curve* tail = nullptr;  // the last piece of the way, outside of time
  bool straight = false;        // along a motorway
  int group = 0;                // lines of a group share one channel below the steps
  bool exits_right = true, enters_right = false;
  int exit_gap = 0, entry_gap = 0;       // gap k is before column k
  std::optional<Point> from_above = {};  // where the line ends on top of a box, which it cannot enter from the side

  bool is_direct() const { return exit_gap == entry_gap; }
};

class Grid {
 public:
  Grid(const Tape& tape, const Scene& scene);

  const Layout& layout(int block) const { return *layouts_[block]; }
  bool same_layout(int a, int b) const { return layouts_[a] == layouts_[b]; }
  int shape(int block) const { return shapes_[block]; }
  const std::vector<Connection>& connections() const { return connections_; }

  // Heights, which are known before the columns have their places.
  double exit_height(const Connection& c) const;
  double entrance_height(const Connection& c) const;
  bool runs_straight(const Connection& c) const;
  bool runs_between_columns(const Connection& c) const;
  double floor() const { return floor_; }      // of all blocks and frames
  double ceiling() const { return ceiling_; }  // of the rows

  // The columns, with gaps of these widths before each; at least `pitch` from the middle of one step to that of the next.
  void place_columns(const std::vector<double>& gaps, double pitch);
  double gap_left(int k) const { return gap_left_[k]; }

  Point origin(int block) const { return {x_[block], lift_[block]}; }
  Rectangle placed(Spot spot) const;
  Rectangle column_box(int column) const;  // around its blocks, with the frame
  Rectangle layer_box(int block) const;    // the frame of one layer at one step
  bool has_layer_frames() const { return layer_frames_; }

 private:
  void lay_out_blocks();
  void find_connections();
  Connection* connect(const std::vector<NodeId>& sources, Spot to, Point entrance, const Curve* tail, bool straight);
  void lift_rows();
  void lift_row(int row);
  void fill_gap(int block);
  void lift_outside();
  void place_initial(int block);
  bool is_reverse(const Block& block) const { return block.row != no_row && scene_.rows[block.row].reverse; }

  const Tape& tape_;
  const Scene& scene_;
  std::vector<std::shared_ptr<const Layout>> layouts_;
  std::vector<int> shapes_;
  std::vector<double> x_, lift_;
  std::vector<Connection> connections_;
  std::map<std::vector<NodeId>, int> groups_;
  std::vector<std::pair<double, double>> row_extent_;  // bottom and top of each, in place
  std::vector<double> gap_left_, column_left_, column_width_;
  bool layer_frames_ = false;
  double floor_ = 0, step_floor_ = 0, ceiling_ = 0;
};

}  // namespace unroll::drawing
