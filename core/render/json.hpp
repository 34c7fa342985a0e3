#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

#include <string>

namespace unroll::drawing {

// A drawing for programs: everything that is drawn, with its place, and what the tape says of it. Lengths are points, y runs downwards, and the origin is the
// top left corner of the drawing; coordinates are rounded to hundredths of a point, other numbers to 9 significant digits. NaN and infinities are the strings
// "nan", "inf", "-inf". Every key is always there and in this order. Each node and edge has a line of its own; equal drawings give equal text. It ends with a line break.
//
//   {
//     "format": "unroll drawing", "version": 1,
//     "title": str, "description": str, "notes": [str],
//     "level": "ops" | "gates" | "cells" | "folded",
//     "width": w, "height": h,
//     "has_gradients": bool,                        // whether the drawing was asked to show gradients
//     "scale": {"smallest": x, "largest": y} | null,  // the ends of the logarithmic scale of gradients
//     "nodes": [{
//       "id": "n41",                                // unique in the drawing
//       "node": int | null,                         // the index on the tape; null where a box stands for no node, such as for steps that are left out
//       "members": [int],                           // all nodes of the tape in this box, where there are several
//       "look": "operation" | "result" | "state" | "input" | "port" | "parameter" | "gate" | "cell" | "gap",
//       "name": "h_2", "operation": "add", "scope": "lstm/forget gate",  // of the node; "" where there is none
//       "step": int | null, "phase": "forward" | "backward" | "tangent",
//       "shape": [int], "dtype": "float32",         // shape null without a node
//       "text": [str],                              // the lines in the box
//       "x": x, "y": y, "width": w, "height": h,    // x and y of the top left corner
//       "dashed": bool, "colour": "#RRGGBB" | null, // a colour chosen by RenderOptions::colour
//       "min": x, "mean": x, "max": x,              // of the elements; null without a node or elements
//       "gradient": norm | null                     // null: not asked for, or not computed
//     }],
//     "edges": [{
//       "from": id, "to": id, "source": int | null, // the node of the tape whose value flows here
//       "kind": "data" | "state" | "parameter", "cut": bool, "backward": bool,
//       "points": [[x, y]],                         // a chain of cubic Bezier curves: a start, then three points for each curve
//       "label": str, "label_at": [x, y] | null,    // the middle of the label
//       "gradient": norm | null
//     }],
//     "frames": [{"id": str, "kind": "step" | "layer" | "gate", "label": str, "label_at": [x, y],
//                 "x": x, "y": y, "width": w, "height": h, "nodes": [id], "inner": [frames]}],
//     "blocks": [{"step": int | null, "layer": str, "shape": int, "origin": [x, y],   // blocks of one shape look alike
//                 "nodes": [first, count], "edges": [first, count]}],                  // positions in the lists above
//     "texts": [{"text": str, "at": [x, y], "size": points}],
//     "bars": [{"step": int | null, "x": x, "y": y, "width": w, "height": h, "norm": x, "share": x, "label": str, "label_at": [x, y]}]
//   }
std::string json_text(const Tape& tape, const Drawing& drawing, const RenderOptions& options);

}  // namespace unroll::drawing
