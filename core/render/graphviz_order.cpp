#include <unroll/core/render/graphviz_order.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

namespace unroll::drawing {

namespace {

// ---- names are numbered as they come: the library's interface for identifiers ("ID discipline")

// Of one graph. Even numbers are names, odd ones nameless objects, as the library expects.
class Identifiers {
 public:
  explicit Identifiers(Agraph_t* graph) : graph_(graph) {}

  bool find(int type, char* name, IDTYPE* id, bool create) {
    if (!name) {
      *id = 2 * nameless_++ + 1;
      return true;
    }
    Kind& kind = kinds_[slot(type)];
    const auto known = kind.numbers.find(name);
    if (known != kind.numbers.end()) {
      *id = known->second;
      return true;
    }
    if (!create) return false;
    kind.names.push_back(agstrdup(graph_, name));  // a copy that the library knows as text, not as HTML
    *id = 2 * kind.names.size();
    kind.numbers.emplace(kind.names.back(), *id);
    return true;
  }

  char* name(int type, IDTYPE id) {
    Kind& kind = kinds_[slot(type)];
    return id != 0 && id % 2 == 0 && id / 2 <= kind.names.size() ? kind.names[id / 2 - 1] : nullptr;
  }

 private:
  struct Kind {
    std::deque<char*> names;
    std::unordered_map<std::string_view, IDTYPE> numbers;
  };
  static std::size_t slot(int type) { return type == AGNODE ? 1 : type == AGINEDGE || type == AGOUTEDGE ? 2 : 0; }

  Agraph_t* graph_;
  std::array<Kind, 3> kinds_;
  IDTYPE nameless_ = 0;
};

Identifiers& identifiers(void* state) { return *static_cast<Identifiers*>(state); }

Agiddisc_t in_order{
    [](Agraph_t* graph, Agdisc_t*) -> void* { return new Identifiers(graph); },
    [](void* state, int type, char* name, IDTYPE* id, int create) -> long {
      return identifiers(state).find(type, name, id, create != 0) ? 1 : 0;
    },
    [](void*, int, IDTYPE) -> long { return 0; },  // nobody asks for a number of his own
    [](void*, int, IDTYPE) {},
    [](void* state, int type, IDTYPE id) { return identifiers(state).name(type, id); },
    [](void* state) { delete static_cast<Identifiers*>(state); },
    [](void*, int, void*) {},
};

// ---- text that is read from memory, as from a file: line by line

struct Source {
  const std::string& text;
  std::size_t at = 0;
};

int read_line(void* channel, char* buffer, int size) {
  Source& source = *static_cast<Source*>(channel);
  const std::size_t end = std::min(source.text.find('\n', source.at), source.text.size() - 1) + 1;
  const std::size_t length =
      source.at < source.text.size() ? std::min(end - source.at, static_cast<std::size_t>(size - 1)) : 0;
  source.text.copy(buffer, length, source.at);
  buffer[length] = '\0';
  source.at += length;
  return static_cast<int>(length);
}

// How often a layout by `dot` decomposes the graph into components: once for the ranks, once for the order in the ranks, once for each cluster;
// and once more where rank=min is asked for and something else has nothing below it. Nodes of one rank, and of one cluster, count as one.
class Decompositions {
 public:
  explicit Decompositions(Agraph_t* graph) : graph_(graph) { visit(graph); }

  int count() { return 2 + clusters_ + (lowest_ && other_sources() ? 1 : 0); }

 private:
  void visit(Agraph_t* graph) {
    for (Agraph_t* inner = agfstsubg(graph); inner; inner = agnxtsubg(inner)) {
      const char* rank = agget(inner, const_cast<char*>("rank"));  // which is not changed
      const bool cluster = std::string_view(agnameof(inner)).starts_with("cluster");
      clusters_ += cluster ? 1 : 0;
      if (cluster || (rank && *rank)) unite(inner);
      if (rank && std::string_view(rank) == "min") lowest_ = agfstnode(inner);
      visit(inner);
    }
  }

  void unite(Agraph_t* graph) {
    Agnode_t* first = agfstnode(graph);
    for (Agnode_t* node = first; node; node = agnxtnode(graph, node)) group_[find(node)] = find(first);
  }

  Agnode_t* find(Agnode_t* node) {
    node = agsubnode(graph_, node, 0);  // the same one in every subgraph
    for (auto at = group_.find(node); at != group_.end() && at->second != node; at = group_.find(node))
      node = at->second;
    return node;
  }

  bool other_sources() {
    std::set<Agnode_t*> all, with_something_below;
    for (Agnode_t* node = agfstnode(graph_); node; node = agnxtnode(graph_, node)) {
      all.insert(find(node));
      for (Agedge_t* edge = agfstin(graph_, node); edge; edge = agnxtin(graph_, edge))
        if (find(agtail(edge)) != find(node)) with_something_below.insert(find(node));
    }
    all.erase(find(lowest_));
    return std::any_of(all.begin(), all.end(), [&](Agnode_t* group) { return !with_something_below.contains(group); });
  }

  Agraph_t* graph_;
  int clusters_ = 0;
  Agnode_t* lowest_ = nullptr;
  std::map<Agnode_t*, Agnode_t*> group_;
};

}  // namespace

Agraph_t* read_in_order(const std::string& text) {
  Source source{text};
  Agiodisc_t io = AgIoDisc;
  io.afread = read_line;
  Agdisc_t disciplines{&AgMemDisc, &in_order, &io};
  return agread(&source, &disciplines);
}

// Layouts of one node, which have two decompositions each, move the number on.
void keep_off_the_marks(GVC_t* context, Agraph_t* graph) {
  static int calls = 0;
  constexpr int period = 255;
  const int needed = Decompositions(graph).count();
  while (calls < period && calls + needed > period) {
    Agraph_t* one = agmemread("digraph { a; }");
    gvLayout(context, one, "dot");
    gvFreeLayout(context, one);
    agclose(one);
    calls += 2;
  }
  calls = (calls + needed) % period;
}

}  // namespace unroll::drawing
