#pragma once

#include <unroll/core/render/geometry.hpp>
#include <unroll/core/render/label.hpp>
#include <unroll/core/render/scene.hpp>

#include <string>
#include <vector>

// A finished drawing as data: everything has its place, its colour and its width. Writers of DOT (and of other formats) only write it down.
namespace unroll::render {

struct DrawnNode {
  std::string id;
  Look look = Look::operation;
  Rectangle box;
  Text text;
  std::string tooltip;
  std::string fill, border, letters;
  bool dashed = false;
};

struct DrawnEdge {
  std::string from, to;
  Curve curve;
  double width = 1;
  std::string colour;
  bool state = false;  // from one step to another
  bool dashed = false;
  std::string label;
  Point label_at;
};

struct DrawnCluster {
  std::string id, label;
  Rectangle box;
  Point label_at;
  std::string fill, border, letters;
  std::vector<std::string> nodes;  // directly inside
  std::vector<DrawnCluster> inner;
};

struct Drawing {
  std::string title;
  std::vector<DrawnCluster> clusters;
  std::vector<DrawnNode> nodes;
  std::vector<DrawnEdge> edges;
  Rectangle box;
};

}  // namespace unroll::render
