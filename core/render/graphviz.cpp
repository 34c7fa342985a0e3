#include <unroll/core/render/graphviz.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/graphviz_order.hpp>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>

#include <fmt/format.h>
#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

namespace unroll::drawing {

namespace {

std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

// One context for the whole process, never freed: the library's text layout (2.43) remembers the name of the last font beyond the life of the
// context that owned it, and reads it again in the next one.
GVC_t* the_context() {
  static GVC_t* const context = gvContext();
  if (!context) throw Error("render: libgvc does not start: is graphviz installed with its plugins?");
  return context;
}

// The library writes its messages to stderr unless they are caught.
std::string messages;
int keep_message(char* text) {
  messages += text;
  return 0;
}

std::string reason(const char* otherwise) {
  while (!messages.empty() && messages.back() == '\n') messages.pop_back();
  return messages.empty() ? otherwise : messages;
}

// Parts of the library's interface take names as char*, without changing them.
char* name_of(const char* text) { return const_cast<char*>(text); }

// The numbers in "e,10,20 30,40 ...", in order.
std::vector<double> numbers(const char* text) {
  std::vector<double> result;
  while (text && *text) {
    char* end = nullptr;
    const double number = std::strtod(text, &end);
    if (end == text) {
      ++text;
      continue;
    }
    result.push_back(number);
    text = end;
  }
  return result;
}

// The subgraph of that name, at any depth; nullptr if there is none.
Agraph_t* subgraph(Agraph_t* graph, const std::string& name) {
  for (Agraph_t* inner = agfstsubg(graph); inner; inner = agnxtsubg(inner)) {
    if (name == agnameof(inner)) return inner;
    if (Agraph_t* found = subgraph(inner, name)) return found;
  }
  return nullptr;
}

}  // namespace

struct LaidOutGraph::Handles {
  std::unique_lock<std::mutex> lock{one_at_a_time()};
  GVC_t* context = nullptr;
  Agraph_t* graph = nullptr;
  bool laid_out = false;

  ~Handles() {
    if (laid_out) gvFreeLayout(context, graph);
    if (graph) agclose(graph);
    agseterrf(nullptr);
  }

  Agnode_t* node(const std::string& name) const { return agnode(graph, name_of(name.c_str()), 0); }
};

LaidOutGraph::LaidOutGraph(const std::string& dot_text, const char* engine) : handles_(std::make_unique<Handles>()) {
  messages.clear();
  agseterrf(keep_message);
  handles_->context = the_context();
  handles_->graph = read_in_order(dot_text);
  if (!handles_->graph) throw Error("render: libgvc does not read the graph: " + reason("no message"));
  if (std::string_view(engine) == "dot") keep_off_the_marks(handles_->context, handles_->graph);
  if (gvLayout(handles_->context, handles_->graph, engine) != 0)
    throw Error(fmt::format("render: libgvc fails in the layout engine {}: {}", engine, reason("no message")));
  handles_->laid_out = true;
  // Writes positions and sizes into the attributes, where node(), edge() and cluster() read them.
  if (std::string_view(engine) == "dot") attach_attrs(handles_->graph);
}

LaidOutGraph::~LaidOutGraph() = default;

Rectangle LaidOutGraph::node(const std::string& name) const {
  Agnode_t* node = handles_->node(name);
  const auto at = numbers(agget(node, name_of("pos")));
  return around({at.at(0), at.at(1)}, 72 * std::atof(agget(node, name_of("width"))),
                72 * std::atof(agget(node, name_of("height"))));
}

Curve LaidOutGraph::edge(const std::string& tail, const std::string& head) const {
  Agedge_t* edge = agedge(handles_->graph, handles_->node(tail), handles_->node(head), nullptr, 0);
  const char* text = agget(edge, name_of("pos"));
  const auto at = numbers(text);
  Curve curve;
  for (std::size_t i = 0; i + 1 < at.size(); i += 2) curve.push_back({at[i], at[i + 1]});
  // The tip of the arrow comes first: it goes to the end, as the end of a straight last piece.
  if (text && std::string_view(text).starts_with("e,")) {
    const Point tip = curve.front();
    curve.erase(curve.begin());
    curve.back() = tip;
  }
  return curve;
}

LaidOutGraph::ClusterBox LaidOutGraph::cluster(const std::string& name) const {
  Agraph_t* cluster = subgraph(handles_->graph, name);
  if (!cluster) throw Error("render: no cluster " + name);
  const auto box = numbers(agget(cluster, name_of("bb"))), label = numbers(agget(cluster, name_of("lp")));
  return {{box.at(0), box.at(1), box.at(2), box.at(3)}, {label.at(0), label.at(1)}};
}

}  // namespace unroll::drawing
