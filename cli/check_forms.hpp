#pragma once

#include <unroll/cli/commands.hpp>

#include <unroll/layers/gradcheck.hpp>

#include <string>
#include <vector>

namespace unroll::cli {

// One form of a layer and what the check said.
struct CheckedForm {
  std::string layer;
  GradcheckReport report;
};

// Checks the layers of the library, by themselves and put together, in all forms that the options want.
std::vector<CheckedForm> check_forms(const CheckOptions& options);

}  // namespace unroll::cli
