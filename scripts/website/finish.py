"""What is done to the pages that mkdocs has made: addresses, the switch of languages, formulas, and links to the C++ interface."""

import html
import json
import posixpath
import re


FROM_ROOT = re.compile(r'(?P<before>\b(?:href|src|data-page)=")/(?P<path>(?!/)[^"]*)"')
SWITCH = re.compile(r'href="[^"]*" hreflang="(\w+)"')
PICTURE = re.compile(r'<p>(<img\b[^>]*\bsrc="([^"]*)"[^>]*/?>)</p>')
# What can stand around a piece of inline code that becomes a link; code within headings, links and blocks is left alone.
PIECES = re.compile(r"<(?P<skip>pre|a|h1|nav|header|figcaption)\b.*?</(?P=skip)>|<h(?P<level>[2-6])\b.*?</h(?P=level)>|<code>(?P<code>[^<]*)</code>",
                    re.DOTALL)
ARTICLE = re.compile(r'(<article\b[^>]*>)(.*?)(</article>)', re.DOTALL)


def relative(path, page):
    """The address of `path`, from the root of the site, as `page` is to name it."""
    file, mark, anchor = path.partition("#")
    return posixpath.relpath(file or "index.html", posixpath.dirname(page) or ".") + mark + anchor


def with_relative_addresses(text, page):
    return FROM_ROOT.sub(lambda match: f'{match["before"]}{relative(match["path"], page)}"', text)


def with_languages(text, page):
    """The switch leads to the same page in the other language; every page is there in both, except those that show a source file."""
    same = page.removeprefix("ko/")
    if same.startswith("source/") or same == "404.html":
        same = "index.html"
    return SWITCH.sub(lambda match: f'href="{relative(same if match[1] == "en" else "ko/" + same, page)}" hreflang="{match[1]}"', text)


def with_names(text, page, interface):
    """Links from code to the C++ interface: the first time that a section names something."""
    def article(match):
        seen = set()

        def piece(part):
            if part["level"] == "2":
                seen.clear()
            url = part["code"] and interface.url(html.unescape(part["code"]))
            if not url or url in seen:
                return part[0]
            seen.add(url)
            target = relative(f"reference/api/{url}", page)
            return f'<a class="name" href="{target}">{part[0]}</a>'

        return match[1] + PIECES.sub(piece, match[2]) + match[3]

    return ARTICLE.sub(article, text)


def with_open_pictures(text):
    """A click on a picture that stands alone opens it by itself."""
    return PICTURE.sub(r'<p><a class="picture" href="\2">\1</a></p>', text)


def search_index(path):
    """Pages that show a source file are not searched, and formulas are searched without their marks."""
    index = json.loads(path.read_text("utf-8"))
    index["docs"] = [doc for doc in index["docs"] if not doc["location"].startswith("source/")]
    for doc in index["docs"]:
        doc["text"] = re.sub(r"\\[()\[\]]", "", doc["text"])
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    path.write_text(text, "utf-8")


def all_pages(site):
    return {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}


