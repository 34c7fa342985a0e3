#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/tape/tape.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

// What holds for every finished drawing. Each law lists what breaks it, in words that say where.
namespace unroll::test {

struct Violations {
  std::vector<std::string> all;

  explicit operator bool() const { return all.empty(); }
  void add(std::string text) { all.push_back(std::move(text)); }
  // The first few of them.
  friend std::ostream& operator<<(std::ostream& out, const Violations& violations);
};

struct DrawingLaw {
  std::string_view name;
  Violations (*broken_by)(const drawing::Drawing&);
};

// All laws that need nothing but the drawing.
const std::vector<DrawingLaw>& drawing_laws();

// Blocks of one shape have their boxes, lines and frames at equal places, to 1e-9.
Violations unequal_blocks(const drawing::Drawing&);
// The middles of steps go to the right with time; those of the backward pass stand below their own, and lines between steps run with
// time, or against it where they are of the backward pass.
Violations wrong_time(const drawing::Drawing&);
Violations overlapping_boxes(const drawing::Drawing&);
// Boxes and inner frames are inside their frames, frames side by side are apart, and everything is inside the drawing.
Violations broken_frames(const drawing::Drawing&);
// No line crosses a box but the two it connects: lines from block to block, and lines inside one.
Violations crossings_between_blocks(const drawing::Drawing&);
Violations crossings_inside_blocks(const drawing::Drawing&);
// Lines begin and end at the borders of their boxes, within one point.
Violations loose_ends(const drawing::Drawing&);
// Identifiers are unique, and what is named exists.
Violations broken_names(const drawing::Drawing&);
// Words on lines, and names of frames, stand on no box and on no other words.
Violations covered_labels(const drawing::Drawing&);

// c runs from each step to the next on straight level lines, all at one height. `steps` of them are looked for.
Violations bent_cell_state(const drawing::Drawing&, const Tape&, std::int32_t steps);

// What a forward drawing owes: every computed node in one box, alone (`ops`) or with others. Inputs that are read are drawn once, too, where no
// step is left out or folded (`inputs`).
Violations incomplete(const drawing::Drawing&, const Tape&, bool each_alone, bool inputs);

}  // namespace unroll::test
