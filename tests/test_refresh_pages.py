"""scripts/refresh-pages: what counts as the same output, and what it does with a page."""

import importlib.util
import pathlib
import tempfile
import unittest
from importlib.machinery import SourceFileLoader

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "refresh-pages"
loader = SourceFileLoader("refresh_pages", str(SCRIPT))
pages = importlib.util.module_from_spec(importlib.util.spec_from_loader("refresh_pages", loader))
loader.exec_module(pages)

SHOWN = """leaf  analytic  -0.0001526444  9.4e-01  WRONG
settle on 0.00449084093 +- 1e-13, far (from 5.626731569202368).
  9.2e-02    8.6e-03  *****************
  1.5e-09    3.1e-11  *******
"""


class SameOutput(unittest.TestCase):
    def same(self, printed):
        return pages.same_output(SHOWN.split("\n"), printed.split("\n"))

    def same_with(self, before, after):
        self.assertIn(before, SHOWN)
        return self.same(SHOWN.replace(before, after, 1))

    def test_equal_texts_are_the_same(self):
        self.assertTrue(self.same(SHOWN))

    def test_numbers_may_differ_by_rounding(self):
        for before, after in [
            ("1526444", "1526445"),
            ("9202368", "9202301"),
            ("1e-13", "4e-14"),
            ("3.1e-11  *******", "8.0e-10  ***********"),
            ("3.1e-11  *******", "0.0e+00"),
            ("*****************", "****************"),
        ]:
            with self.subTest(before):
                self.assertTrue(self.same_with(before, after))

    def test_anything_else_is_a_difference(self):
        for before, after in [
            ("1526444", "1526446"),
            ("-0.0001526444", "0.0001526444"),
            ("9202368).", "9202368)"),
            ("1e-13", "1e-3"),
            ("WRONG", "ok"),
            ("leaf  analytic", "leaf"),
            ("*****************", "***************"),
            ("8.6e-03  *****************", "8.6e-03"),
            ("  9.2e-02    8.6e-03  *****************\n", ""),
        ]:
            with self.subTest(before):
                self.assertFalse(self.same_with(before, after))
        self.assertFalse(self.same(SHOWN + "one line more\n"))


class Page(unittest.TestCase):
    """A chapter of its own, whose program is a shell script."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.chapter = pathlib.Path(folder.name) / "01"
        self.build = pathlib.Path(folder.name) / "build"
        self.chapter.mkdir()
        (self.build / "tutorials").mkdir(parents=True)
        (self.chapter / "program.cpp").write_text("int main() {\n  //[ sum\n  int a = 1;\n  //]\n}\n")
        program = self.build / "tutorials" / "program_01"
        program.write_text("#!/bin/sh\nprintf '== One\\n\\n1.50 a\\n\\n== Two\\n\\nb\\n\\n== Three\\n\\n== forward ==\\n\\nc\\n'\n")
        program.chmod(0o755)

    def fresh(self, text):
        page = self.chapter / "README.md"
        page.write_text(text)
        with pages.Source(self.chapter, self.build) as source:
            return pages.fresh(page, source)

    def test_code_is_the_part_of_the_source(self):
        self.assertEqual(
            self.fresh("<!-- code: program.cpp sum -->\n```cpp\nint a = 2;\n```\n"),
            "<!-- code: program.cpp sum -->\n```cpp\nint a = 1;\n```\n",
        )

    def test_a_whole_file_has_no_marks(self):
        self.assertEqual(
            self.fresh("<!-- code: program.cpp -->\n```cpp\n```\n"),
            "<!-- code: program.cpp -->\n```cpp\nint main() {\n  int a = 1;\n}\n```\n",
        )

    def test_output_is_that_of_the_section(self):
        self.assertEqual(self.fresh("<!-- output: Two -->\n```text\nc\n```\n"), "<!-- output: Two -->\n```text\nb\n```\n")

    def test_headings_of_what_is_printed_are_no_sections(self):
        self.assertEqual(
            self.fresh("<!-- output: Three -->\n```text\n```\n"),
            "<!-- output: Three -->\n```text\n== forward ==\n\nc\n```\n",
        )

    def test_output_that_is_the_same_to_rounding_stays(self):
        page = "<!-- output: One -->\n```text\n1.51 a\n```\n"
        self.assertEqual(self.fresh(page), page)

    def test_commands_are_run_by_the_shell(self):
        self.assertEqual(self.fresh("```console\n$ echo a | tr a b\nc\n```\n"), "```console\n$ echo a | tr a b\nb\n```\n")

    def test_other_blocks_stay(self):
        page = "```text\n$ echo a\n```\n"
        self.assertEqual(self.fresh(page), page)

    def test_what_is_not_there_is_named(self):
        for page, message in [
            ("<!-- code: program.cpp none -->\n```cpp\n```\n", "program.cpp has no part 'none'"),
            ("<!-- code: other.cpp -->\n```cpp\n```\n", "there is no other.cpp"),
            ("<!-- output: Four -->\n```text\n```\n", "no section 'Four'; it has 'One', 'Two', 'Three'"),
            ("<!-- output: One -->\ntext\n", "line 1: there is no block of code"),
            ("```cpp\nint a;\n", "line 1: the block of code is not closed"),
        ]:
            with self.subTest(page), self.assertRaisesRegex(pages.PageError, message):
                self.fresh(page)


if __name__ == "__main__":
    unittest.main()
