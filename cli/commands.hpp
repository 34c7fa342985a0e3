#pragma once

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/layers/recurrent_stack.hpp>

#include <cstdint>
#include <string>
#include <vector>

// The subcommands: what each can be told, and a function that does it and returns the exit status. The files of flags read the command line
// and have checked every number by the time it gets here.
namespace unroll::cli {

// The exit statuses. An interrupted training ends with 128 + the number of the signal, as shells have it.
inline constexpr int done = 0, check_failed = 1, bad_usage = 2;

struct SummaryOptions {
  CellKind cell = CellKind::lstm;
  std::int64_t input = 0, hidden = 0, layers = 1;
  std::int64_t projection = 0;  // 0: none
  Reset reset = Reset::before;
  bool layer_norm = false, bidirectional = false;
  bool json = false;
};

struct CheckOptions {
  std::vector<CellKind> cells;  // none means all
  std::int64_t input = 3, hidden = 4, steps = 4, batch = 2;
  std::string form;  // only the forms whose name holds this text
  CheckMode mode = CheckMode::entries;
  int order = 1;
  std::int64_t directions = 3;
  std::uint64_t seed = 1;
  double tolerance = 0;     // 0: as the mode allows
  std::string plot;         // the V-curve of the worst entry; "" for none
  bool parameters = false;  // a line for each parameter, not only for each layer
  bool json = false;
};

struct ZooOptions {
  std::string animal;  // "" lists all
  bool json = false;
};

struct TutorialOptions {
  std::string chapter;  // "" lists them
  std::string copy;     // a new folder for the course; "" for none
  bool json = false;
};

struct GradeOptions {
  std::string chapter;
  std::string file;  // "": the chapter's own exercise.cpp
  bool json = false;
};

// What `render` and `list` record: cells over a random sequence, or a trained character model on a sentence.
struct ProgramOptions {
  CellKind cell = CellKind::lstm;
  std::int64_t steps = 3, input = 2, hidden = 3, batch = 1;
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool peepholes = false;  // LSTM
  Reset reset = Reset::before;
  bool packed = false;
  std::int64_t k1 = 0, k2 = 0;  // of truncated BPTT; 0: full BPTT
  std::uint64_t seed = 1;
  std::string model, text;  // both or none: a file, and the sentence itself; the rest does not count then
};

struct RenderCommandOptions {
  ProgramOptions program;
  bool gradients = false;
  std::string contributions;         // the name of a parameter; "" for none
  RenderOptions drawing;             // all but what the two above say, and the format: that of standard output only
  std::vector<std::string> outputs;  // files, and perhaps "-", standard output
  bool json = false;
};

struct ListOptions {
  ProgramOptions program;
  bool backward = false;
  bool equations = false;
  bool json = false;
};

// `bias` compares truncated BPTT with full BPTT, for each k2.
struct BiasOptions {
  CellKind cell = CellKind::lstm;
  std::int64_t steps = 100, k1 = 10, input = 4, hidden = 16, batch = 4;
  Reset reset = Reset::before;
  std::vector<std::int64_t> k2;
  bool parameters = false;  // a table of all parameters for each k2
  std::uint64_t seed = 1;
  bool json = false;
};

struct HelloOptions {
  std::int64_t hidden = 6, training_steps = 2000;
  std::uint64_t seed = 1;
  std::vector<std::string> outputs;
  bool json = false;
};

struct TrainOptions {
  std::string text;
  CellKind cell = CellKind::lstm;
  Reset reset = Reset::before;
  std::int64_t hidden = 128, layers = 1, steps = 64, batch = 16, epochs = 30;
  double learning_rate = 0.005, clip = 1;
  std::int64_t time_limit = 0;  // seconds; 0 means none
  std::uint64_t seed = 1;
  std::string save;
  std::string checkpoint;  // from which an interrupted training goes on
  std::int64_t save_every = 100;
  bool json = false;
};

struct SampleCommandOptions {
  std::string model, prompt;
  std::int64_t length = 200;
  double temperature = 0.7;
  std::uint64_t seed = 1;
  bool json = false;
};

struct ExampleOptions {
  std::string name;          // empty: list them
  std::int64_t updates = 0;  // 0: as many as the example needs
  std::uint64_t seed = 1;
  std::vector<std::string> outputs;
  bool json = false;
};

struct ReproduceOptions {
  std::string name;    // empty: list them
  std::string output;  // of the curve
  std::uint64_t seed = 1;
  bool json = false;
};

struct FlowCommandOptions {
  std::vector<CellKind> cells;  // none means all
  std::int64_t steps = 50, hidden = 32, layers = 1, batch = 16, updates = 0;
  std::string task = "last";
  double learning_rate = 0.01;
  bool jacobians = false;
  std::string model, text;  // both or none: the flow in a trained character model
  std::uint64_t seed = 1;
  std::string output;  // "" for none
  bool json = false;
};

int run_summary(const SummaryOptions& options);
int run_check(const CheckOptions& options);
int run_zoo(const ZooOptions& options);
int run_tutorial(const TutorialOptions& options);
int run_grade(const GradeOptions& options);
int run_render(const RenderCommandOptions& options);
int run_list(const ListOptions& options);
int run_bias(const BiasOptions& options);
int run_hello(const HelloOptions& options);
int run_train(const TrainOptions& options);
int run_sample(const SampleCommandOptions& options);
int run_example(const ExampleOptions& options);
int run_reproduce(const ReproduceOptions& options);
int run_flow(const FlowCommandOptions& options);

}  // namespace unroll::cli
