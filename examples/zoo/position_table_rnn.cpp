#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network that also sees where in the bar it is: a table has one row for odd steps and one for even ones, and looking it up is
// written by hand, as for embeddings.
//
//   e = E[t mod 2]                  E (2, hidden), for every sequence of the batch
//   h_t = tanh(x W_x + h_(t-1) W_h + b + e)
//
// Stands for: look-ups with indexed assignment in numerical libraries.
namespace unroll::zoo {

namespace {

struct PositionTableRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const std::vector<std::int64_t> rows(static_cast<std::size_t>(x.shape()[0]), tape.place.step % 2);
    const auto look_up = [rows](Var table) { return gather(table, rows).named("e"); };
    const auto look_up_backward = [rows](Var table, Var, Var de) {
      Array d_table(table.shape(), DType::f64);
      const auto width = static_cast<std::size_t>(table.shape()[1]);
      for (std::size_t k = 0; k < rows.size(); ++k)
        for (std::size_t j = 0; j < width; ++j)
          d_table.set_flat(static_cast<std::size_t>(rows[k]) * width + j, de.value().flat(k * width + j));
      return table.tape().constant(d_table);
    };
    const auto [W, U, bias] = weights(tape);
    const Var e = custom_vjp(look_up, look_up_backward, tape.use(E));
    const Var h = tanh(affine(x, W, before.h, U, bias) + e).named("h");
    return {h, {h}};
  }

  const Parameter E = weight("E", {2, options.hidden});
};

}  // namespace

Specimen position_table_rnn() { return specimen(PositionTableRNN()); }

}  // namespace unroll::zoo
