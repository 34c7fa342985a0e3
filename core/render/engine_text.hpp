#pragma once

#include <unroll/core/render/scene.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

// How a block is put to the layout engine `dot`: as a small graph, with more in it than can be seen in the picture, so that the engine leaves
// room where lines between the steps will run.
namespace unroll::drawing {

// The scopes that are drawn as clusters: those below the common one, with the items directly in each.
struct Clusters {
  std::vector<ScopeId> order;  // by first item, outer ones before inner ones
  std::map<ScopeId, std::vector<int>> items;
  std::map<ScopeId, int> depth;
  std::set<ScopeId> outer;  // those with other ones inside

  // The innermost ones: gates, or layers without gates.
  bool is_gate(ScopeId scope) const { return depth.contains(scope) && !outer.contains(scope); }
};

Clusters find_clusters(const Tape& tape, const Block& block);

// What a cluster is called: the scope, and the name of what a gate computes ("forget gate f").
std::string cluster_label(const Tape& tape, const Block& block, ScopeId scope);

// From here on, the engine gets less time, and is asked less often.
inline constexpr std::size_t large_block = 45;

// What the engine is asked for, beyond the graph itself. It gives way to some wishes at any price, so a layout is tried with and without.
struct Wishes {
  bool ordered = true;        // gates from left to right as they were recorded
  bool posts = false;         // nothing left of where a motorway enters, nothing right of where a state leaves
  int rise = 1;               // how many ranks what the layer above reads is led upwards
  std::vector<int> longer{};  // links that are longer by one rank for each time that they stand here
};

// Items are called i0, i1, ...; each reader of a rail has a tap, an invisible point at the edge of the block, so that its line is
// led around boxes. The items of a motorway stand at one height.
std::string engine_text(const Tape& tape, const Block& block, Wishes wishes);

// What the engine knows the end of a rail's line by, and the end of a line to the layer above.
std::string tap(std::size_t rail, int reader);
std::string riser(int item);

}  // namespace unroll::drawing
