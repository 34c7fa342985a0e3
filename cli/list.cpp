#include <unroll/cli/output.hpp>
#include <unroll/cli/program.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/equations.hpp>
#include <unroll/core/render/listing.hpp>

namespace unroll::cli {

namespace {

Json lines(const std::string& text) {
  Json all = Json::array();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

}  // namespace

int run_list(const ListOptions& o) {
  const Program program = record_program(o.program);
  // equations show how the adjoints follow from the forward program, so these must be there
  if (o.backward || o.equations) static_cast<void>(backward(program.loss, {.create_graph = true}));
  const std::string text = o.equations ? equations(*program.tape) : listing(*program.tape);
  if (o.json)
    print_json({{"nodes", program.tape->size()}, {"lines", lines(text)}});
  else
    fmt::print("{}", text);
  return done;
}

}  // namespace unroll::cli
