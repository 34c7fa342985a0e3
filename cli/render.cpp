#include <unroll/cli/output.hpp>
#include <unroll/cli/program.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/render/render.hpp>

namespace unroll::cli {

int run_render(const RenderOptions& o) {
  require_writable(o.output);  // makes missing folders, too
  const Program program = record_program(o.program);
  unroll::RenderOptions options;
  if (o.gradients) options.gradients = &program.gradients;
  if (o.program.backward) options.backward = BackwardView::below;
  unroll::render(*program.tape, o.output, options);
  if (o.json)
    print_json({{"output", o.output}, {"nodes", program.tape->size()}});
  else
    fmt::print("{}: {} of {} nodes\n", o.output, o.program.model.empty() ? to_string(o.program.cell) : o.program.model,
               program.tape->size());
  return done;
}

}  // namespace unroll::cli
