#include "machine.hpp"

#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include "peer_libtorch.hpp"

// OpenBLAS has this function and other implementations do not; null then.
extern "C" char* openblas_get_config() __attribute__((weak));

namespace unroll::bench {
namespace {

// From Linux's table of processors; elsewhere the name stays general.
std::string processor() {
  std::ifstream table("/proc/cpuinfo");
  for (std::string line; std::getline(table, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[sizeof "2000-01-01"];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now))};
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "g++ " __VERSION__;
#endif
}

// "OpenBLAS 0.3.21": the configuration goes on with flags, which are left out.
std::string blas() {
  if (!openblas_get_config) return "another BLAS";
  const std::string config = openblas_get_config();
  return config.substr(0, config.find(' ', config.find(' ') + 1));
}

}  // namespace

std::string machine() {
  const std::string torch = libtorch_version();
  return today() + "; " + processor() + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " processors, 1 used; " + compiler() + ", " + blas() + (torch.empty() ? "" : ", " + torch);
}

}  // namespace unroll::bench
