#include <unroll/core/render/equations.hpp>

#include <unroll/core/render/listing.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/render/operation_table.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::size_t longest_line = 160;  // beyond it, parts of an expression get names
constexpr std::size_t short_text = 24;     // up to here, repeating an expression reads better than a name for it

// The elements of a constant, if all are the same number.
std::optional<double> uniform_value(const ArrayView& array) {
  if (array.size() == 0) return {};
  const double first = array.flat(0);
  for (std::size_t i = 1; i < array.size(); ++i)
    if (array.flat(i) != first) return {};
  return first;
}

// ---- one line of the program

struct Line {
  enum Rank { in_order, at_the_end, alias_at_the_end };

  NodeId after = no_node;  // its position: before the node with this index
  Rank rank = in_order;    // gradients of weights and inputs stand behind the steps that they sum up
  NodeId order = no_node;  // among lines of one position
  Phase phase = Phase::forward;
  Place place;  // for the heading
  std::string text;
};

// ---- the whole program: nodes become text in the order of the tape, each from the texts of its inputs, so that nothing
// recurses

class Program {
 public:
  explicit Program(const Tape& tape)
      : tape_(tape), names_(tape), labels_(tape.size()), texts_(tape.size()), uses_(tape.size()) {
    look_ahead();
    for (NodeId id = 0; id < tape.size(); ++id) write(id);
    write_shared_adjoints();
  }

  std::string text() {
    std::stable_sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
      return std::tie(a.after, a.rank, a.order) < std::tie(b.after, b.rank, b.order);
    });
    std::string result;
    const Line* last = nullptr;
    std::string layer;  // that the heading above names
    for (const Line& line : lines_) {
      const bool new_pass = !last || line.phase != last->phase;
      const bool new_step = new_pass || line.place.step != last->place.step || line.rank != last->rank;
      if (new_pass) result += (last ? "\n" : "") + title(line);
      if (new_step || (!line_layer(line).empty() && line_layer(line) != layer)) {
        layer = line_layer(line);
        result += heading(line, new_pass);
      }
      result += line.text;
      last = &line;
    }
    return result;
  }

 private:
  // How the nodes behind a node use it.
  struct Uses {
    std::uint32_t count = 0, forward_count = 0;
    NodeId first = no_node;   // the first user
    NodeId inside = no_node;  // the first user of the forward pass; once asked for, the first that has a label
    NodeId adjoint_of = no_node, next_adjoint_of = no_node;  // list of the nodes whose adjoint it is, last one first
    NodeId end = no_node;                                    // the last node of its pass
    NodeId last_tangent = no_node;                           // the last node that its forward-mode rule recorded
    bool broadcasts = true;                                  // all users broadcast it anyway
    bool leaves_step = false;                                // a user of the forward pass is at another step
  };

  bool is_forward(NodeId id) const { return tape_[id].place.phase == Phase::forward; }

  void look_ahead() {
    for (NodeId id = static_cast<NodeId>(tape_.size()); id-- > 0;) {
      const Node& node = tape_[id];
      const bool last = id + 1 == tape_.size() || tape_[id + 1].place.phase != node.place.phase;
      uses_[id].end = last ? id : uses_[id + 1].end;
      for (NodeId input : tape_.inputs(id)) {
        Uses& uses = uses_[input];
        ++uses.count;
        uses.first = id;
        uses.broadcasts &= node.op->is_pointwise() || node.op->name == "broadcast_to";
        if (!is_forward(id)) continue;
        ++uses.forward_count;
        const std::int32_t step = tape_[input].place.step;
        uses.leaves_step |= step != no_step && step != node.place.step;
        uses.inside = id;
      }
    }
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const Node& node = tape_[id];
      if (node.adjoint != no_node) {
        uses_[id].next_adjoint_of = std::exchange(uses_[node.adjoint].adjoint_of, id);
        if (tape_[node.adjoint].op->is_leaf() && tape_[node.adjoint].origin == id) losses_[node.adjoint] = id;
      }
      if (node.place.phase == Phase::tangent && node.origin != no_node) uses_[node.origin].last_tangent = id;
    }
  }

  // ---- names

  bool has_label(NodeId id) const { return !labels_[id].empty(); }

  // The last named node on the way from the loss whose adjoint this node is.
  NodeId labelled_adjoint_of(NodeId id) const {
    NodeId of = uses_[id].adjoint_of;
    while (of != no_node && !has_label(of)) of = uses_[of].next_adjoint_of;
    return of;
  }

  bool is_tangent(NodeId id) const {
    const Node& node = tape_[id];
    return node.place.phase == Phase::tangent && node.origin != no_node && has_label(node.origin) &&
           uses_[node.origin].last_tangent == id;
  }

  // The first node with a label on the way from an expression of the forward pass to the loss. What was found is
  // remembered for all nodes on the way.
  NodeId inside(NodeId id) {
    NodeId end = uses_[id].inside;
    while (end != no_node && !has_label(end)) end = uses_[end].inside;
    while (id != end) {
      const NodeId next = std::exchange(uses_[id].inside, end);
      if (next == no_node) break;
      id = next;
    }
    return end;
  }

  std::string proposed_label(NodeId id) {
    const Node& node = tape_[id];
    if (const NodeId of = labelled_adjoint_of(id); of != no_node) return with_prefix("d", labels_[of]);
    if (is_tangent(id)) return labels_[node.origin] + "'";
    if (const NodeId of = uses_[id].adjoint_of; of != no_node) {
      if (!texts_[of].text.empty()) return fmt::format("d({})", texts_[of].text);  // short, or it would be forgotten
      if (inside(of) != no_node) {
        has_delta_ = true;
        return with_prefix("delta_", labels_[inside(of)]);
      }
    }
    if (is_partial_sum(id)) {
      const std::string name = with_prefix("d", labels_[node.origin]);
      const bool over_time = tape_[node.origin].place.step == no_step && node.place.step != no_step;
      (over_time ? has_sum_over_time_ : has_part_) = true;
      return over_time ? fmt::format("{}(to t = {})", name, node.place.step) : name + "(part)";
    }
    return at_step(node.op->name, node.place.step);
  }

  // An adjoint to which contributions are still to be added.
  bool is_partial_sum(NodeId id) const {
    const Node& node = tape_[id];
    return node.place.phase == Phase::backward && node.op->name == "add" && node.origin != no_node &&
           has_label(node.origin);
  }

  // ---- texts

  void write(NodeId id) {
    const Node& node = tape_[id];
    labels_[id] = names_[id];
    if (node.op->is_leaf()) return write_leaf(id);
    texts_[id] = expression(id);
    if (texts_[id].text.size() > longest_line) {
      name_long_operands(id);
      texts_[id] = expression(id);
    }
    for (NodeId input : tape_.inputs(id))
      if (uses_[input].count == 1 && !tape_[input].op->is_leaf()) texts_[input] = {};
    if (needs_line(id)) give_line(id);
  }

  void write_leaf(NodeId id) {
    const Node& node = tape_[id];
    const bool is_constant = node.op == &constant_op();
    if (has_label(id)) {
      if (const auto value = is_constant ? uniform_value(node.value) : std::nullopt)
        add_line(id, no_node, labels_[id], symbol(*value).text);
    } else if (is_constant && node.value.size() == 1) {
      texts_[id] = symbol(node.value.flat(0));
    } else if (is_constant && labelled_adjoint_of(id) != no_node) {
      texts_[id] = {"cotangent"};
      give_line(id);
    } else {
      labels_[id] = names_.fresh(at_step(node.op->name, node.place.step), id);
    }
  }

  Symbol operand(NodeId id) const {
    Symbol result = has_label(id) ? Symbol{labels_[id]} : texts_[id];
    result.shape = &tape_[id].value.shape;
    return result;
  }

  Symbol expression(NodeId id) const {
    const Node& node = tape_[id];
    const auto inputs = tape_.inputs(id);
    if (node.op->name == "mul") {
      if (inputs[0] == inputs[1]) return square(operand(inputs[0]));
      for (std::size_t i : {0, 1})
        if (is_one(inputs[i]) && tape_[inputs[1 - i]].value.size() == node.value.size()) return operand(inputs[1 - i]);
    }
    if (only_broadcasts(node) && uses_[id].count > 0 && uses_[id].broadcasts && labelled_adjoint_of(id) == no_node &&
        names_[id].empty())
      return operand(inputs[0]);
    std::vector<Symbol> operands;
    for (NodeId input : inputs) operands.push_back(operand(input));
    return formula(*node.op, operands, node.attributes);
  }

  static bool only_broadcasts(const Node& node) {
    return node.op->name == "broadcast_to" || (node.op->name == "reshape" && node.value.size() == 1);
  }

  bool is_one(NodeId id) const { return !has_label(id) && texts_[id].text == "1"; }

  bool needs_line(NodeId id) const {
    const Uses& uses = uses_[id];
    if (has_label(id) || uses.count == 0 || labelled_adjoint_of(id) != no_node || is_tangent(id)) return true;
    if (is_forward(id) && (uses.forward_count == 0 || uses.leaves_step)) return true;  // results; states handed on
    if (uses.count == 1) return false;
    // what the forward pass writes once is used by the rules of the backward pass: if it is short, that changes no equation
    const bool written_once = is_forward(id) && uses.forward_count == 1;
    const Symbol& symbol = texts_[id];
    return symbol.text.size() > short_text || (symbol.binding < Symbol::power && !written_once);
  }

  // The longest first, until the line is short enough.
  void name_long_operands(NodeId id) {
    std::vector<NodeId> parts;
    for (NodeId input : tape_.inputs(id))
      if (!has_label(input) && texts_[input].text.size() > short_text) parts.push_back(input);
    std::stable_sort(parts.begin(), parts.end(),
                     [&](NodeId a, NodeId b) { return texts_[a].text.size() > texts_[b].text.size(); });
    std::size_t length = texts_[id].text.size();
    for (NodeId part : parts) {
      if (length <= longest_line) break;
      const std::size_t before = texts_[part].text.size();
      if (!has_label(part)) give_line(part);
      length -= std::min(length, before - std::min(before, labels_[part].size()));
    }
  }

  // ---- lines

  void give_line(NodeId id) {
    if (!has_label(id)) labels_[id] = names_.fresh(proposed_label(id), id);
    add_line(id, labelled_adjoint_of(id), labels_[id], texts_[id].text);
    texts_[id] = {};
  }

  // A line for a node; for an adjoint, `of` says whose, and an alias is a further name of the same node.
  void add_line(NodeId id, NodeId of, const std::string& name, const std::string& text, bool alias = false) {
    const Uses& uses = uses_[id];
    const bool is_view = tape_[id].op->view && is_forward(id) && tape_[tape_.inputs(id)[0]].op->is_leaf();
    Line line{id, Line::in_order, id, tape_[id].place.phase, tape_[id].place, name + " = " + text + "\n"};
    if (uses.adjoint_of != no_node) {
      // it belongs to the node that it is the adjoint of; complete while the sweep is still at a later step, it waits for
      // its own, and the adjoint of a leaf, which nothing waits for, stands behind the steps
      const NodeId owner = of == no_node ? uses.adjoint_of : of;
      const bool at_its_step = id > 0 && tape_[id - 1].place.step == tape_[owner].place.step;
      const bool result = tape_[owner].op->is_leaf() && (alias || uses.count == 0);
      line.place = tape_[owner].place;
      if (result && line.place.step == no_step) {
        line.rank = alias ? Line::alias_at_the_end : Line::at_the_end;
        line.order = owner;
      }
      if (result && (!at_its_step || line.rank != Line::in_order))
        line.after = uses.end;
      else if (uses.first != no_node && !at_its_step)
        line.after = std::min(uses.first, uses.end);
    }
    if (is_view && uses.first <= uses.end) {  // x_2 = x[1] reads best at the step that uses it
      line.after = uses.first;
      line.place = tape_[uses.first].place;
    }
    lines_.push_back(std::move(line));
  }

  // One node can be the adjoint of several: after y = a + b, both have that of y. And that of the loss is a number.
  void write_shared_adjoints() {
    for (NodeId of = static_cast<NodeId>(tape_.size()); of-- > 0;) {
      const NodeId adjoint = tape_[of].adjoint;
      if (adjoint == no_node || !has_label(of)) continue;
      const Symbol value = operand(adjoint);
      const std::string name = with_prefix("d", labels_[of]);
      if (!value.text.empty() && value.text != name) add_line(adjoint, of, name, value.text, true);
    }
  }

  // ---- headings

  std::string title(const Line& line) const {
    if (line.phase == Phase::forward) return "== forward ==\n";
    if (line.phase == Phase::tangent)
      return "== tangents ==\nX' stands for the derivative of X along the given directions\n";
    std::string text = fmt::format("== adjoints ==\ndX stands for d{}/dX\n", loss_before(line.order));
    if (has_delta_)
      text += "delta_X stands for the derivative by an expression inside of X, such as its pre-activation\n";
    if (has_sum_over_time_)
      text += "dX(to t = s) stands for what has been added to dX when the sweep has passed step s\n";
    if (has_part_) text += "dX(part) stands for some of the contributions to dX\n";
    return text;
  }

  // The node that a backward pass is about: the last one whose adjoint is given, not computed, up to a node.
  std::string loss_before(NodeId id) const {
    const auto after = losses_.upper_bound(id);
    return after == losses_.begin() ? "L" : labels_[std::prev(after)->second];
  }

  // The outermost scope.
  std::string line_layer(const Line& line) const {
    const std::string& path = tape_.path(line.place.scope);
    return line.rank == Line::in_order ? path.substr(0, path.find('/')) : "";
  }

  std::string heading(const Line& line, bool first) const {
    const std::string layer = line_layer(line);
    if (line.rank != Line::in_order) return "\n-- inputs and parameters\n";
    if (line.place.step != no_step)
      return fmt::format("\n-- t = {}{}{}\n", line.place.step, layer.empty() ? "" : ", ", layer);
    if (!layer.empty()) return fmt::format("\n-- {}\n", layer);
    return first ? "\n" : "\n-- outside of time\n";
  }

  const Tape& tape_;
  Names names_;
  std::vector<std::string> labels_;  // of what has a line, and of leaves; "" of what is written where it is used
  std::vector<Symbol> texts_;        // of the others, until they were used
  std::vector<Uses> uses_;
  std::vector<Line> lines_;
  std::map<NodeId, NodeId> losses_;  // by the given adjoint
  bool has_delta_ = false, has_sum_over_time_ = false, has_part_ = false;
};

}  // namespace

std::string equations(const Tape& tape) { return Program(tape).text(); }

}  // namespace unroll
