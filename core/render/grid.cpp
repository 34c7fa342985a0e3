#include <unroll/core/render/grid.hpp>

#include <unroll/core/render/drawing.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace unroll::drawing {

namespace {

constexpr double heading_size = 11;                     // of its letters
constexpr double frame_margin = 9, heading = 16;        // of the frame around a step
constexpr double layer_margin = 7, layer_heading = 12;  // of the frame around a layer
constexpr double between_rows = 10, gap_width = 58;

// At what height a line may run from the side of a box to the side of the block: in the middle, or where no other box stands in the way; above
// the box, if need be. `others` are tried first.
double free_height(const Layout& layout, const Rectangle& item, bool to_the_right,
                   const std::vector<double>& others = {}) {
  const auto is_free = [&](double y) {
    const Rectangle way = to_the_right ? Rectangle{item.right + 1, y - 2, layout.box.right + 1, y + 2}
                                       : Rectangle{layout.box.left - 1, y - 2, item.left - 1, y + 2};
    return std::none_of(layout.items.begin(), layout.items.end(),
                        [&](const Rectangle& other) { return way.overlaps(other); });
  };
  std::vector<double> heights = others;
  for (const double y : {item.centre().y, item.top - 3, item.bottom + 3, item.top + 6, item.top + 9})
    heights.push_back(y);
  for (const double y : heights)
    if (is_free(y)) return y;
  return item.centre().y;
}

// The height of one of several lines at the side of a box, from the top down.
double lane_height(const Rectangle& box, std::size_t lane, std::size_t lanes) {
  return box.top - box.height() * static_cast<double>(lane + 1) / static_cast<double>(lanes + 1);
}

// Whether a line at this height comes upon the side of a box.
bool is_beside(const Rectangle& box, double y) { return y > box.bottom + 3 && y < box.top - 3; }

}  // namespace

Grid::Grid(const Tape& tape, const Scene& scene) : tape_(tape), scene_(scene) {
  layer_frames_ = scene.rows.size() > 1;
  lay_out_blocks();
  find_connections();
  lift_rows();
  lift_outside();
}

void Grid::lay_out_blocks() {
  std::map<std::pair<std::string, bool>, int> known;
  std::vector<std::shared_ptr<const Layout>> all;
  for (const Block& block : scene_.blocks) {
    if (block.initial || block.gap) {
      // built when the heights around them are known
      shapes_.push_back(nowhere);
      layouts_.push_back(nullptr);
      continue;
    }
    const bool mirrored = block.in_time() && is_reverse(block);
    const auto [at, is_new] = known.try_emplace({signature(tape_, block), mirrored}, static_cast<int>(all.size()));
    if (is_new) {
      Layout layout = lay_out(tape_, block);
      all.push_back(std::make_shared<const Layout>(mirrored ? layout.mirrored() : std::move(layout)));
    }
    shapes_.push_back(at->second);
    layouts_.push_back(all[at->second]);
  }
  int next = static_cast<int>(all.size());
  for (int& shape : shapes_)
    if (shape == nowhere) shape = next++;
  lift_.assign(layouts_.size(), 0);
  x_.assign(layouts_.size(), 0);
}

// ---- lines between blocks

void Grid::find_connections() {
  for (int b = 0; b < static_cast<int>(scene_.blocks.size()); ++b) {
    const Block& block = scene_.blocks[b];
    if (block.initial) continue;
    const auto side = [&](const Rectangle& item) {
      return block.in_time() && is_reverse(block) ? item.right : item.left;
    };
    for (const Motorway& motorway : block.motorways) {
      Point entrance;
      std::optional<Point> from_above;
      if (!block.gap) {
        const Rectangle& item = layout(b).items[motorway.way.front()];
        const std::size_t lanes = block.items[motorway.way.front()].exits.size();
        const bool one_of_several = motorway.way.size() == 1 && lanes > 1;
        entrance = {side(item), one_of_several ? lane_height(item, static_cast<std::size_t>(motorway.lane), lanes)
                                               : free_height(layout(b), item, is_reverse(block))};
        if (entrance.y > item.top) from_above = Point{item.centre().x, item.top};
      }
      if (Connection* c = connect({motorway.source}, {b, motorway.way.front()}, entrance, nullptr, true))
        c->from_above = from_above;
    }
    for (std::size_t r = 0; r < block.rails.size(); ++r) {
      const Rail& rail = block.rails[r];
      if (rail.from_below || block.gap) continue;
      if (rail.item != nowhere) {
        const Rectangle& item = layout(b).items[rail.item];
        connect(rail.sources, {b, rail.item}, {side(item), item.centre().y}, nullptr, false);
      } else {
        for (std::size_t i = 0; i < rail.readers.size(); ++i)
          connect(rail.sources, {b, rail.readers[i]}, layout(b).rails[r][i].front(), &layout(b).rails[r][i], false);
      }
    }
  }
}

// The last one of them, if there is any.
Connection* Grid::connect(const std::vector<NodeId>& sources, Spot to, Point entrance, const Curve* tail,
                          bool straight) {
  const int group = groups_.try_emplace(sources, static_cast<int>(groups_.size())).first->second;
  const Block& target = scene_.blocks[to.block];
  Connection* last = nullptr;
  for (NodeId source : sources) {
    if (!scene_.has_spot(source)) continue;
    Connection c{scene_.spots[source], source, to, entrance, tail, straight, group};
    const int from = scene_.blocks[c.from.block].column;
    c.enters_right = target.in_time() && is_reverse(target);
    c.exits_right = from < target.column || (from == target.column && c.enters_right);
    c.exit_gap = c.exits_right ? from + 1 : from;
    c.entry_gap = c.enters_right ? target.column + 1 : target.column;
    last = &connections_.emplace_back(c);
  }
  return last;
}

// The way out of a block: to the side at the height of the item, or right above it where other items stand in the way.
double Grid::exit_height(const Connection& c) const {
  const Block& block = scene_.blocks[c.from.block];
  if (block.gap) {  // straight into what reads it, where that is beside it
    const Rectangle box = placed(c.from);
    const double y = scene_.blocks[c.to.block].gap ? box.centre().y : entrance_height(c);
    return runs_between_columns(c) && is_beside(box, y) ? y : box.centre().y;
  }
  const Rectangle& item = layout(c.from.block).items[c.from.item];
  const double lift = lift_[c.from.block];
  if (block.initial) return item.centre().y + lift;
  // What goes to another layer of its own step leaves apart from the lines of the states.
  if (block.in_time() && scene_.blocks[c.to.block].column == block.column)
    return free_height(layout(c.from.block), item, c.exits_right, {item.top - 5, item.bottom + 5}) + lift;
  const std::vector<NodeId>& exits = block.items[c.from.item].exits;
  const NodeId state = scene_.cuts.contains(c.source) ? tape_.inputs(c.source)[0] : c.source;
  if (const auto lane = std::find(exits.begin(), exits.end(), state); exits.size() > 1 && lane != exits.end())
    return lane_height(item, static_cast<std::size_t>(lane - exits.begin()), exits.size()) + lift;
  const Layout& all = layout(c.from.block);
  return free_height(all, item, c.exits_right) + lift;
}

double Grid::entrance_height(const Connection& c) const {
  if (!scene_.blocks[c.to.block].gap) return c.entrance.y + lift_[c.to.block];
  const Rectangle box = placed(c.to);
  const double low = box.bottom + box.height() / 4;
  if (!runs_between_columns(c) || scene_.blocks[c.from.block].gap) return low;
  const double y = exit_height(c);
  return is_beside(box, y) ? y : low;
}

// Right from one column to the next.
bool Grid::runs_between_columns(const Connection& c) const {
  return c.is_direct() && scene_.blocks[c.from.block].column != scene_.blocks[c.to.block].column;
}

bool Grid::runs_straight(const Connection& c) const {
  return c.is_direct() && std::abs(exit_height(c) - entrance_height(c)) < 0.01;
}

// ---- heights

void Grid::lift_rows() {
  const double margin = layer_frames_ ? layer_margin : 0, head = layer_frames_ ? layer_heading : 0;
  std::vector<double> tops(scene_.columns.size(),
                           std::numeric_limits<double>::lowest());  // of the rows so far, by column
  for (int row = 0; row < static_cast<int>(scene_.rows.size()); ++row) {
    lift_row(row);
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (std::size_t b = 0; b < layouts_.size(); ++b) {
      if (scene_.blocks[b].row != row || !layouts_[b]) continue;
      low = std::min(low, layouts_[b]->box.bottom + lift_[b]);
      high = std::max(high, layouts_[b]->box.top + lift_[b]);
    }
    if (low > high) low = 0, high = 60;  // all steps are left out
    // On top of the rows that it shares a column with: an encoder and a decoder, which never work at the same step, stand side by side.
    double bottom = std::numeric_limits<double>::lowest();
    for (const Block& block : scene_.blocks)
      if (block.row == row && !block.initial) bottom = std::max(bottom, tops[block.column]);
    const bool lowest = bottom == std::numeric_limits<double>::lowest();
    const double shift = std::ceil(lowest ? -low : bottom + between_rows + margin - low);
    for (std::size_t b = 0; b < layouts_.size(); ++b)
      if (scene_.blocks[b].row == row) lift_[b] += shift;
    row_extent_.emplace_back(low + shift - margin, high + shift + margin + head);
    for (const Block& block : scene_.blocks)
      if (block.row == row && !block.initial) tops[block.column] = row_extent_.back().second;
  }
  for (int b = 0; b < static_cast<int>(layouts_.size()); ++b)
    if (scene_.blocks[b].gap) fill_gap(b);
  for (int b = 0; b < static_cast<int>(layouts_.size()); ++b)
    if (scene_.blocks[b].initial) place_initial(b);
  if (row_extent_.empty()) return;
  double low = row_extent_.front().first, high = row_extent_.front().second;
  for (const auto& [row_low, row_high] : row_extent_) {
    low = std::min(low, row_low);
    high = std::max(high, row_high);
  }
  floor_ = step_floor_ = low - frame_margin;
  ceiling_ = high + frame_margin / 2 + heading;
}

// Lifts each block so that the first motorway that enters it from the step before runs straight on. Steps that are built alike stay at one height.
void Grid::lift_row(int row) {
  std::vector<int> blocks;
  for (int b = 0; b < static_cast<int>(layouts_.size()); ++b)
    if (scene_.blocks[b].row == row && layouts_[b]) blocks.push_back(b);
  if (scene_.rows[row].reverse) std::reverse(blocks.begin(), blocks.end());
  std::map<int, const Connection*> straight;  // into each block
  for (const Connection& c : connections_)
    if (c.straight && c.is_direct() && layouts_[c.from.block] && scene_.blocks[c.from.block].row == row &&
        scene_.blocks[c.to.block].row == row)
      straight.try_emplace(c.to.block, &c);
  std::map<int, double> lift_of_shape;
  for (int b : blocks) {
    const auto known = lift_of_shape.find(shapes_[b]);
    if (known != lift_of_shape.end()) {
      lift_[b] = known->second;
    } else if (const auto c = straight.find(b); c != straight.end()) {
      lift_[b] = exit_height(*c->second) - c->second->entrance.y;
    } else if (b != blocks.front()) {
      lift_[b] = layout(blocks.front()).box.bottom + lift_[blocks.front()] - layout(b).box.bottom;
    }
    lift_of_shape.try_emplace(shapes_[b], lift_[b]);
  }
}

// A box as high as its row.
void Grid::fill_gap(int block) {
  const auto [low, high] = row_extent_[scene_.blocks[block].row];
  const double margin = layer_frames_ ? layer_margin : 0, head = layer_frames_ ? layer_heading : 0;
  Layout layout;
  const Rectangle box{0, low + margin + 6, gap_width, high - margin - head};
  layout.items = {box};
  const Point top{box.centre().x, box.top}, bottom{box.centre().x, box.bottom};
  layout.risers = {rounded({top, top + Point{0, 2}}, 0)};
  for (std::size_t r = 0; r < scene_.blocks[block].rails.size(); ++r) {
    layout.rails.push_back({rounded({bottom - Point{0, 5}, bottom}, 0)});
    layout.rail_heights.push_back(box.bottom - 6);
  }
  layout.box = box;
  layout.box.bottom -= 6;
  layouts_[block] = std::make_shared<const Layout>(std::move(layout));
  lift_[block] = 0;
}

// An initial state stands at the height at which it enters, motorways first.
void Grid::place_initial(int block) {
  std::vector<Rectangle> items = sizes_of(scene_.blocks[block].items);
  std::vector<double> at(items.size(), std::numeric_limits<double>::quiet_NaN());
  for (const bool straight : {true, false})
    for (const Connection& c : connections_)
      if (c.from.block == block && c.straight == straight && std::isnan(at[c.from.item]) && layouts_[c.to.block])
        at[c.from.item] = entrance_height(c);
  std::vector<std::size_t> order(at.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return at[a] > at[b]; });
  double ceiling = std::numeric_limits<double>::max();
  for (std::size_t i : order) {
    const double h = items[i].height();
    const double y = std::min(std::isnan(at[i]) ? 0 : at[i], ceiling - h / 2);
    items[i] = around({0, y}, items[i].width(), h);
    ceiling = y - h / 2 - 4;
  }
  Layout layout;
  layout.box = items.front();
  for (const Rectangle& item : items) layout.box = united(layout.box, item);
  layout.items = std::move(items);
  layouts_[block] = std::make_shared<const Layout>(std::move(layout));
  lift_[block] = 0;
}

// What stands beside time: so that the first line from or to it runs straight.
void Grid::lift_outside() {
  std::vector<bool> lifted(layouts_.size());
  for (std::size_t b = 0; b < layouts_.size(); ++b) lifted[b] = scene_.blocks[b].row != no_row;
  for (const Connection& c : connections_) {
    if (!c.is_direct()) continue;
    if (!lifted[c.to.block] && lifted[c.from.block]) {
      lift_[c.to.block] = exit_height(c) - c.entrance.y;
      lifted[c.to.block] = true;
    } else if (!lifted[c.from.block] && lifted[c.to.block]) {
      lift_[c.from.block] += entrance_height(c) - exit_height(c);
      lifted[c.from.block] = true;
    }
  }
  // Or else at the height of what it reads.
  for (const Connection& c : connections_)
    if (!lifted[c.to.block] && lifted[c.from.block]) {
      lift_[c.to.block] = exit_height(c) - c.entrance.y;
      lifted[c.to.block] = true;
    }
  for (std::size_t b = 0; b < layouts_.size(); ++b) {
    if (!lifted[b]) lift_[b] = std::max(floor_, 0.0) - layouts_[b]->box.bottom;
    floor_ = std::min(floor_, layouts_[b]->box.bottom + lift_[b]);
  }
}

// ---- columns

void Grid::place_columns(const std::vector<double>& gaps, double pitch) {
  const int columns = static_cast<int>(scene_.columns.size());
  column_width_.assign(scene_.columns.size(), 0);
  for (std::size_t b = 0; b < layouts_.size(); ++b) {
    double& width = column_width_[scene_.blocks[b].column];
    width = std::max(width, layouts_[b]->box.width());
  }
  gap_left_.clear();
  column_left_.clear();
  double x = 0, middle = 0;
  std::size_t block = 0;  // they come column by column
  for (int k = 0; k < columns; ++k) {
    const bool step = scene_.columns[k].kind == Column::Kind::moment;
    const bool after_step = k > 0 && scene_.columns[k - 1].kind == Column::Kind::moment;
    const double margin = step ? frame_margin + (layer_frames_ ? layer_margin : 0) : 0;
    // Whole numbers, also in the middle: equal steps stay equal to the last digit, and both rows of a drawing with the backward pass keep step.
    column_width_[k] = 2 * std::ceil(column_width_[k] / 2) + 2 * margin;
    if (step) {
      const std::string words = scene_.heading(scene_.columns[k]) + (scene_.backward ? ", backward" : "");
      column_width_[k] = std::max(column_width_[k], 2 * std::ceil(text_width(words, heading_size) / 2) + 8);
    }
    gap_left_.push_back(x);
    x = std::ceil(x + gaps[k]);
    if (step && after_step) x = std::max(x, std::ceil(middle + pitch) - column_width_[k] / 2);
    column_left_.push_back(x);
    middle = x + column_width_[k] / 2;
    for (; block < layouts_.size() && scene_.blocks[block].column == k; ++block)
      x_[block] = std::floor(middle - layouts_[block]->box.centre().x);
    x += column_width_[k];
  }
  gap_left_.push_back(x);
}

Rectangle Grid::placed(Spot spot) const { return layouts_[spot.block]->items[spot.item].moved(origin(spot.block)); }

Rectangle Grid::column_box(int column) const {
  return {column_left_[column], step_floor_, column_left_[column] + column_width_[column], ceiling_};
}

Rectangle Grid::layer_box(int block) const {
  const int column = scene_.blocks[block].column;
  const auto [low, high] = row_extent_[scene_.blocks[block].row];
  return {column_left_[column] + frame_margin, low, column_left_[column] + column_width_[column] - frame_margin, high};
}

}  // namespace unroll::drawing
