#pragma once

#include <unroll/optim/fit.hpp>

#include <cstdio>
#include <functional>
#include <string>

// Ready-made callbacks for fit().
namespace unroll {

// Ends the training when `asked` says true: a flag that a signal handler sets, for example.
FitCallback stop_when(std::function<bool()> asked);

// Ends the training when so many seconds have passed since this call. How far it gets depends on the machine.
FitCallback stop_after(double seconds);

// A line that says how far the training is, what `numbers` says (by default loss and gradient norm), and how long it will take: written again and
// again where a terminal shows it, a new line at each tenth of the way where not.
FitCallback progress_line(std::function<std::string(const FitState&)> numbers = {}, std::FILE* out = stderr);

}  // namespace unroll
