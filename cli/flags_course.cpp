#include <unroll/cli/flags.hpp>

namespace unroll::cli {

void add_tutorial(CLI::App& app, TutorialOptions& o, Run& run) {
  CLI::App& c = add(app, "tutorial", "The course: list the chapters, or run the program of one",
                    "Seventeen chapters, from one multiplication to a trained, drawn and checked LSTM. The list says "
                    "which ones you have\n"
                    "read and whose exercises you have solved. With a number, the program of a chapter is built and "
                    "run, part by part;\n"
                    "its drawings go to out/tutorials/NN.\n\n"
                    "Examples:\n"
                    "  unroll tutorial\n"
                    "  unroll tutorial 6\n"
                    "  unroll tutorial --copy my-course\n"
                    "        a copy of your own, where unroll is installed");
  CLI::Option* const chapter = c.add_option("CHAPTER", o.chapter, "its number; none lists all")->type_name("");
  c.add_option("--copy", o.copy, "copy the course into a new folder")->type_name("FOLDER")->excludes(chapter);
  add_json(c, o.json, R"({"chapters": [{"number", "title", "page", "read", "solved"}]}, of the list)");
  c.callback([&] { run = [&] { return run_tutorial(o); }; });
}

void add_grade(CLI::App& app, GradeOptions& o, Run& run) {
  CLI::App& c =
      add(app, "grade", "Check your exercises of a chapter, with a hint for each mistake",
          "Builds tutorials/NN/exercise.cpp with the chapter's grader and runs it. Exit 1 until all tasks are done.\n\n"
          "Examples:\n"
          "  unroll grade 3\n"
          "  unroll grade 3 --file tutorials/03/solution.cpp");
  c.add_option("CHAPTER", o.chapter, "its number")->required()->type_name("");
  c.add_option("--file", o.file, "another file than the chapter's exercise.cpp")->type_name("FILE");
  add_json(c, o.json, R"({"title", "passed", "tasks": [{"name", "passed", "hint"}]})");
  c.callback([&] { run = [&] { return run_grade(o); }; });
}

}  // namespace unroll::cli
