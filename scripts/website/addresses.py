"""Where a page of the repository stands in the site: in English at its own place, in Korean below ko/."""

import posixpath

LANGUAGES = ("en", "ko")


def korean(path):
    """The Korean version of a page: README.md and README.ko.md stand side by side."""
    return path.removesuffix(".md") + ".ko.md"


def is_korean(path):
    return path.endswith(".ko.md")


def english(path):
    return path.removesuffix(".ko.md") + ".md" if is_korean(path) else path


def address(path, language="en"):
    """The address of a page from the root of the site: docs/x.md is docs/x.html, a/README.md is a/index.html."""
    folder, name = posixpath.split(path)
    name = "index.html" if name == "README.md" else name.removesuffix(".md") + ".html"
    return posixpath.join("" if language == "en" else language, folder, name)
