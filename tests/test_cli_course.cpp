#include "command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

// `unroll tutorial` and `unroll grade` as a reader runs them. scripts/check-exercises grades every chapter's solution, skeleton and mistakes.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;

const fs::path course = fs::path(UNROLL_SOURCE_DIR) / "tutorials";

// A reader who has finished nothing yet, and who is forgotten again.
class Reader {
 public:
  Reader() { ::setenv("XDG_STATE_HOME", folder_.file("state").c_str(), 1); }
  ~Reader() { ::unsetenv("XDG_STATE_HOME"); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
};

Json chapter(const std::string& number) {
  const Json list = run({"tutorial", "--json"}).json();
  for (const Json& entry : list["chapters"])
    if (entry["number"] == number) return entry;
  return {};
}

}  // namespace

TEST_CASE("unroll tutorial: lists the chapters in their order, with their titles") {
  const Reader reader;
  const Json chapters = run({"tutorial", "--json"}).json()["chapters"];
  std::vector<std::string> numbers;
  for (const Json& entry : chapters) {
    CHECK(keys(entry) == Keys{"number", "title", "page", "read", "solved"});
    CHECK(entry["read"] == false);
    CHECK(entry["solved"] == false);
    CHECK(fs::exists(entry["page"].get<std::string>()));
    const std::string page = read_whole_file(entry["page"].get<std::string>());
    CHECK(page.substr(0, page.find('\n')).ends_with(" · " + entry["title"].get<std::string>()));
    numbers.push_back(entry["number"]);
  }
  REQUIRE(numbers.size() >= 17);
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(numbers.front() == "01");
  const Result list = run({"tutorial"});
  CHECK(list.status == 0);
  CHECK(list.out.find("0 of " + std::to_string(numbers.size()) + " chapters read, the exercises of 0 solved.") !=
        std::string::npos);
}

TEST_CASE("unroll grade: a solution passes, and the list remembers it") {
  const Reader reader;
  const Result result = run({"grade", "1", "--file", (course / "01/solution.cpp").string()});
  CHECK(result.status == 0);
  CHECK(result.out.find("not yet") == std::string::npos);
  CHECK(result.out.find("Next: unroll tutorial 02 (The tape). Another solution: ") != std::string::npos);
  CHECK(chapter("01")["solved"] == true);
  CHECK(chapter("01")["read"] == false);
  CHECK(chapter("02")["solved"] == false);
}

TEST_CASE("unroll grade: a skeleton does not pass, and says what is missing") {
  const Reader reader;
  const Result result = run({"grade", "01", "--file", (course / "01/exercise.cpp").string(), "--json"});
  CHECK(result.status == 1);
  const Json json = result.json();
  CHECK(json["passed"] == false);
  REQUIRE(!json["tasks"].empty());
  CHECK(keys(json["tasks"][0]) == Keys{"name", "passed", "hint"});
  CHECK(json["tasks"][0]["hint"].get<std::string>().starts_with("Still missing: "));
  CHECK(chapter("01")["solved"] == false);
}

TEST_CASE("unroll grade: what does not compile is shown as the compiler says it") {
  const Reader reader;
  const std::string file = reader.folder().file("mine.cpp", "int main( {\n");
  const Result result = run({"grade", "1", "--file", file});
  CHECK(result.status == 1);
  CHECK(result.out.find("mine.cpp does not compile. What the compiler says:") != std::string::npos);
  CHECK(result.out.find("mine.cpp:1:") != std::string::npos);
}

TEST_CASE("unroll tutorial and grade: a request that cannot be met says what is there") {
  const Reader reader;
  CHECK(refusal({"tutorial", "99"}).starts_with("unroll tutorial: there is no chapter 99: they go from 01 to "));
  CHECK(refusal({"grade", "0"}).starts_with("unroll grade: there is no chapter 0: they go from 01 to "));
  CHECK(refusal({"grade", "1", "--file", "nowhere.cpp"}) == "unroll grade: --file: there is no file nowhere.cpp");
  CHECK(
      refusal({"tutorial", "--copy", reader.folder().file("")}).find(" is there already: name a folder that is not") !=
      std::string::npos);
  write_whole_file(reader.folder().file("state/unroll/progress.json"), "[1]");
  CHECK(refusal({"tutorial"}).find("progress.json is not what it should be") != std::string::npos);
}

TEST_CASE("unroll tutorial --copy: makes a course of one's own, whose files can be changed") {
  const Reader reader;
  const std::string copy = reader.folder().file("mine");
  REQUIRE(run({"tutorial", "--copy", copy}).status == 0);
  CHECK(read_whole_file(copy + "/01/exercise.cpp") == read_whole_file(course / "01/exercise.cpp"));
  write_whole_file(copy + "/01/exercise.cpp", read_whole_file(course / "01/solution.cpp"));
}

}  // namespace unroll::test
