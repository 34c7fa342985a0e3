#include <unroll/core/render/routes.hpp>

#include <algorithm>
#include <limits>

namespace unroll::drawing {

namespace {

constexpr double gap_margin = 12, lane_pitch = 9, channel_pitch = 9, corner_radius = 8;
constexpr double bottomless = std::numeric_limits<double>::lowest();

}  // namespace

Routes::Routes(const Scene& scene, const Grid& grid) : scene_(scene), gaps_(scene.columns.size() + 1) {
  for (const Connection& c : grid.connections()) {
    if (!c.exits_right && scene.blocks[c.from.block].column != scene.blocks[c.to.block].column)
      gaps_[c.exit_gap].leaves_left = true;
    if (grid.runs_straight(c)) continue;
    const double exit = grid.exit_height(c), entrance = grid.entrance_height(c);
    if (c.is_direct()) {
      take(c.exit_gap, exit_key(c, grid), exit, entrance);
    } else {
      channels_.try_emplace(c.group, 0);
      take(c.exit_gap, exit_key(c, grid), bottomless, exit);
      take(c.entry_gap, entry_key(c, grid), bottomless, entrance);
    }
  }
  int channel = 0;
  for (auto& [group, k] : channels_) k = channel++;
  // Lanes that do not meet may share a place.
  for (Gap& gap : gaps_) {
    std::vector<const Lane*> placed;
    for (auto& [key, lane] : gap.lanes) {
      for (const Lane* other : placed)
        if (other->low <= lane.high && lane.low <= other->high)
          lane.position = std::max(lane.position, other->position + 1);
      placed.push_back(&lane);
      gap.count = std::max(gap.count, lane.position + 1);
    }
  }
}

void Routes::take(int gap, const Key& key, double a, double b) {
  const auto [at, is_new] = gaps_[gap].lanes.try_emplace(key, Lane{std::min(a, b), std::max(a, b)});
  if (is_new) return;
  at->second.low = std::min({at->second.low, a, b});
  at->second.high = std::max({at->second.high, a, b});
}

// Lines that leave a column stand beside it, the higher the further away; those that come up from a channel stand between.
Routes::Key Routes::exit_key(const Connection& c, const Grid& grid) const {
  const double height = grid.exit_height(c);
  return {c.exits_right ? from_left : from_right, {c.exits_right ? height : -height, c.source}};
}
Routes::Key Routes::entry_key(const Connection& c, const Grid& grid) const {
  return {from_channel, {-grid.entrance_height(c), static_cast<NodeId>(c.group)}};
}

std::vector<double> Routes::gap_widths(double number) const {
  const auto columns = scene_.columns.size();
  std::vector<double> widths(columns + 1);
  const auto is_step = [&](std::size_t k) { return k < columns && scene_.columns[k].kind == Column::Kind::moment; };
  double between_steps = 0;
  for (std::size_t k = 0; k <= columns; ++k) {
    const Gap& gap = gaps_[k];
    const bool outermost = k == 0 || k == columns;
    if (!outermost || gap.count > 0)
      widths[k] = 2 * gap_margin + lane_pitch * std::max(0, gap.count - 1) + (gap.leaves_left ? 2 : 1) * number;
    if (k > 0 && is_step(k) && is_step(k - 1)) between_steps = std::max(between_steps, widths[k]);
  }
  // Equal gaps between steps, so that time has an even pace.
  for (std::size_t k = 1; k < columns; ++k)
    if (is_step(k) && is_step(k - 1)) widths[k] = between_steps;
  return widths;
}

double Routes::lane_x(int gap, const Key& key, const Grid& grid, double number) const {
  return grid.gap_left(gap) + number + gap_margin + lane_pitch * gaps_[gap].lanes.at(key).position;
}

double Routes::channel_height(int group, const Grid& grid) const {
  return grid.floor() - channel_pitch * (1 + channels_.at(group));
}

double Routes::floor(const Grid& grid) const {
  return grid.floor() - (channels_.empty() ? 0 : channel_pitch * static_cast<double>(channels_.size() + 1));
}

Curve Routes::curve(const Connection& c, const Grid& grid, double number) const {
  const Rectangle item = grid.placed(c.from);
  Point end{c.entrance.x + grid.origin(c.to.block).x, grid.entrance_height(c)};
  const double side = c.exits_right ? item.right : item.left;
  if (scene_.blocks[c.to.block].gap) {
    const Rectangle box = grid.placed(c.to);
    end.x = c.enters_right ? box.right : box.left;
  }
  const auto with_tail = [&](Curve curve) {
    if (!c.tail) return curve;
    Curve tail = *c.tail;
    for (Point& p : tail) p = p + grid.origin(c.to.block);
    return joined(std::move(curve), tail);
  };
  std::vector<Point> last{end};
  if (c.from_above) {
    const Point into = *c.from_above + grid.origin(c.to.block);
    last = {{into.x, end.y}, into};
  }
  if (grid.runs_straight(c)) {
    std::vector<Point> corners{{side, end.y}};
    if (end.y > item.top) corners = {{item.centre().x, item.top}, {item.centre().x, end.y}};
    corners.insert(corners.end(), last.begin(), last.end());
    return with_tail(rounded(corners, corner_radius));
  }
  const double y = grid.exit_height(c);
  const double down = lane_x(c.exit_gap, exit_key(c, grid), grid, number);
  std::vector<Point> corners;
  if (y <= item.top)
    corners = {{side, y}, {down, y}};
  else
    corners = {{item.centre().x, item.top}, {item.centre().x, y}, {down, y}};
  if (c.is_direct()) {
    corners.push_back({down, end.y});
  } else {
    const double up = lane_x(c.entry_gap, entry_key(c, grid), grid, number);
    const double channel = channel_height(c.group, grid);
    corners.insert(corners.end(), {{down, channel}, {up, channel}, {up, end.y}});
  }
  corners.insert(corners.end(), last.begin(), last.end());
  return with_tail(rounded(corners, corner_radius));
}

}  // namespace unroll::drawing
