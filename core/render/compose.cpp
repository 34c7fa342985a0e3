#include <unroll/core/render/compose.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/arrange.hpp>
#include <unroll/core/render/contributions.hpp>
#include <unroll/core/render/scene.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double between_rows = 24;

// The middles of the frames of the time steps, by the labels of these.
std::map<std::string, double> middles(const Drawing& drawing) {
  std::map<std::string, double> result;
  for (const DrawnFrame& frame : drawing.frames)
    if (frame.kind == DrawnFrame::Kind::step) result[frame.label] = frame.box.centre().x;
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
  const std::function<void(DrawnFrame&)> move_frame = [&](DrawnFrame& frame) {
    move(frame.box);
    frame.label_at = f(frame.label_at);
    for (DrawnFrame& inner : frame.inner) move_frame(inner);
  };
  for (DrawnFrame& frame : drawing.frames) move_frame(frame);
  for (DrawnNode& node : drawing.nodes) move(node.box);
  for (DrawnEdge& edge : drawing.edges) {
    for (Point& p : edge.curve) p = f(p);
    edge.label_at = f(edge.label_at);
  }
  for (DrawnBlock& block : drawing.blocks) {
    block.origin = f(block.origin);
    for (DrawnFrame& frame : block.frames) move_frame(frame);
  }
  move(drawing.box);
}

void mark_backward(std::vector<DrawnFrame>& frames) {
  for (DrawnFrame& frame : frames) {
    frame.id += "_backward";
    if (frame.kind == DrawnFrame::Kind::step) frame.label += ", backward";
    mark_backward(frame.inner);
  }
}

template <class T> void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Puts one drawing into another.
void add(Drawing& to, Drawing from) {
  int shapes = 0;
  for (const DrawnBlock& block : to.blocks) shapes = std::max(shapes, block.shape + 1);
  for (DrawnBlock& block : from.blocks) {
    block.shape += shapes;
    block.first_node += to.nodes.size();
    block.first_edge += to.edges.size();
  }
  append(to.blocks, std::move(from.blocks));
  append(to.frames, std::move(from.frames));
  append(to.nodes, std::move(from.nodes));
  append(to.edges, std::move(from.edges));
  to.box = united(to.box, from.box);
}

// ---- as large as the reader can take

std::size_t boxes(const Scene& scene) {
  std::size_t count = 0;
  for (const Block& block : scene.blocks) count += block.items.size();
  return count;
}

struct Sized {
  Scene scene;
  Folding folding;
};

// Leaves out steps in the middle until the boxes are few enough, then goes to coarser levels.
Sized within_budget(const Tape& tape, const RenderOptions& options) {
  Sized sized{{}, {options.level, options.collapse}};
  sized.scene = read_scene(tape, Phase::forward, options, sized.folding);
  const auto budget = static_cast<std::size_t>(std::max<std::int64_t>(options.budget, 0));
  const std::size_t wanted = boxes(sized.scene);
  if (budget == 0 || wanted <= budget) return sized;
  for (;;) {
    const std::size_t count = boxes(sized.scene), steps = std::max<std::size_t>(sized.scene.moments.size(), 1);
    if (count <= budget) break;
    const auto fitting = static_cast<std::int64_t>(budget * steps / count / 2) - 1;
    if (steps > 3 && fitting >= 1 && (sized.folding.collapse == 0 || fitting < sized.folding.collapse))
      sized.folding.collapse = fitting;
    else if (sized.folding.level != Level::folded)
      sized.folding = {static_cast<Level>(static_cast<int>(sized.folding.level) + 1), options.collapse};
    else
      break;
    sized.scene = read_scene(tape, Phase::forward, options, sized.folding);
  }
  // There may be room for some more.
  if (const std::int64_t k = sized.folding.collapse; k > 1 && boxes(sized.scene) <= budget) {
    const std::size_t count = boxes(sized.scene),
                      less = boxes(read_scene(tape, Phase::forward, options, {sized.folding.level, k - 1}));
    if (count > less) {
      const Folding more{sized.folding.level, k + static_cast<std::int64_t>((budget - count) / (count - less))};
      Scene scene = read_scene(tape, Phase::forward, options, more);
      if (boxes(scene) <= budget) sized = {std::move(scene), more};
    }
  }
  std::string note = fmt::format("Too large to read with all its {} boxes (the limit is {}): ", wanted, budget);
  if (sized.folding.level != options.level) note += fmt::format("drawn at level {}", to_string(sized.folding.level));
  if (sized.folding.collapse != options.collapse)
    note += fmt::format("{}the first and the last {} are drawn", sized.folding.level != options.level ? ", " : "",
                        sized.folding.collapse == 1 ? "step" : fmt::format("{} steps", sized.folding.collapse));
  sized.scene.notes.push_back(note + ".");
  return sized;
}

// ---- what a screen reader says

std::string description(const Tape& tape, const Scene& scene, const RenderOptions& options) {
  if (!options.description.empty()) return options.description;
  if (scene.moments.empty()) return fmt::format("The graph of a program of {} operations.", tape.size());
  std::string layers;
  std::set<ScopeId> seen;
  for (const Row& row : scene.rows)
    if (row.scope != 0 && seen.insert(row.scope).second) layers += (layers.empty() ? "" : ", ") + tape.path(row.scope);
  return fmt::format(
      "A recurrent network, unrolled over the time steps {} to {} from left to right{}.{}{}",
      scene.moments.front().first, scene.moments.back().last,
      layers.empty() ? "" : "; its layers from the bottom up: " + layers,
      options.gradients ? " Lines and boxes show the norm of the gradient of the loss." : "",
      options.backward != BackwardView::none ? " The backward pass runs below, from right to left." : "");
}

}  // namespace

void require_valid(const RenderOptions& options) {
  const auto choice = [](const char* what, auto value, auto last) {
    if (static_cast<int>(value) < 0 || static_cast<int>(value) > static_cast<int>(last))
      throw Error(fmt::format("render: there is no {} {}", what, static_cast<int>(value)));
  };
  choice("format", options.format, Format::html);
  choice("level", options.level, Level::folded);
  choice("theme", options.theme, Theme::print);
  choice("view of values", options.values, ValueView::numbers);
  choice("view of parameters", options.parameters, ParameterView::nodes);
  choice("view of the backward pass", options.backward, BackwardView::below);
  if (options.collapse < 0)
    throw Error(fmt::format("render: collapse is {}, but at least 0 steps can be kept", options.collapse));
  if (options.budget < 0)
    throw Error(fmt::format("render: budget is {}, but must be 0 (no limit) or more", options.budget));
}

Drawing compose(const Tape& tape, const RenderOptions& options) {
  require_valid(options);
  const Sized forward_scene = within_budget(tape, options);
  const auto finished = [&](Drawing drawing) {
    drawing.title = options.title;
    drawing.description = description(tape, forward_scene.scene, options);
    if (options.contributions) add_contributions(tape, *options.contributions, options.gradients, drawing);
    return drawing;
  };
  Drawing forward = arrange(tape, forward_scene.scene, options);
  if (options.backward == BackwardView::none) return finished(std::move(forward));

  RenderOptions plain = options;  // an adjoint is a gradient: it has none of its own here
  plain.gradients = nullptr;
  Folding beside = forward_scene.folding;
  beside.moments = forward_scene.scene.moments;
  const Scene backward_scene = read_scene(tape, Phase::backward, plain, beside);
  if (backward_scene.blocks.empty())
    throw Error(
        "render: no backward pass is recorded on this tape: backward(loss, {.create_graph = true}) records one");
  Drawing backward = arrange(tape, backward_scene, plain);

  // Both rows at one pace, then the backward row mirrored and pushed below the forward row, step below step.
  const double distance = std::max(pitch(forward), pitch(backward));
  forward = arrange(tape, forward_scene.scene, options, distance);
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

  mark_backward(backward.frames);
  for (DrawnBlock& block : backward.blocks) mark_backward(block.frames);
  for (DrawnNode& node : backward.nodes) node.dashed = true;
  for (DrawnEdge& edge : backward.edges) edge.backward = true;
  add(forward, std::move(backward));
  return finished(std::move(forward));
}

}  // namespace unroll::drawing
