#include <unroll/examples/reproduce/reproduce.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/examples/reproduce/adding.hpp>
#include <unroll/examples/reproduce/exact.hpp>
#include <unroll/examples/reproduce/long_lag_1997.hpp>
#include <unroll/examples/reproduce/reach.hpp>
#include <unroll/examples/reproduce/reber_experiment.hpp>

#include <array>
#include <string>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

template <class ItsOptions, Report (*run)(const ItsOptions&)> Report with(const Options& o) {
  ItsOptions options;
  options.seed = o.seed;
  options.progress = o.progress;
  return run(options);
}

}  // namespace

std::span<const Reproduction> all() {
  static constexpr std::array<Reproduction, 6> list{{
      {"exact", "baselines, weight counts and derivatives that papers state exactly", "1 second", true, false,
       with<ExactOptions, exact>},
      {"reber", "embedded Reber grammar, LSTM of 1997 and of today", "2 minutes", false, false,
       with<ReberOptions, embedded_reber>},
      {"adding", "adding problem, RNN against LSTM against GRU, T = 100 and 600", "3 minutes", false, false,
       with<AddingOptions, adding>},
      {"adding-1997", "adding problem of 1997, LSTM of 1997", "5 minutes", false, false,
       with<LongLagOptions, adding_1997_report>},
      {"temporal-order", "the order of distant symbols, LSTM of 1997", "1 minute", false, false,
       with<LongLagOptions, temporal_order_report>},
      {"reach", "success against lag for each cell, as a curve", "5 minutes", false, true, with<ReachOptions, reach>},
  }};
  return list;
}

const Reproduction& find(std::string_view name) {
  std::string names;
  for (const Reproduction& r : all()) {
    if (r.name == name) return r;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", r.name);
  }
  throw Error(fmt::format("there is no reproduction {}: choose {}", name, names));
}

}  // namespace unroll::reproduce
