#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

#include <string>
#include <vector>

namespace unroll::drawing {

struct LeveledDrawing {
  Level level = Level::ops;
  Drawing drawing;
};

// What the interactive page reads, as JSON on one line: the tape as columns, and a drawing for each level. Texts stand once, in a table of strings, and are named by
// their position in it; blocks that are built alike share one shape (their nodes, edges and gates relative to the origin of the block). Lengths are points, y downwards,
// the origin is the top left corner of a drawing. Coordinates are rounded to hundredths of a point, other numbers to 5 significant digits; NaN and infinities
// are the strings "nan", "inf", "-inf". Every `<`, U+2028 and U+2029 is written as an escape, so that the text can stand in a <script>.
//
//   version 1, title, description, notes: [str]
//   level        which is shown first: options.level, or the first one if that was not drawn
//   strings      strings[0] is "". Below, "string" means a position in it
//   nodes        columns, an entry for each node of the tape: op, name, scope, shape, dtype, equation (strings); step (null outside of time);
//                phase (0 forward, 1 backward, 2 tangent); inputs ([node]); stats ([min, mean, max], null without elements);
//                gradient ([norm, min, mean, max], null where it was not computed); origin (of a backward or tangent node: its forward node, or null)
//   values, gradients   {"node": [elements in row-major order]} of arrays of 2 to 256 elements. Both together hold at most 300,000 elements: those of nodes outside of
//                time come first, then those of the first and the last step, the second and the last but one, and so on; a note says which steps are left out.
//   has_gradients; scale ({smallest, largest}: the ends of the logarithmic scale of colours, or null)
//   parameters   {node, name, norm (null: not computed), contributions: [[step, norm, share]]}; contributions where options.gradients kept them
//   levels       {"ops": drawing, "gates": drawing, ...}:
//     width, height
//     shapes     {nodes: [[x, y, width, height, look, tint, dashed]], edges: [[from, to, path, kind, cut, backward]],
//                 frames: [[x, y, width, height, label, label x, label y, kind, tint]]}. look, kind: as numbered in drawing.hpp; tint -1: none; from, to: positions in nodes;
//                path: as in SVG; label: string; of a label, the middle
//     blocks     {shape, x, y (of the origin), step, layer (string), nodes: [node of the tape, null for steps that are left out], members: [[node]], titles: [string],
//                 notes: [[string]], flows: [level of the gradient on each edge]}. A level is 0 to 1; -1 not asked for, -2 not computed, -3 zero, -4 NaN or infinite
//     frames     [x, y, width, height, label, label x, label y, kind, tint, step]: those around blocks
//     links      between blocks, by the left end of their path: {from: [block, node], to: [block, node], source: node, d: path, kind, cut, backward, flow, label, lx, ly}
//     texts      [string, x, y, size]
//     bars       [step, x, y, width, height, norm, share, label, label x, label y]
//
// Throws Error without a drawing, with two of one level, or where an edge ends at no box.
std::string page_model(const Tape& tape, const std::vector<LeveledDrawing>& drawings, const RenderOptions& options);

}  // namespace unroll::drawing
