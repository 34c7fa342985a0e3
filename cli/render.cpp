#include <unroll/cli/output.hpp>
#include <unroll/cli/program.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/render.hpp>

#include <algorithm>
#include <iostream>

namespace unroll::cli {

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  return text;
}

// By its name, lstm.W_f, or its last part, W_f, where only one layer has it.
Parameter find_parameter(const Tape& tape, const std::string& wanted) {
  std::vector<Parameter> found;
  std::vector<std::string> all, alike;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const Parameter* parameter = tape.parameter(id);
    if (!parameter) continue;
    const std::string& name = parameter->name();
    if (name == wanted) return *parameter;
    all.push_back(name);
    if (!name.ends_with("." + wanted)) continue;
    found.push_back(*parameter);
    alike.push_back(name);
  }
  if (found.size() == 1) return found[0];
  if (found.empty())
    throw Error(fmt::format("--contributions: there is no parameter {}: choose {}", wanted, joined(all)));
  throw Error(fmt::format("--contributions: several layers have a {}: choose {}", wanted, joined(alike)));
}

void print_reports(const RenderCommandOptions& o, std::size_t nodes, const std::vector<RenderReport>& reports) {
  if (o.json) {
    Json drawings = Json::array();
    for (std::size_t i = 0; i < reports.size(); ++i)
      drawings.push_back({{"output", o.outputs[i]}, {"boxes", reports[i].boxes}, {"notes", reports[i].notes}});
    return print_json({{"nodes", nodes}, {"drawings", drawings}});
  }
  const std::string what = o.program.model.empty() ? to_string(o.program.cell) : o.program.model;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    fmt::print("{}: {} of {} nodes, {} boxes\n", o.outputs[i], what, nodes, reports[i].boxes);
    for (const std::string& note : reports[i].notes) fmt::print("  note: {}\n", note);
  }
}

}  // namespace

int run_render(const RenderCommandOptions& o) {
  const bool to_stdout = std::find(o.outputs.begin(), o.outputs.end(), "-") != o.outputs.end();
  for (const std::string& file : o.outputs)
    if (file != "-") require_writable(file);  // makes missing folders, too
  const Program program = record_program(o.program);
  const Tape& tape = *program.tape;

  RenderOptions options = o.drawing;
  BackwardOptions measured{.keep = Keep::all, .flows = true};
  if (!o.contributions.empty()) {
    options.contributions = find_parameter(tape, o.contributions);
    measured.by_step = {*options.contributions};
  }
  // Contributions and flows are measured by a pass of their own, so that the recorded one is as in any program.
  std::optional<Gradients> gradients;
  if (o.gradients || options.contributions) gradients = backward(program.loss, measured);
  if (gradients) options.gradients = &*gradients;
  if (options.backward != BackwardView::none) static_cast<void>(backward(program.loss, {.create_graph = true}));

  std::vector<RenderReport> reports;
  for (const std::string& file : o.outputs) {
    if (file == "-")
      render(tape, std::cout, options);
    else
      reports.push_back(render(tape, std::filesystem::path(file), options));
  }
  std::cout.flush();
  // the report would stand in the middle of the drawing
  if (!to_stdout) print_reports(o, tape.size(), reports);
  return done;
}

}  // namespace unroll::cli
