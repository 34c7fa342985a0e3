#pragma once

#include <unroll/core/render/geometry.hpp>

#include <memory>
#include <string>

// The graph library, behind a wall: graphviz.cpp is the only file that names it. Failures are thrown as Error with its own message.
namespace unroll::drawing {

// A graph that an engine has laid out ("dot"), or that brings its own positions ("nop2"). The library underneath is not made
// for threads: objects of this class wait for each other.
class LaidOutGraph {
 public:
  LaidOutGraph(const std::string& dot_text, const char* engine);
  ~LaidOutGraph();
  LaidOutGraph(const LaidOutGraph&) = delete;
  LaidOutGraph& operator=(const LaidOutGraph&) = delete;

  Rectangle node(const std::string& name) const;
  // From the border of the tail to the tip of the arrow.
  Curve edge(const std::string& tail, const std::string& head) const;
  struct ClusterBox {
    Rectangle box;
    Point label;  // its middle
  };
  ClusterBox cluster(const std::string& name) const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace unroll::drawing
