#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace unroll::bench {
namespace {

constexpr const char* help =
    "Times one LSTM training step of several implementations, taking turns in one process.\n"
    "\n"
    "  --sizes a,b     only these of tiny, small, medium, large, long (default: all)\n"
    "  --repeats N     turns for each contestant (default 9); the median counts\n"
    "  --help          this text\n";

Size size_named(const std::string& name) {
  for (const Size& size : all_sizes)
    if (size.name == name) return size;
  throw std::invalid_argument("no size '" + name + "': choose from tiny, small, medium, large, long");
}

std::vector<Size> sizes_named(std::string_view list) {
  std::vector<Size> sizes;
  while (true) {
    const std::size_t comma = list.find(',');
    sizes.push_back(size_named(std::string(list.substr(0, comma))));
    if (comma == std::string_view::npos) return sizes;
    list.remove_prefix(comma + 1);
  }
}

std::size_t count_in(const std::string& text) {
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || rest != end || count == 0)
    throw std::invalid_argument("--repeats needs a whole number of at least 1, not '" + text + "'");
  return count;
}

}  // namespace

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  options.sizes.assign(all_sizes.begin(), all_sizes.end());
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const auto value = [&] {
      if (k + 1 == arguments.size()) throw std::invalid_argument(arguments[k] + " needs a value");
      return arguments[++k];
    };
    if (arguments[k] == "--help") {
      std::fputs(help, stdout);
      std::exit(0);
    } else if (arguments[k] == "--sizes") {
      options.sizes = sizes_named(value());
    } else if (arguments[k] == "--repeats") {
      options.repeats = count_in(value());
    } else {
      throw std::invalid_argument("no option '" + arguments[k] + "'; --help lists them");
    }
  }
  return options;
}

}  // namespace unroll::bench
