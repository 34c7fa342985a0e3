#pragma once

#include <string>

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

// Two faults of the graph library (version 2.43) that would make equal graphs look different, and ways around them. Only graphviz.cpp may include this.
namespace unroll::drawing {

// Reads DOT text; nullptr if it is none. The library by itself identifies a name by its address, and goes through clusters in the order of these identifiers: so the same text
// would be laid out in several ways. Here names are numbered as they come.
Agraph_t* read_in_order(const std::string& text);

// To be called before each layout by the engine `dot`, which marks nodes with a number from 1 to 255 that it counts up over the whole life of the process, by one whenever
// it decomposes a graph. When that begins anew at 1 in the midst of a layout, it mistakes marks of another kind for its own, and gives another picture, or crashes.
void keep_off_the_marks(GVC_t* context, Agraph_t* graph);

}  // namespace unroll::drawing
