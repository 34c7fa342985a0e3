#include <unroll/core/render/page_model.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/json_value.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/render/node_equations.hpp>
#include <unroll/core/render/page_drawing.hpp>
#include <unroll/core/render/statistics.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr int digits = 5;
constexpr std::size_t largest_heat_map = 256, most_numbers = 300'000;

Json statistics_json(const ArrayView& array) {
  const Statistics s = statistics(array);
  return {json_number(s.smallest, digits), json_number(s.mean, digits), json_number(s.largest, digits)};
}

double dot(const ArrayView& a, const ArrayView& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a.flat(i) * b.flat(i);
  return sum;
}

// The gradients of a tape's nodes, if there are any.
class NodeGradients {
 public:
  NodeGradients(const Tape& tape, const Gradients* gradients) : tape_(tape), gradients_(gradients) {}

  bool contains(NodeId id) const { return gradients_ && gradients_->contains(tape_.var(id)); }
  ArrayView operator[](NodeId id) const { return (*gradients_)[tape_.var(id)]; }

 private:
  const Tape& tape_;
  const Gradients* gradients_;
};

class PageModel {
 public:
  PageModel(const Tape& tape, const std::vector<LeveledDrawing>& drawings, const RenderOptions& options)
      : tape_(tape), drawings_(drawings), options_(options), gradients_(tape, options.gradients) {
    if (drawings.empty()) throw Error("page: there is no drawing to show");
    for (std::size_t i = 0; i < drawings.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (drawings[i].level == drawings[j].level)
          throw Error(fmt::format("page: two drawings of the level {}", to_string(drawings[i].level)));
  }

  Json json() {
    const LeveledDrawing& first = shown_first();
    Json values = Json::object(), gradients = Json::object();
    const std::string left_out = add_numbers(values, gradients);
    Json nodes = columns(), levels = Json::object();
    for (const LeveledDrawing& one : drawings_) levels[to_string(one.level)] = page_drawing(one.drawing, strings_);
    Json result;
    result["version"] = 1;
    result["title"] = first.drawing.title;
    result["description"] = first.drawing.description;
    result["notes"] = notes(left_out);
    result["level"] = to_string(first.level);
    result["strings"] = strings_.json();
    result["nodes"] = std::move(nodes);
    result["values"] = std::move(values);
    result["gradients"] = std::move(gradients);
    result["has_gradients"] = options_.gradients != nullptr;
    result["scale"] = scale(first.drawing);
    result["parameters"] = parameters();
    result["levels"] = std::move(levels);
    return result;
  }

 private:
  const LeveledDrawing& shown_first() const {
    const auto found = std::find_if(drawings_.begin(), drawings_.end(),
                                    [&](const LeveledDrawing& one) { return one.level == options_.level; });
    return found == drawings_.end() ? drawings_.front() : *found;
  }

  // Of all drawings, each note once.
  Json notes(const std::string& left_out) const {
    std::vector<std::string> all;
    for (const LeveledDrawing& one : drawings_)
      all.insert(all.end(), one.drawing.notes.begin(), one.drawing.notes.end());
    if (!left_out.empty()) all.push_back(left_out);
    std::vector<std::string> once;
    for (std::string& note : all)
      if (std::find(once.begin(), once.end(), note) == once.end()) once.push_back(std::move(note));
    return once;
  }

  static Json scale(const Drawing& drawing) {
    if (!drawing.has_gradients || !(drawing.largest > 0)) return {};
    return {{"smallest", json_number(drawing.smallest, digits)}, {"largest", json_number(drawing.largest, digits)}};
  }

  // ---- nodes

  Json columns() {
    const Names names(tape_);
    const std::vector<std::string> equations = node_equations(tape_);
    Json op = Json::array(), name = op, scope = op, step = op, phase = op, shape = op, dtype = op, equation = op,
         inputs = op, stats = op, gradient = op, origin = op;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const Node& node = tape_[id];
      op.push_back(strings_(node.op->name));
      name.push_back(strings_(names[id]));
      scope.push_back(strings_(tape_.path(node.place.scope)));
      step.push_back(json_step(node.place.step));
      phase.push_back(static_cast<int>(node.place.phase));
      shape.push_back(strings_(to_string(node.value.shape)));
      dtype.push_back(strings_(to_string(node.value.dtype)));
      equation.push_back(strings_(equations[id]));
      const auto sources = tape_.inputs(id);
      inputs.push_back(std::vector<NodeId>(sources.begin(), sources.end()));
      stats.push_back(node.value.size() > 0 ? statistics_json(node.value) : Json());
      gradient.push_back(gradients_.contains(id) ? gradient_json(gradients_[id]) : Json());
      origin.push_back(node.origin == no_node ? Json() : Json(node.origin));
    }
    Json result;
    const std::pair<const char*, Json&> all[] = {{"op", op},       {"name", name},         {"scope", scope},
                                                 {"step", step},   {"phase", phase},       {"shape", shape},
                                                 {"dtype", dtype}, {"equation", equation}, {"inputs", inputs},
                                                 {"stats", stats}, {"gradient", gradient}, {"origin", origin}};
    for (const auto& [key, column] : all) result[key] = std::move(column);
    return result;
  }

  static Json gradient_json(const ArrayView& array) {
    Json result = Json::array({json_number(norm(array), digits)});
    for (Json& number : statistics_json(array)) result.push_back(std::move(number));
    return result;
  }

  // ---- the numbers of small arrays

  static bool is_small(const ArrayView& array) { return array.size() > 1 && array.size() <= largest_heat_map; }

  std::size_t count_numbers(NodeId id) const {
    const ArrayView& value = tape_[id].value;
    if (!is_small(value)) return 0;
    return gradients_.contains(id) ? 2 * value.size() : value.size();
  }

  void add_numbers_of(NodeId id, Json& values, Json& gradients) const {
    if (!is_small(tape_[id].value)) return;
    const auto numbers = [](const ArrayView& array) {
      Json list = Json::array();
      for (std::size_t i = 0; i < array.size(); ++i) list.push_back(json_number(array.flat(i), digits));
      return list;
    };
    const std::string key = fmt::format("{}", id);
    values.get_ref<Json::object_t&>().emplace_back(key, numbers(tape_[id].value));
    if (gradients_.contains(id)) gradients.get_ref<Json::object_t&>().emplace_back(key, numbers(gradients_[id]));
  }

  // Returns a note that says what there was no room for, or "".
  std::string add_numbers(Json& values, Json& gradients) const {
    std::size_t room = most_numbers;
    std::map<std::int32_t, std::size_t> steps;  // how many numbers each has
    std::vector<bool> chosen(tape_.size());
    bool all_outside = true;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const std::size_t count = count_numbers(id);
      if (tape_[id].place.step != no_step) {
        steps[tape_[id].place.step] += count;
      } else if ((chosen[id] = count <= room)) {
        room -= count;
      } else {
        all_outside = false;
      }
    }
    // steps are taken whole, from both ends
    std::int32_t first_missing = 0, last_missing = -1;
    while (!steps.empty()) {
      const auto first = steps.begin(), last = std::prev(steps.end());
      const std::size_t count = first->second + (first == last ? 0 : last->second);
      if (count > room) {
        first_missing = first->first;
        last_missing = last->first;
        break;
      }
      room -= count;
      if (first != last) steps.erase(last);
      steps.erase(first);
    }
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (chosen[id] || (tape_[id].place.step != no_step && !steps.contains(tape_[id].place.step)))
        add_numbers_of(id, values, gradients);
    if (first_missing <= last_missing)
      return fmt::format("The elements of arrays are on this page up to step {} and from step {} on.",
                         first_missing - 1, last_missing + 1);
    return all_outside ? "" : "The elements of some arrays outside of time are not on this page.";
  }

  // ---- parameters

  Json parameters() const {
    Json result = Json::array();
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (tape_[id].op != &parameter_op()) continue;
      Json one;
      one["node"] = id;
      one["name"] = tape_.name(id);
      one["norm"] = gradients_.contains(id) ? json_number(norm(gradients_[id]), digits) : Json();
      one["contributions"] = contributions(*tape_.parameter(id));
      result.push_back(std::move(one));
    }
    return result;
  }

  Json contributions(const Parameter& parameter) const {
    Json result = Json::array();
    const Gradients* gradients = options_.gradients;
    if (!gradients || !gradients->has_contributions(parameter)) return result;
    const ArrayView total = (*gradients)[parameter];
    for (const std::int64_t step : gradients->contribution_steps(parameter)) {
      const ArrayView part = gradients->contribution(parameter, step);
      result.push_back({json_step(step), json_number(norm(part), digits),
                        json_number(dot(part, total) / dot(total, total), digits)});
    }
    return result;
  }

  const Tape& tape_;
  const std::vector<LeveledDrawing>& drawings_;
  const RenderOptions& options_;
  const NodeGradients gradients_;
  Strings strings_;
};

// `<` and the line separators stand in strings only, where an escape means the same.
std::string safe_in_script(const std::string& json) {
  std::string result;
  result.reserve(json.size() + json.size() / 50);
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '<') {
      result += "\\u003c";
    } else if (json.compare(i, 3, "\u2028") == 0 || json.compare(i, 3, "\u2029") == 0) {
      result += json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      result += json[i];
    }
  }
  return result;
}

}  // namespace

std::string page_model(const Tape& tape, const std::vector<LeveledDrawing>& drawings, const RenderOptions& options) {
  return safe_in_script(json_line(PageModel(tape, drawings, options).json()));
}

}  // namespace unroll::drawing
