#include <unroll/core/check/diagnosis.hpp>

namespace unroll {

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::unknown: return "unknown";
    case Cause::sign: return "sign";
    case Cause::factor: return "factor";
    case Cause::transposed: return "transposed";
    case Cause::time_term: return "time_term";
    case Cause::batch_term: return "batch_term";
    case Cause::gate_term: return "gate_term";
    case Cause::derivative_factor: return "derivative_factor";
    case Cause::wrong_operand: return "wrong_operand";
    case Cause::detached: return "detached";
    case Cause::clipped: return "clipped";
    case Cause::wrong_rule: return "wrong_rule";
    case Cause::not_repeatable: return "not_repeatable";
    case Cause::in_place: return "in_place";
    case Cause::kink: return "kink";
    case Cause::nonfinite: return "nonfinite";
    case Cause::precision: return "precision";
  }
  return "unknown";
}

}  // namespace unroll
