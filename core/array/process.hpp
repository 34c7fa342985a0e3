#pragma once

#include <unroll/core/array/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace unroll {

// A program that is not installed.
class MissingProgram : public Error {
 public:
  using Error::Error;
};

// How a program is run.
struct ProcessOptions {
  // Whether it reads `input`, and what it says is kept. If not, it shares this program's terminal, or wherever its input and output go.
  bool captured = true;
  std::string input = {};                     // what it reads, if captured
  std::filesystem::path folder = {};          // where it runs; empty: here
  std::vector<std::string> environment = {};  // "NAME=value", in place of the variables of the same names
};

// How a program ended.
struct ProcessResult {
  int status = 0;        // minus the number of the signal, where one ended it
  std::string out, err;  // what it said, if captured
};

// Runs a program, found as a shell would find it, and waits for its end. No shell reads the arguments. Throws MissingProgram if there is
// none of this name, Error if it cannot be started for another reason.
ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options = {});

}  // namespace unroll
