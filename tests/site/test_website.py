"""The parts that build and check the site (scripts/website), by themselves."""

import tempfile
import unittest
from pathlib import Path

import markdown as python_markdown
from website import addresses, check, finish, markdown, math, reference
from website.stage import PageError, Stage

def html(text):
    return python_markdown.markdown(markdown.for_python_markdown(text), extensions=["tables", "pymdownx.superfences"]).replace("\n", "")


class Markdown(unittest.TestCase):
    """What GitHub shows as a list, a table or code is one in the site, too."""

    def test_a_list_right_after_a_paragraph(self):
        self.assertEqual(html("text:\n- a\n- b\n"), "<p>text:</p><ul><li>a</li><li>b</li></ul>")

    def test_a_number_that_begins_a_line_begins_no_list(self):
        self.assertEqual(html("in the year\n1997. It was\n"), "<p>in the year1997. It was</p>")

    def test_items_within_items_need_no_four_blanks(self):
        self.assertEqual(html("1. a\n   - b\n   - c\n2. d\n"), "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>")

    def test_an_item_after_one_with_a_second_paragraph(self):
        self.assertEqual(html("1. a\n\n   more\n2. b\n").count("<li>"), 2)

    def test_code_in_an_item_stays_as_it_is(self):
        shown = python_markdown.markdown(markdown.for_python_markdown("- a\n\n  ```\n  x\n    y\n  ```\n"), extensions=["pymdownx.superfences"])
        self.assertIn("x\n  y", shown)
        self.assertIn("<li>", shown)

    def test_code_is_left_alone(self):
        code = "```cpp\n- x\n  | a | b |\n1. y\n```\n"
        self.assertEqual(markdown.for_python_markdown(code), code)

    def test_a_table_right_after_a_paragraph(self):
        self.assertIn("<table>", html("text\n| a | b |\n|---|---|\n| 1 | 2 |\n"))

    def test_links_change_and_code_does_not(self):
        text = "[a](x.md) `[b](y.md)` ![c](z.svg)\n\n```\n[d](w.md)\n```\n\n    [e](v.md)\n"
        seen = []
        markdown.with_links(text, lambda target: seen.append(target) or target)
        self.assertEqual(seen, ["x.md", "z.svg"])


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = Path(folder.name)
        self.write("README.md", "# Home\n")

    def write(self, path, text):
        (self.project / path).parent.mkdir(parents=True, exist_ok=True)
        (self.project / path).write_text(text, "utf-8")

    def staged(self, path, language="en"):
        stage = Stage(self.project, self.project / "build/stage", {})
        stage.write()
        return (self.project / "build/stage" / language / path).read_text("utf-8")

    def test_links_between_pages_stay(self):
        self.write("docs/a.md", "# A\n\n[home](../README.md#x)\n")
        self.assertIn("(../README.md#x)", self.staged("docs/a.md"))

    def test_a_link_to_the_other_language_leads_there(self):
        self.write("README.md", "# Home\n\n[ko](README.ko.md)\n")
        self.write("README.ko.md", "# 처음\n\n[en](README.md)\n")
        self.assertIn("(/ko/index.html)", self.staged("README.md"))
        self.assertIn("(/index.html)", self.staged("README.md", "ko"))

    def test_a_korean_page_leads_to_korean_pages(self):
        for name in ("a", "b"):
            self.write(f"{name}.md", f"# {name}\n")
            self.write(f"{name}.ko.md", f"# {name}\n\n[b](b.ko.md) [home](README.md)\n")
        self.assertIn("[b](b.md) [home](README.md)", self.staged("a.md", "ko"))

    def test_a_page_without_a_korean_version_says_so(self):
        self.assertIn("영어로 된 글", self.staged("README.md", "ko"))

    def test_a_link_to_a_source_file_shows_it(self):
        self.write("core/x.hpp", "// ``` x\n")
        self.write("README.md", "# Home\n\n[x](core/x.hpp)\n")
        self.assertIn("(/source/core/x.hpp.html)", self.staged("README.md"))
        self.assertIn("````cpp\n// ``` x\n````", (self.project / "build/stage/en/source/core/x.hpp.md").read_text("utf-8"))

    def test_a_link_to_nothing_is_an_error_that_names_both(self):
        self.write("README.md", "# Home\n\n[x](docs/none.md)\n")
        with self.assertRaisesRegex(PageError, r"README\.md: the link docs/none\.md leads nowhere"):
            self.staged("README.md")

    def test_a_korean_page_without_the_english_one_is_an_error(self):
        self.write("docs/a.ko.md", "# A\n")
        with self.assertRaisesRegex(PageError, r"docs/a\.ko\.md: there is no docs/a\.md"):
            self.staged("README.md")

    def test_a_marker_above_a_picture_makes_an_interactive_page(self):
        self.write("p.svg", "<svg/>")
        self.write("README.md", "# Home\n\n<!-- moving: unroll render rnn --steps 2 -->\n![A net](p.svg)\n")
        stage = Stage(self.project, self.project / "build/stage", {})
        stage.write()
        self.assertEqual(stage.interactive, {"interactive/render-rnn-steps-2.html": "render rnn --steps 2"})
        text = (self.project / "build/stage/en/README.md").read_text("utf-8")
        self.assertIn('data-page="/interactive/render-rnn-steps-2.html#autoplay"', text)
        self.assertIn("![A net](/p.svg)", text)

    def test_a_marker_without_a_picture_is_an_error(self):
        self.write("README.md", "# Home\n\n<!-- interactive: unroll render rnn -->\ntext\n")
        with self.assertRaisesRegex(PageError, "README.md: not understood: <!-- interactive"):
            self.staged("README.md")


class Finishing(unittest.TestCase):
    def test_addresses_count_from_the_page(self):
        self.assertEqual(finish.with_relative_addresses('<a href="/docs/a.html#b">', "ko/docs/c.html"), '<a href="../../docs/a.html#b">')
        self.assertEqual(addresses.address("tutorials/01/README.md", "ko"), "ko/tutorials/01/index.html")

    def test_names_become_links_once_a_section_and_not_in_code_blocks(self):
        class Interface:
            def url(self, text):
                return {"Tape": "classTape.html"}.get(text.removeprefix("unroll::"))

        page = "<article><h2>a</h2><p><code>Tape</code> <code>unroll::Tape</code> <code>tape</code></p><pre><code>Tape</code></pre><h2>b</h2><code>Tape</code></article>"
        changed = finish.with_names(page, "docs/a.html", Interface())
        self.assertEqual(changed.count('<a class="name" href="../reference/api/classTape.html">'), 2)
        self.assertIn("<pre><code>Tape</code></pre>", changed)

    def test_a_picture_that_stands_alone_can_be_opened(self):
        self.assertEqual(finish.with_open_pictures('<p><img alt="a" src="../p.svg" /></p>'),
                         '<p><a class="picture" href="../p.svg"><img alt="a" src="../p.svg" /></a></p>')

    def test_a_formula_is_set_and_a_wrong_one_is_named(self):
        page = r'<p><span class="arithmatex">\(w^4 &lt; 1\)</span></p>'
        shown = math.set_formulas({"a.html": page})["a.html"]
        self.assertIn('class="katex"', shown)
        self.assertNotIn("arithmatex", shown)
        with self.assertRaisesRegex(ValueError, r"b\.html: \\frac"):
            math.set_formulas({"b.html": r'<span class="arithmatex">\(\frac{1\)</span>'})


class Operations(unittest.TestCase):
    def test_declarations_and_their_comments(self):
        header = ("// ---- sums (core/ops/s.cpp); note\nVar sum(Var x, const Axes& axes = {});  // all\n// Long\n// words.\nVar\nnone;\n\n}  // namespace")
        self.assertEqual(reference.operations(header), [("sums", "core/ops/s.cpp", [("sum", "Var sum(Var x, const Axes& axes = {})", "all")])])


class Check(unittest.TestCase):
    """Each mistake is found."""

    def wrong(self, body, **others):
        with tempfile.TemporaryDirectory() as folder:
            site = Path(folder)
            for name, text in {"index_html": f"<h1 id='top'>x</h1>{body}", **others}.items():
                (site / name.replace("_", ".")).write_text(text, "utf-8")
            return check.check(site)[1]

    def test_what_is_right(self):
        self.assertEqual(self.wrong('<a href="#top">a</a><a href="b.html#c">b</a><a href="https://example.org">c</a><img src="p.svg" alt="p">',
                                    b_html="<h1 id='c'>b</h1>", p_svg="<svg/>"), [])

    def test_what_is_wrong(self):
        for body, expected in [
            ('<a href="none.html">a</a>', "a link to what is not there: none.html"),
            ('<a href="#none">a</a>', "a link to an anchor that is not there: #none"),
            ('<a href="/index.html">a</a>', "counts from the root"),
            ('<script src="https://example.org/x.js"></script>', "loads something from elsewhere"),
            ('<link rel="stylesheet" href="//example.org/x.css">', "loads something from elsewhere"),
            ('<img src="none.png" alt="x">', "loads what is not there"),
            ('<img src="data:," alt="">', "a picture without a text"),
            ("<h3>x</h3>", "a heading of level 3 after one of level 1"),
            ("<h1>x</h1>", "2 headings of the first level"),
            (r'<span class="arithmatex">\(x\)</span>', "a formula that was not set"),
        ]:
            with self.subTest(body):
                found = self.wrong(body)
                self.assertEqual(len(found), 1, found)
                self.assertIn(expected, found[0])
        self.assertIn("style.css: loads something from elsewhere", self.wrong("", style_css="a{background:url(https://example.org/a.png)}")[0])


if __name__ == "__main__":
    unittest.main()
