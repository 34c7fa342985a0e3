#pragma once

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>

// Properties: laws that must hold for random arguments, made and shrunk by RapidCheck, told to doctest.
//
// They run with seed 1 and the number of cases that stands at each. RapidCheck's own variable asks for others, and a failure says what
// to set it to:
//
//   RC_PARAMS="seed=7 max_success=20000" build/release/tests/unroll_tests --test-case='property:*'
namespace unroll::test {

// RapidCheck's own listener writes to stderr as it goes.
struct SilentListener : rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

// Calls property(arguments...) with random arguments until `cases` of them held. A property returns a text, empty where it holds; RC_PRE
// discards arguments of which it says nothing. The shrunk counterexample is the message of the failure.
template <class Property> void check_property(int cases, Property&& property) {
  rc::detail::Configuration defaults;
  defaults.testParams.seed = 1;
  defaults.testParams.maxSuccess = cases;
  const char* given = std::getenv("RC_PARAMS");
  const rc::detail::Configuration configuration = rc::detail::configFromString(given ? given : "", defaults);

  SilentListener listener;
  const rc::detail::TestResult result =
      rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata{}, configuration.testParams,
                                listener, configuration.reproduce);
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  text << "\nAgain: RC_PARAMS=\"seed=" << configuration.testParams.seed
       << " max_success=" << configuration.testParams.maxSuccess << '"';
  INFO(text.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

}  // namespace unroll::test
