"""Plain comments as Doxygen reads them.

The headers are written for readers, with plain // comments. What they mean is decided here:
  - A comment directly above a declaration, or behind it on its last line, documents it.
  - A declaration without one, directly below one of the same name, shares the comment of that one: overloads stand together.
    So do all declarations directly below a comment that ends with a colon, and all names that are declared together ("Var h, c;").
  - A comment above the namespace, or one that stands alone inside of it, documents the file.
  - "// ---- title" begins a section, which ends with the next one, or with the class or namespace.
  - Lines that are indented further are code, or formulae in columns.
  - "See docs/NAME.md." on a line of its own becomes a link to that page of the site.
Comments inside of functions are left alone. Private members are left out; special members, comparisons and forward declarations where they have no comment.
Lines keep their numbers, so that a warning names the line of the header.
"""

import html
import re

from . import header, rooms

SECTION = re.compile(r"\s*----\s*(.*)")
SEE = re.compile(r"\s*See (?:[\w/-]+\.md(?:, | and )?)+\.$")


def name_of(declaration):
    """The name of a function, for overloads; all arithmetic operators are one name."""
    match = re.search(r"(operator\s*(?:\(\)|\[\]|\w+)|operator|\w+)\W*\(", header.without_prefix(declaration.text))
    return match[1] if match else None


def left_out(declaration):
    """Whether a declaration says nothing to a user where it has no comment."""
    text = header.without_prefix(declaration.text)
    if declaration.inner:
        return declaration.text.startswith("template <>")
    copy = re.match(r"(\w+)\(\s*(?:const\s+)?(\w+)\s*&{1,2}", text)
    return bool(
        copy and copy[1] == copy[2]
        or re.search(r"=\s*(?:delete|default)$|operator\s*=|operator\s*[=!]=\s*\(|^~\w+\s*\(", text)
        or re.match(r"(?:class|struct)\s+\w+$", text)
        or re.match(r"\w+\(.*\)\s*->", text, re.DOTALL)  # a deduction guide
        or re.match(r"[^(]*\w::\w+\s*\(", text)  # the definition of a member
    ) and declaration.scope.kind != "enum"


def declarators(source):
    """Of "Var h, c;" the type, the names as a heading, and where the commas are; nothing for other declarations."""
    depth, commas = 0, []
    for at, c in enumerate(source):
        depth += (c in "<({[") - (c in ">)}]")
        if c == "," and not depth:
            commas.append(at)
    names = [re.sub(r"\s*[={\[;].*", "", part, flags=re.DOTALL).split() for part in pieces(source, commas)]
    first = source[: commas[0]] if commas else ""
    kind = re.match(r"(.*[\s>*&])\w+\s*(?:=.*|\{.*|\[.*)?$", re.sub(r"\s*=.*", "", first, flags=re.DOTALL), re.DOTALL)
    if not kind or "(" in kind[1]:
        return None
    return kind[1].strip(), f"<code>{', '.join(name[-1] for name in names)}</code>: ", commas


def pieces(text, commas):
    ends = [-1, *commas, len(text)]
    return [text[begin + 1 : end] for begin, end in zip(ends, ends[1:])]


def escaped(line):
    """A line of prose, in which nothing is a command of Doxygen; `words` in backticks are code."""
    line = html.escape(line, quote=False)
    line = re.sub(r"[\\@#%]", r"\\\g<0>", line)
    line = re.sub(r"(\.\.|\bal\.|\be\.g\.|\bi\.e\.)(?=\s)", r"\1&zwj;", line)  # these points end no sentence
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", line)


def doxygen(lines):
    """The lines of a comment (without the slashes) as Doxygen's markup, line by line."""
    result, code = [], False
    for i, line in enumerate(lines):
        indented = line.startswith("  ") and line.strip()
        line = line.removeprefix("  ") if indented else line
        if indented and not code:
            block = "\n".join(lines[i:])
            mark = r"\code{.cpp}" if ";" in block.split("\n\n")[0] else r"\code{.unparsed}"
            if result:
                result[-1] += " " + mark
                result.append(line)
            else:
                result.append(mark + line)
            code = True
        elif code and not indented and (line.strip() or not any(after.startswith("  ") for after in lines[i + 1 : i + 2])):
            result[-1] += r" \endcode"
            code = False
            result.append(prose(line))
        else:
            result.append(line if code else prose(line))
    if code:
        result[-1] += r" \endcode"
    return result


def prose(line):
    return see(line) if SEE.match(line) else escaped(line)


def see(line):
    """Doxygen's form of "See docs/NAME.md." """
    links = [rooms.page_link(page) for page in re.findall(r"[\w/-]+\.md", line)]
    return r"\see " + ", ".join(filter(None, links)) if any(links) else ""


class Filter:
    def __init__(self, source, group):
        self.source, self.group = source, group
        self.root, comments = header.parse(source)
        self.comments = [c for c in comments if not c.text.strip().startswith("NOLINT")]
        self.edits = []  # (begin, end, text in its place)
        self.used = set()

    def run(self):
        outer = next((d for d in self.root.declarations if d.text.startswith("namespace unroll")), None)
        if not outer:
            return "/** \\file */ " + self.source
        self.scope(outer.inner)
        self.file_comments(outer)
        if self.group:
            self.insert(outer.inner.begin, rf"/** \addtogroup {self.group} */ /** @{{ */")
            self.insert(outer.inner.end, "/** @} */ ")
        result, at = [], 0
        for begin, end, text in sorted(self.edits, key=lambda e: (e[0], e[1])):
            result += [self.source[at:begin], text]
            at = end
        return "".join(result) + self.source[at:]

    def insert(self, at, text):
        self.edits.append((at, at, text))

    def remove(self, begin, end):
        self.edits.append((begin, end, "\n" * self.source.count("\n", begin, end)))

    def line(self, at):
        return self.source.count("\n", 0, at)

    def blocks(self, begin, end):
        """The comments that stand alone between two places, as blocks of adjacent lines; sections stand for themselves."""
        blocks = []
        for comment in self.comments:
            if not (begin <= comment.begin < end and comment.alone):
                continue
            if SECTION.match(comment.text) or not blocks or SECTION.match(blocks[-1][-1].text) or (
                self.line(comment.begin) != self.line(blocks[-1][-1].begin) + 1
            ):
                blocks.append([])
            blocks[-1].append(comment)
        return blocks

    def behind(self, end):
        """The comment behind a declaration on its last line."""
        stop = self.source.find("\n", end)
        for comment in self.comments:
            if end <= comment.begin < stop and not comment.alone:
                return comment if re.fullmatch(r"[\s};,]*", self.source[end : comment.begin]) else None
        return None

    def scope(self, scope):
        before, begin, section = None, scope.begin, False
        for d in scope.declarations:
            blocks = self.blocks(begin, d.begin)
            for block in blocks:
                if match := SECTION.match(block[0].text):
                    self.section(block[0], match[1], section)
                    section = True
            lead = blocks[-1] if blocks and not SECTION.match(blocks[-1][0].text) else None
            if lead and self.line(lead[-1].begin) + 1 != self.line(d.begin):
                lead = None
            end = d.inner.end if d.inner else d.end
            if d.private or d.inner and not lead and left_out(d):
                self.remove(d.begin, end + 1 if d.inner else end)
                before, begin = None, end
                continue
            doc = self.document(d, lead, self.behind(end), before)
            self.used.update(id(c) for c in lead or [])
            if d.inner and not re.match(r"namespace\s+detail|namespace\s+xt", d.text):
                self.scope(d.inner)
            before, begin = (d, doc) if doc else None, end
        if section:
            self.insert(scope.end, "/** @} */ ")

    def section(self, comment, title, open_before):
        self.used.add(id(comment))
        close = "/** @} */ " if open_before else ""
        title = title[:1].upper() + title[1:]
        self.edits.append((comment.begin, comment.end, f"{close}/** \\name {escaped(title)} */ /** @{{ */"))

    def document(self, d, lead, trail, before):
        """Puts the documentation in front of a declaration; gives its text, for those below that share it."""
        several = None if d.inner or d.scope.kind == "enum" else declarators(self.source[d.begin : d.end])
        text = self.put(d, lead, trail, before, several[1] if several else "")
        if text and several:
            for comma in several[2]:
                at = d.begin + comma
                self.edits.append((at, at + 1, f"; /** {text} */ {several[0]}".replace("\n", " ")))
        return text

    def put(self, d, lead, trail, before, names):
        if d.inner and d.inner.kind == "namespace":
            return None
        if not lead and not trail and left_out(d):
            self.remove(d.begin, d.end)
            return None
        if lead:
            lines = doxygen([re.sub(r"^ ", "", c.text) for c in lead])
            lines[0] = names + lines[0]
            if trail:
                lines[-1] += "<br>" + escaped(trail.text.strip())
            for comment, line in zip(lead, lines):
                mark = "/** " if comment is lead[0] else ""
                self.edits.append((comment.begin, comment.end, mark + line + (" */" if comment is lead[-1] else "")))
            return "\n".join(lines)
        if trail:
            text = names + escaped(trail.text.strip())
        elif before and self.adjacent(before[0], d) and (
            name_of(d) and name_of(d) == name_of(before[0]) or before[1].endswith(":")
        ):
            text = before[1]
            if r"\code" not in text:  # on one line, so that lines keep their numbers
                text = re.sub(r"\n", " ", text.replace("\n\n", " <p> "))
        else:
            return None
        self.insert(d.begin, f"/** {text} */ ")
        return text

    def adjacent(self, first, second):
        return "\n\n" not in self.source[first.end : second.begin]

    def file_comments(self, outer):
        """What stands above the namespace, or alone inside of it, says what the file is."""
        found = False
        for begin, end in ((0, outer.begin), (outer.inner.begin, outer.inner.end)):
            for block in self.blocks(begin, end):
                if any(id(c) in self.used for c in block) or self.inside(block[0], outer.inner):
                    continue
                lines = doxygen([re.sub(r"^ ", "", c.text) for c in block])
                # "\file" has a line of its own: the blank one above
                for comment, line in zip(block, lines):
                    first = comment is block[0]
                    blank_above = first and self.source[comment.begin - 2 : comment.begin] == "\n\n"
                    start = comment.begin - 1 if blank_above else comment.begin
                    text = ("/** \\file\n" if first else "") + line + (" */" if comment is block[-1] else "")
                    if self.group and begin:  # not in the group of the declarations around it
                        text = ("/** @} */ " if first else "") + text
                        text += rf" /** \addtogroup {self.group} */ /** @{{ */" if comment is block[-1] else ""
                    self.edits.append((start, comment.end, text))
                found = True
        if not found:
            self.insert(0, "/** \\file */ ")

    def inside(self, comment, scope):
        """Whether a comment stands deeper than among the declarations of a scope."""
        return any(d.inner and d.inner.begin <= comment.begin < d.inner.end for d in scope.declarations)


def for_doxygen(source, group):
    """The text of a header with Doxygen's comments, as part of a group."""
    return Filter(source, group).run()


def with_links(text):
    """A text in Doxygen's own form, with links to the pages of the site in it."""
    return "".join(see(line) + "\n" if SEE.match(line) else line for line in text.splitlines(keepends=True))
