#include <unroll/layers/state.hpp>

#include <fmt/format.h>

namespace unroll::detail {

void fail_state_parts(std::size_t given, std::size_t expected) {
  throw ShapeError(fmt::format("state: {} arrays were given for a state of {}", given, expected));
}

void fail_state_shape(const Var& form, const Array& given) {
  const Tape& tape = form.tape();
  throw ShapeError(fmt::format("state: {} has shape {}, expected {}  {}", tape.name(form.id()),
                               to_string(given.shape()), to_string(form.shape()), tape.where(form.id())));
}

}  // namespace unroll::detail
