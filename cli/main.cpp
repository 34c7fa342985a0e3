#include <unroll/cli/flags.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

// Reads the command line, and runs what it asks for.
namespace unroll::cli {
namespace {

// What the program says where it cannot do what was asked.
int refuse(const std::string& command, const std::string& message) {
  std::fputs(fmt::format("unroll{}{}: {}\n", command.empty() ? "" : " ", command, message).c_str(), stderr);
  return bad_usage;
}

int main(int argc, char** argv) {
  CLI::App app("See how recurrent networks learn: record, check, draw and train RNN, LSTM and GRU.", "unroll");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  unroll hello                                      an LSTM learns a word\n"
      "  unroll list rnn --steps 2 --equations             a network and its backward pass as mathematics\n"
      "  unroll render lstm --steps 3 --output lstm.svg    a drawing\n"
      "  unroll train --text data/night-train.txt          a network learns to write\n"
      "`unroll COMMAND --help` says more and has more examples.\n\n"
      "Exit status: 0 done, 1 a check failed, 2 the request cannot be met (a message says why).");
  app.set_version_flag("--version", "unroll " UNROLL_VERSION, "Print the version and exit");
  SummaryOptions summary;
  CheckOptions check;
  ZooOptions zoo;
  TutorialOptions tutorial;
  GradeOptions grade;
  RenderCommandOptions render;
  ListOptions list;
  BiasOptions bias;
  HelloOptions hello;
  TrainOptions train;
  SampleCommandOptions sample;
  ExampleOptions example;
  ReproduceOptions reproduce;
  FlowCommandOptions flow;
  std::string shell;
  Run run;
  add_tutorial(app, tutorial, run);
  add_grade(app, grade, run);
  add_hello(app, hello, run);
  add_summary(app, summary, run);
  add_check(app, check, run);
  add_zoo(app, zoo, run);
  add_list(app, list, run);
  add_render(app, render, run);
  add_bias(app, bias, run);
  add_flow(app, flow, run);
  add_train(app, train, run);
  add_sample(app, sample, run);
  add_example(app, example, run);
  add_reproduce(app, reproduce, run);
  add_completion(app, shell, run);
  add_man_page(app, run);

  const auto command = [&] {
    const auto used = app.get_subcommands();
    return used.empty() ? std::string() : used.front()->get_name();
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) { return app.exit(e); } catch (const CLI::RequiredError& e) {
    if (!command().empty() || argc < 2)
      return refuse(command(), fmt::format("{}\n`unroll{}{} --help` shows what can be said here.", e.what(),
                                           command().empty() ? "" : " ", command()));
    return refuse("", fmt::format("there is no command {}\n`unroll --help` lists them.", argv[1]));
  } catch (const CLI::ParseError& e) {
    return refuse(command(), fmt::format("{}\n`unroll{}{} --help` shows what can be said here.", e.what(),
                                         command().empty() ? "" : " ", command()));
  }
  // At the sizes that are learned here, one thread is fastest; who knows better says so in the environment.
  if (!std::getenv("OPENBLAS_NUM_THREADS")) kernels::set_blas_threads(1);
  try {
    const int status = run();
    // what was printed counts only when it has arrived: the disk behind a redirection may be full
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) return refuse(command(), "the output could not be written");
    return status;
  } catch (const std::bad_alloc&) {
    return refuse(command(), "there is not enough memory for this: choose smaller numbers");
  } catch (const std::exception& e) { return refuse(command(), e.what()); }
}

}  // namespace
}  // namespace unroll::cli

int main(int argc, char** argv) { return unroll::cli::main(argc, argv); }
