#include <unroll/core/render/compose.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/arrange.hpp>
#include <unroll/core/render/scene.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>

namespace unroll::drawing {

namespace {

constexpr double between_rows = 24;

// The middles of the frames of the time steps, by the labels of these.
std::map<std::string, double> middles(const Drawing& drawing) {
  std::map<std::string, double> result;
  for (const DrawnCluster& cluster : drawing.clusters)
    if (cluster.label.starts_with("t = ")) result[cluster.label] = cluster.box.centre().x;
  return result;
}

// The largest distance from one step to the next.
double pitch(const Drawing& drawing) {
  std::vector<double> at;
  for (const auto& [label, x] : middles(drawing)) at.push_back(x);
  std::sort(at.begin(), at.end());
  double result = 0;
  for (std::size_t i = 1; i < at.size(); ++i) result = std::max(result, at[i] - at[i - 1]);
  return result;
}

// Puts every point of a drawing elsewhere.
void transform(Drawing& drawing, const std::function<Point(Point)>& f) {
  const auto move = [&](Rectangle& r) {
    const Point a = f({r.left, r.bottom}), b = f({r.right, r.top});
    r = {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
  };
  const std::function<void(DrawnCluster&)> move_cluster = [&](DrawnCluster& cluster) {
    move(cluster.box);
    cluster.label_at = f(cluster.label_at);
    for (DrawnCluster& inner : cluster.inner) move_cluster(inner);
  };
  for (DrawnCluster& cluster : drawing.clusters) move_cluster(cluster);
  for (DrawnNode& node : drawing.nodes) move(node.box);
  for (DrawnEdge& edge : drawing.edges) {
    for (Point& p : edge.curve) p = f(p);
    edge.label_at = f(edge.label_at);
  }
  move(drawing.box);
}

void rename_clusters(std::vector<DrawnCluster>& clusters) {
  for (DrawnCluster& cluster : clusters) {
    cluster.id += "_backward";
    rename_clusters(cluster.inner);
  }
}

template <class T> void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Drawing compose(const Tape& tape, const DrawOptions& options) {
  const Scene forward_scene = read_scene(tape, Phase::forward, options);
  Drawing forward = arrange(tape, forward_scene, options);
  if (!options.backward) return forward;

  DrawOptions plain = options;  // an adjoint is a gradient: it has none of its own here
  plain.gradients = nullptr;
  plain.title.clear();
  const Scene backward_scene = read_scene(tape, Phase::backward, plain);
  if (backward_scene.blocks.empty())
    throw Error("draw: no backward pass is recorded on this tape: backward(loss, {.create_graph = true}) records one");
  Drawing backward = arrange(tape, backward_scene, plain);

  // Both rows at one pace, then the backward row mirrored and pushed below the forward row, step below step.
  const double distance = std::max(pitch(forward), pitch(backward));
  forward = arrange(tape, forward_scene, options, distance);
  backward = arrange(tape, backward_scene, plain, distance);
  transform(backward, [](Point p) { return Point{-p.x, -p.y}; });
  const auto above = middles(forward), below = middles(backward);
  Point shift{forward.box.left - backward.box.left, forward.box.bottom - between_rows - backward.box.top};
  for (const auto& [label, x] : below)
    if (const auto same = above.find(label); same != above.end()) {
      shift.x = std::round(same->second - x);
      break;
    }
  transform(backward, [&](Point p) { return p + shift; });

  rename_clusters(backward.clusters);
  for (DrawnCluster& cluster : backward.clusters)
    if (cluster.label.starts_with("t = ")) cluster.label += ", backward";
  for (DrawnNode& node : backward.nodes) node.dashed = true;
  for (DrawnEdge& edge : backward.edges) edge.dashed = true;
  append(forward.clusters, std::move(backward.clusters));
  append(forward.nodes, std::move(backward.nodes));
  append(forward.edges, std::move(backward.edges));
  forward.box = united(forward.box, backward.box);
  return forward;
}

}  // namespace unroll::drawing
