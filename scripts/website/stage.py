"""Lays out the pages of the repository, one tree for each language, as mkdocs is to read them.

A page keeps its place, so links between pages stay as they are. Links to what is no page lead to a page that shows the file;
pictures are copied; a marker above a picture makes it an interactive page.
"""

import posixpath
import re
import shutil
import urllib.parse
from pathlib import Path

from website import addresses, markdown

IGNORED = {"build", "out", "node_modules"}
PICTURES = {".svg", ".png", ".jpg"}
LEXERS = {".hpp": "cpp", ".cpp": "cpp", ".h": "cpp", ".c": "c", ".py": "python", ".sh": "bash", ".js": "js", ".mjs": "js",
          ".json": "json", ".yml": "yaml", ".cmake": "cmake", ".txt": "text", ".css": "css"}
MARKER = re.compile(
    r"^<!-- (?P<kind>interactive|moving): unroll (?P<arguments>[^\n]*?) -->\n+!\[(?P<alt>[^\]]*)\]\((?P<picture>[^)\s]+)\)$",
    re.MULTILINE)
ANY_MARKER = re.compile(r"^<!-- (interactive|moving)\b.*$", re.MULTILINE)
OPEN = {"en": "Open it in a window of its own", "ko": "새 창에서 열기"}
IN_ENGLISH = "!!! note \"영어로 된 글\"\n    이 글은 아직 한국어로 옮기지 않았다.\n"


class PageError(Exception):
    """Something is wrong in a page: the message names it."""


def pages_of(project):
    """Every Markdown file of the repository."""
    found = []
    for path in sorted(project.rglob("*.md")):
        parts = path.relative_to(project).parts
        if not IGNORED.intersection(parts) and not any(part.startswith(".") for part in parts):
            found.append("/".join(parts))
    return found


class Stage:
    def __init__(self, project, folder, generated, alone=()):
        """`generated` has pages that are made, not written: path to text, with the Korean version beside the English one. Pages that
        are a section alone have no navigation beside them."""
        self.project, self.folder, self.alone = Path(project), Path(folder), set(alone)
        self.texts = {path: (self.project / path).read_text("utf-8") for path in pages_of(self.project)} | generated
        self.paths = [path for path in self.texts if not addresses.is_korean(path)]
        self.interactive = {}  # address to the arguments of the command that makes it
        self.sources = set()
        self.pictures = set()
        for path in self.texts:
            if addresses.english(path) not in self.texts:
                raise PageError(f"{path}: there is no {addresses.english(path)} beside it")

    def is_translated(self, path):
        return addresses.korean(path) in self.texts

    def title(self, path, language="en"):
        """The first heading of a page."""
        text = self.texts.get(addresses.korean(path) if language == "ko" else path) or self.texts[path]
        for line, code in markdown.parts(text):
            if not code and line.startswith("# "):
                return line[2:].replace("`", "").strip()
        raise PageError(f"{path}: there is no heading")

    def write(self):
        for path in self.paths:
            for language in addresses.LANGUAGES:
                self._write(language, path, self._page(path, language))
        for picture in self.pictures:
            target = self.folder / "en" / picture
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.project / picture, target)
        for source in self.sources:
            self._write("en", f"source/{source}.md", self._source(source))

    def _write(self, language, path, text):
        target = self.folder / language / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def _page(self, path, language):
        written_in = "ko" if language == "ko" and self.is_translated(path) else "en"
        original = addresses.korean(path) if written_in == "ko" else path
        text = self.texts[original].replace("\r\n", "\n")
        text = MARKER.sub(lambda match: self._figure(original, match, language), text)
        if lost := ANY_MARKER.search(text):
            raise PageError(f"{original}: not understood: {lost[0]}: what is wanted is <!-- interactive: unroll ... -->, or moving,"
                            " and below it a picture, ![...](...)")
        text = markdown.with_links(text, lambda target: self._link(original, language, written_in, target))
        text = markdown.for_python_markdown(markdown.without_comments(text))
        text = re.sub(r"^<(details|summary)>", lambda m: f'<{m[1]} markdown="{"span" if m[1] == "summary" else "1"}">', text, flags=re.MULTILINE)
        if language != written_in:
            heading, _, rest = text.partition("\n")
            text = f"{heading}\n\n{IN_ENGLISH}\n{rest}"
        if path in self.alone:
            text = f"---\nhide:\n  - navigation\n---\n{text}"
        return text

    def _link(self, page, language, written_in, target):
        """Where a link of a page leads in the site. What begins with / counts from the root of the site."""
        url = urllib.parse.urlsplit(target)
        if url.scheme or url.netloc or not url.path or target.startswith("/"):
            return target
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), urllib.parse.unquote(url.path)))
        anchor = f"#{url.fragment}" if url.fragment else ""
        if (self.project / path).is_dir():
            path = posixpath.join(path, "README.md")
        if path in self.texts:
            meant = addresses.english(path)
            if addresses.is_korean(path) and language == "en":
                return f"/{addresses.address(meant, 'ko')}{anchor}"
            if not addresses.is_korean(path) and written_in == "ko" and self.is_translated(path):
                return f"/{addresses.address(meant)}{anchor}"  # a Korean page that names the English version means it
            relative = posixpath.relpath(meant, posixpath.dirname(page) or ".")
            return f"{relative}{anchor}"
        if path.startswith("../") or not (self.project / path).is_file():
            raise PageError(f"{page}: the link {target} leads nowhere: there is no {path}")
        if posixpath.splitext(path)[1] in PICTURES:
            self.pictures.add(path)
            return f"/{path}"
        self.sources.add(path)
        return f"/source/{path}.html"

    def _figure(self, page, match, language):
        """A picture that becomes an interactive page where there are scripts: see docs/site/site.js."""
        arguments = match["arguments"]
        name = re.sub(r"[^A-Za-z0-9]+", "-", arguments).strip("-").lower()
        address = f"interactive/{name}.html"
        if self.interactive.setdefault(address, arguments) != arguments:
            raise PageError(f"{page}: two interactive pages would have the name {address}: {arguments}")
        moving = "#autoplay" if match["kind"] == "moving" else ""
        return (f'<figure class="interactive" data-page="/{address}{moving}" markdown="1">\n\n'
                f'![{match["alt"]}]({match["picture"]})\n\n'
                f'<figcaption markdown="1">\n[{OPEN[language]}](/{address})\n</figcaption>\n\n</figure>')

    def _source(self, path):
        text = (self.project / path).read_text("utf-8")
        lexer = LEXERS.get(posixpath.splitext(path)[1], "text")
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        return f"# {posixpath.basename(path)}\n\n`{path}`\n\n{fence}{lexer}\n{text.rstrip()}\n{fence}\n"
