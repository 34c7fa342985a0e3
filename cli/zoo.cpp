#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/examples/zoo/zoo.hpp>

#include <algorithm>

namespace unroll::cli {

namespace {

using zoo::Animal;

// The names and where to read, but no answers.
void print_list() {
  std::size_t names = 0;
  for (const Animal& animal : zoo::zoo()) names = std::max(names, animal.name.size());
  fmt::print(
      "{} recurrent cells, each with one fault on its way back. Read a file, find the fault, and then ask for\n"
      "the diagnosis: unroll zoo NAME. How to hunt: examples/zoo/README.md\n\n",
      zoo::zoo().size());
  for (const Animal& animal : zoo::zoo()) fmt::print("{:<{}}  {}\n", animal.name, names, animal.source);
}

// As the file is named, too.
std::string with_hyphens(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

Json json(const Animal& animal) {
  const GradcheckReport report = animal.check();
  Json result{{"name", animal.name}, {"fault", animal.fault}};
  result["diagnosis"] = report.diagnosis ? report.diagnosis->summary : "";
  result["cause"] = report.diagnosis ? to_string(report.diagnosis->cause) : "";
  result["evidence"] = report.diagnosis ? report.diagnosis->evidence : std::vector<std::string>{};
  result["source"] = animal.source;
  return result;
}

}  // namespace

int run_zoo(const ZooOptions& o) {
  std::vector<const Animal*> chosen;
  if (o.animal.empty())
    for (const Animal& animal : zoo::zoo()) chosen.push_back(&animal);
  else
    chosen.push_back(&zoo::find(with_hyphens(o.animal)));
  if (o.json) {
    Json animals = Json::array();
    for (const Animal* animal : chosen) animals.push_back(json(*animal));
    print_json({{"animals", animals}});
  } else if (o.animal.empty()) {
    print_list();
  } else {
    const Animal& animal = *chosen[0];
    const GradcheckReport report = animal.check();
    fmt::print("{}  ({})\n\n{}\n{}\n", animal.name, animal.source, to_string(report, {.colour = on_terminal()}),
               report.passed ? "There is no fault any more: well mended." : "the fault: " + animal.fault);
  }
  return done;
}

}  // namespace unroll::cli
