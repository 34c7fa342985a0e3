"""GitHub's Markdown, in which the pages are written, as Python-Markdown understands it.

Python-Markdown wants an empty line before a list and before a table, and four blanks for what belongs to an item of a list.
"""

import re

FENCE = re.compile(r"( *)(`{3,}|~{3,})")
ITEM = re.compile(r"( *)([-*+]|\d+[.)])( +)(?=\S)")
TABLE_RULE = re.compile(r" *\|?[ :|-]*-[ :|-]*\|[ :|-]*$")
CODE_OR_LINK = re.compile(r"(?P<code>(`+)(?!`).+?(?<!`)\2(?!`))|\]\((?P<target>[^()\s]+)(?=[)\s])")


def parts(text):
    """The lines of a page, each with whether it belongs to a block of code."""
    fence = None
    for line in text.splitlines():
        mark = FENCE.match(line)
        if fence:
            yield line, True
            if mark and mark[2].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        elif mark:
            fence = mark[2]
            yield line, True
        else:
            yield line, False


def with_links(text, change):
    """The page with every target of a link or picture changed; code is left alone."""

    def changed(match):
        return match[0] if match["code"] else "](" + change(match["target"])

    lines = (line if code or line.startswith("    ") else CODE_OR_LINK.sub(changed, line) for line, code in parts(text))
    return "\n".join(lines) + "\n"


def without_comments(text):
    return "\n".join(line for line, code in parts(text) if code or not re.fullmatch(r"\s*<!--.*-->\s*", line)) + "\n"


def for_python_markdown(text):
    result = []
    items = []  # of the lists that are open: where the text of the item begins
    before, empty, loose = "", True, False  # loose: there was an empty line since the last item
    lines = list(parts(text))
    for number, (line, code) in enumerate(lines):
        if not line.strip():
            result.append("")
            empty = loose = True
            continue
        indent = len(line) - len(line.lstrip(" "))
        item = None if code or (not items and indent > 3) else ITEM.match(line)
        if item and not empty and not items and item[2][0].isdigit() and item[2][:-1] != "1":
            item = None  # a line of a paragraph that happens to begin with a number
        if not (code and not FENCE.match(line)):
            # An item that is indented less than the text of the open one ends that one; a paragraph does so after an empty line.
            while items and indent < items[-1] and (item or empty or code):
                items.pop()
        depth = len(items)
        shift = 4 * depth + max(0, indent - (items[-1] if items else 0))
        text_of_line = line.lstrip(" ")
        if item:
            begins_list = not depth and not ITEM.match(before) and not before.startswith(" ")
            if not empty and (loose or begins_list):
                result.append("")
            items.append(item.end())
            loose = False
            text_of_line = f"{item[2].replace(')', '.')} {line[item.end():]}"
        following = lines[number + 1][0] if number + 1 < len(lines) else ""
        if not code and "|" in line and TABLE_RULE.match(following) and not empty:
            result.append("")
        result.append(" " * shift + text_of_line if items else line)
        before, empty = line, False
    return "\n".join(result) + "\n"
