#pragma once

#include <string>
#include <vector>

namespace unroll {

// Why a gradient is wrong, as far as evidence tells.
enum class Cause {
  unknown,            // wrong, and no single fault that was tried explains it
  sign,               // a term, or all, with the wrong sign
  factor,             // times a constant: the batch, the steps, 2 where it was added twice
  transposed,         // a matrix taken for its transpose
  time_term,          // right for one step, wrong for two: what the next step hands back is missing
  batch_term,         // right for one sequence, wrong for two
  gate_term,          // the part that flows through one gate, or one other operation, is missing
  derivative_factor,  // the derivative of a gate's or activation's function is missing, or taken elsewhere
  wrong_operand,      // a product with another value than the right one
  detached,           // a value was cut off the tape on its way
  clipped,            // large entries were clipped to a bound
  wrong_rule,         // the rule of one operation is wrong in another way
  not_repeatable,     // two runs on equal leaves differ
  in_place,           // the program changes its own leaves
  kink,               // no derivative at this entry, and the analytic value is not between those of both sides
  nonfinite,          // NaN or infinity
  precision,          // nothing is wrong: the tolerance asks for more than the numbers can give
};
// The name of a cause as JSON has it: "time_term".
const char* to_string(Cause cause);

// What a failed check found out.
struct Diagnosis {
  Cause cause = Cause::unknown;       // the kind of fault
  std::string summary;                // one sentence: what is wrong, in the layer's own terms
  std::vector<std::string> evidence;  // what it rests on, a sentence each
};

}  // namespace unroll
