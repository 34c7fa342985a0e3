"""Checks the files of the built site: links and anchors, what is loaded, texts of pictures, order of headings, formulas."""

import posixpath
import sys
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

LOADING = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src", "object": "data"}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch", "manifest"}


class Page(HTMLParser):
    """What a page refers to, and what is wrong in it."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loads, self.wrong = set(), [], [], []
        self.level = 0
        self.headings = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        for name in ("id", "name" if tag == "a" else "id"):
            if given.get(name):
                self.anchors.add(given[name])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "figure" and "data-page" in given:
            self.loads.append(given["data-page"])
        if tag in LOADING and given.get(LOADING[tag]):
            self.loads.append(given[LOADING[tag]])
        if tag == "link" and LOADING_RELATIONS.intersection((given.get("rel") or "").split()):
            self.loads.append(given["href"])
        if tag == "img" and not (given.get("alt") or "").strip() and given.get("role") != "presentation":
            self.wrong.append(f"a picture without a text: {given.get('src')}")
        if given.get("class") == "arithmatex":
            self.wrong.append("a formula that was not set")
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            level = int(tag[1])
            if level > self.level + 1:
                self.wrong.append(f"a heading of level {level} after one of level {self.level}: {given.get('id')}")
            self.level = level
            self.headings += level == 1


def outside(address):
    url = urllib.parse.urlsplit(address)
    return bool(url.netloc) or url.scheme in ("http", "https", "ftp")


def target_of(site, page, address):
    """The file that an address of a page means, and its anchor."""
    url = urllib.parse.urlsplit(address)
    path = urllib.parse.unquote(url.path)
    if not path:
        return page, urllib.parse.unquote(url.fragment)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    if (site / path).is_dir():
        path = posixpath.join(path, "index.html")
    return path, urllib.parse.unquote(url.fragment)


def check(site):
    """Everything that is wrong, a line each."""
    pages = {path.relative_to(site).as_posix(): Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    wrong = []
    for name, page in pages.items():
        own = not name.startswith(("reference/api/", "interactive/"))  # Doxygen and the command have tests of their own
        wrong += [f"{name}: {what}" for what in page.wrong if own]
        if own and page.headings != 1:
            wrong.append(f"{name}: {page.headings} headings of the first level")
        for address in page.loads:
            if outside(address):
                wrong.append(f"{name}: loads something from elsewhere: {address}")
            elif urllib.parse.urlsplit(address).scheme not in ("data", "javascript") and not (site / target_of(site, name, address)[0]).is_file():
                wrong.append(f"{name}: loads what is not there: {address}")
        for address in page.links:
            if outside(address) or urllib.parse.urlsplit(address).scheme:
                continue
            if address.startswith("/"):
                wrong.append(f"{name}: a link that counts from the root of a server: {address}")
                continue
            path, anchor = target_of(site, name, address)
            if not (site / path).is_file():
                wrong.append(f"{name}: a link to what is not there: {address}")
            elif anchor and path in pages and anchor not in pages[path].anchors and anchor not in ("", "__skip"):
                wrong.append(f"{name}: a link to an anchor that is not there: {address}")
    for style in site.rglob("*.css"):
        for part in style.read_text("utf-8").split("url(")[1:]:
            address = part.split(")")[0].strip("\"'")
            if outside(address):
                wrong.append(f"{style.relative_to(site)}: loads something from elsewhere: {address}")
    return len(pages), wrong


def main():
    site = Path(sys.argv[1])
    count, wrong = check(site)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{count} pages, {len(wrong)} mistakes")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
