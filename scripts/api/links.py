#!/usr/bin/python3
"""Links between the reference and the pages of the site, both ways. Needs what scripts/make-api built.

In a program:
  api = Reference("build/api")
  api.url("over_time")                  "group__through__time.html#ga..."; so are "unroll::over_time" and "over_time(cell, x)"
  api.link_names(page_html, "../api/")  the page of the site, in which each <code>over_time</code> leads to the reference
  link_pages(api_html, address)         a page of the reference, in which links to docs/NAME.md lead to address("docs/NAME.md")

  links.py [--api DIR] NAME...          prints the address of each name; exit status 1 if one is no public name
  links.py [--api DIR] --json           prints all of them: {"over_time": "group__through__time.html#ga...", ...}
"""

import argparse
import html
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

NAMESPACE = "unroll::"


class Reference:
    def __init__(self, folder):
        self.urls = {}
        compounds = list(xml.parse(os.path.join(folder, "unroll.tag")).getroot().iter("compound"))
        inner = set()  # addresses of what stands in a class or an inner namespace
        for compound in compounds:
            kind, name = compound.get("kind"), compound.findtext("name")
            if kind in ("class", "struct", "concept"):
                self._add(name, compound.findtext("filename"))
            if kind in ("class", "struct") or kind == "namespace" and name.startswith(NAMESPACE):
                inner.update(self._add_members(compound, name + "::"))
        # Files know everything that stands in the namespace. Of overloads, that in the header of the same name counts:
        # over_time of over_time.hpp.
        for compound in compounds:
            if compound.get("kind") == "file":
                self._add_members(compound, "", inner, os.path.splitext(compound.findtext("name"))[0])

    def _add_members(self, compound, scope, without=(), first=None):
        for member in compound.iter("member"):
            name, url = member.findtext("name"), f"{member.findtext('anchorfile')}#{member.findtext('anchor')}"
            if url in without:
                continue
            full = scope + name
            self._add(full, url, name == first)
            for value in member.iter("enumvalue"):
                self._add(f"{full}::{value.text}", f"{value.get('file')}#{value.get('anchor')}")
        return {f"{m.findtext('anchorfile')}#{m.findtext('anchor')}" for m in compound.iter("member")}

    def _add(self, name, url, first=False):
        name = html.unescape(name).removeprefix(NAMESPACE)
        if first or name not in self.urls:
            self.urls[name] = url

    def url(self, text):
        """Where a name is described, relative to the reference's folder; None for what is no public name."""
        name = re.sub(r"\(.*\)$", "", text.strip(), flags=re.DOTALL)  # a call
        return self.urls.get(name.removeprefix(NAMESPACE))

    def link_names(self, page, path):
        """A page of HTML in which names in code are links; `path` leads from it to the reference. Headings, links and blocks of code stay."""

        def link(match):
            url = match[1] and self.url(html.unescape(match[1]))
            return f'<a href="{path}{url}">{match[0]}</a>' if url else match[0]

        kept = r"<(a|pre|h[1-6]|script|style|svg)\b.*?</\2>"
        return re.sub(rf"<code>([^<]+)</code>|{kept}", link, page, flags=re.DOTALL)


def link_pages(page, address):
    """A page of the reference in which links to pages of the site ("../../docs/training.md") lead to their addresses."""
    return re.sub(r'href="\.\./\.\./((?:docs|tutorials)/[^"]+\.md)"', lambda match: f'href="{address(match[1])}"', page)


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--api", metavar="DIR", default=os.path.join(root, "build/api"), help="default: build/api")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        reference = Reference(given.api)
    except OSError as error:
        print(f"links.py: {error.filename}: {error.strerror}; scripts/make-api makes it", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(reference.urls, indent=1, sort_keys=True))
        return 0
    missing = [name for name in given.names if not reference.url(name)]
    for name in given.names:
        if name not in missing:
            print(reference.url(name))
    for name in missing:
        print(f"links.py: {name} is no public name", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
