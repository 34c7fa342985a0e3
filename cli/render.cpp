#include <unroll/cli/output.hpp>
#include <unroll/cli/program.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/render.hpp>

#include <algorithm>
#include <iostream>

namespace unroll::cli {

namespace {

bool is_page(const std::string& file) { return file.ends_with(".html"); }

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

// What the drawing will hold, for the reader of a terminal.
struct Contents {
  std::size_t boxes = 0;
  std::vector<std::string> notes;
};

Contents contents(const Tape& tape, const RenderOptions& options) {
  drawing::Drawing drawing = drawing::compose(tape, options);
  return {drawing.nodes.size(), std::move(drawing.notes)};
}

void print_report(const RenderCommandOptions& o, const Tape& tape, const std::optional<Contents>& drawn) {
  if (o.json) {
    Json json{{"outputs", o.outputs}, {"nodes", tape.size()}, {"boxes", nullptr}, {"notes", Json::array()}};
    if (drawn) json["boxes"] = drawn->boxes;
    if (drawn) json["notes"] = drawn->notes;
    return print_json(json);
  }
  const std::string what = o.program.model.empty() ? to_string(o.program.cell) : o.program.model;
  for (const std::string& file : o.outputs) {
    const std::string boxes = is_page(file) ? "" : fmt::format(", {} boxes", drawn->boxes);
    fmt::print("{}: {} of {} nodes{}\n", file, what, tape.size(), boxes);
  }
  if (drawn)
    for (const std::string& note : drawn->notes) fmt::print("note: {}\n", note);
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

  for (const std::string& file : o.outputs)
    if (file != "-") render(tape, std::filesystem::path(file), options);
  if (to_stdout) {
    render(tape, std::cout, options);
    std::cout.flush();
    return done;
  }
  std::optional<Contents> drawn;
  if (!std::all_of(o.outputs.begin(), o.outputs.end(), is_page)) drawn = contents(tape, options);
  print_report(o, tape, drawn);
  return done;
}

}  // namespace unroll::cli
