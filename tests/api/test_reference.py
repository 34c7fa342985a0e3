#!/usr/bin/python3
"""How plain comments become a reference (scripts/api), and how its names are found. Run after scripts/make-api, from anywhere."""

import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from api import comments, links, rooms  # noqa: E402


def documented(text):
    """What a piece of a header says of each declaration: {"Var h;": "the output"}."""
    out = comments.for_doxygen("#pragma once\n\nnamespace unroll {\n\n" + text + "\n\n}  // namespace unroll\n", None)
    pairs = re.findall(r"/\*\* ((?:(?!\*/).)*) \*/\s*([^/\n]+)", out, re.DOTALL)
    return {code.strip(): doc for doc, code in pairs if not doc.startswith(("\\file", "@"))}


class Comments(unittest.TestCase):
    def test_above_and_behind(self):
        self.assertEqual(
            documented("// Two lines\n// above.\nint f(int x);\nint g();  // behind\n\nint h();"),
            {"int f(int x);": "Two lines\nabove.", "int g();": "behind"},
        )

    def test_a_comment_that_stands_apart_belongs_to_the_file(self):
        out = comments.for_doxygen("#pragma once\n\nnamespace unroll {\n\n// Apart.\n\nint f();\n\n}\n", None)
        self.assertIn("/** \\file\nApart. */", out)
        self.assertNotIn("*/ int f();", out)

    def test_overloads_share_and_others_do_not(self):
        self.assertEqual(
            documented("// Shared.\nint f(int x);\nint f(double x);\nint g();\n\nint f(char x);"),
            {"int f(int x);": "Shared.", "int f(double x);": "Shared."},
        )

    def test_a_colon_shares_with_all_below(self):
        self.assertEqual(list(documented("// These:\nint f();\nint g();\n\nint h();")), ["int f();", "int g();"])

    def test_names_that_are_declared_together(self):
        self.assertEqual(
            documented("struct S {\n  std::pair<int, int> a = {1, 2}, b;  // sizes\n};"),
            {
                "std::pair<int, int> a = {1, 2};": "<code>a, b</code>: sizes",
                "std::pair<int, int> b;": "<code>a, b</code>: sizes",
            },
        )

    def test_comments_in_functions_are_left_alone(self):
        self.assertEqual(documented("int f() {\n  // Inside.\n  int x = 1;  // inside\n  return x;\n}"), {})

    def test_initialisers_of_a_constructor_are_no_body(self):
        self.assertEqual(
            documented("class C {\n public:\n  C() : a_{1}, b_{2} {}\n  // Next.\n  int f();\n};"), {"int f();": "Next."}
        )

    def test_values_of_enumerations(self):
        found = documented("enum class E {\n  a,  // first\n  b   // last\n};")
        self.assertEqual(found, {"a,": "first", "b": "last"})

    def test_private_members_are_left_out(self):
        out = comments.for_doxygen("namespace unroll {\nclass C {\n  int a;\n public:\n  int b;\n private:\n  struct D {\n  };\n};\n}", None)
        self.assertNotIn("int a", out)
        self.assertIn("int b", out)
        self.assertNotIn("struct D", out)

    def test_nothing_in_prose_is_a_command(self):
        (doc,) = documented("// |x| < 1, 50 % of @x \\y #1 and `a < b`.\nint f();").values()
        self.assertEqual(doc, r"|x| &lt; 1, 50 \% of \@x \\y \#1 and <code>a &lt; b</code>.")

    def test_points_that_end_no_sentence(self):
        (doc,) = documented("// Steps 1 .. T (Cho et al. 2014). More.\nint f();").values()
        self.assertEqual(doc, "Steps 1 ..&zwj; T (Cho et al.&zwj; 2014). More.")

    def test_indented_lines_are_code(self):
        (doc,) = documented("// As\n//\n//   y = x W\n//\n// says.\nint f();").values()
        self.assertEqual(doc, "As\n \\code{.unparsed}\ny = x W \\endcode\n\nsays.")

    def test_links_to_pages(self):
        (doc,) = documented("// F.\n// See docs/training.md.\nint f();").values()
        self.assertEqual(doc, 'F.\n\\see <a href="../../docs/training.md">Training</a>')
        with self.assertRaises(SystemExit):
            documented("// See docs/no-such-page.md.\nint f();")

    def test_lines_keep_their_numbers(self):
        for name in rooms.public_headers():
            with open(os.path.join(ROOT, "include/unroll", name), encoding="utf-8") as file:
                source = file.read()
            result = comments.for_doxygen(source, rooms.group_of(name))
            self.assertEqual(result.count("\n"), source.count("\n"), name)


class Links(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(ROOT, "build/api")
        cls.api = links.Reference(cls.folder)

    def test_every_address_is_there(self):
        for name, url in self.api.urls.items():
            page, _, anchor = url.partition("#")
            with open(os.path.join(self.folder, page), encoding="utf-8") as file:
                self.assertTrue(not anchor or f'id="{anchor}"' in file.read(), f"{name}: {url}")

    def test_names(self):
        for name in ("over_time", "LSTM", "textbook::LSTM", "Tape::input", "Level::gates", "schedules::cosine", "CellOf"):
            self.assertTrue(self.api.url(name), name)
        self.assertEqual(self.api.url("unroll::backward(loss)"), self.api.url("backward"))
        for name in ("tape.input", "cosine", "forget"):  # the last two need their scope
            self.assertIsNone(self.api.url(name), name)
        self.assertIn("through__time", self.api.url("over_time"))  # not the one of Bidirectional

    def test_names_in_a_page(self):
        page = "<code>LSTM</code> <code>x</code> <a><code>LSTM</code></a> <pre><code>LSTM</code></pre> <h2><code>LSTM</code></h2>"
        result = self.api.link_names(page, "api/")
        self.assertEqual(result, '<a href="api/classunroll_1_1LSTM.html"><code>LSTM</code></a>' + page[len("<code>LSTM</code>") :])

    def test_pages_in_the_reference(self):
        with open(os.path.join(self.folder, self.api.url("LSTM")), encoding="utf-8") as file:
            page = file.read()
        self.assertIn('"../../docs/gallery.md"', page)
        result = links.link_pages(page, lambda name: f"../../{name.removesuffix('.md')}/")
        self.assertNotIn("gallery.md", result)
        self.assertIn('"../../docs/gallery/"', result)


if __name__ == "__main__":
    unittest.main()
