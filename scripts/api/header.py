"""A header as declarations and comments: as much of C++ as it takes to tell what a comment belongs to."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<skip>/\*.*?\*/ | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
      | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])'
      | \w+ | \s+ | .""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


@dataclass
class Scope:
    """What stands between the braces of a namespace, class or enumeration."""

    kind: str
    parent: "Scope | None" = None
    begin: int = 0  # behind the opening brace
    end: int = 0  # before the closing one
    access: str = "public"  # of what comes next
    declarations: list = field(default_factory=list)


@dataclass
class Declaration:
    begin: int
    end: int  # behind the semicolon, the body, or the opening brace of a scope
    text: str  # without comments and body
    scope: Scope
    inner: "Scope | None" = None
    private: bool = False


@dataclass
class Comment:
    begin: int
    end: int
    alone: bool  # on its line
    text: str


def without_prefix(text):
    """A declaration without template <...>, requires (...) and attributes."""
    text = text.strip()
    while match := re.match(r"template\s*<|requires\s*\(", text):
        depth, at = 1, match.end()
        while at < len(text) and depth:
            depth += (text[at] in "<(") - (text[at] in ">)" and text[at - 1] != "-")
            at += 1
        text = text[at:].strip()
    return re.sub(r"^(?:\[\[\w+\]\]\s*|(?:inline|constexpr|static|virtual|explicit|friend)\s+)+", "", text)


def opened_by(text):
    """What a brace behind this text opens: "namespace", "class", "enum", the "body" of a function, or a "value"."""
    text = without_prefix(text)
    if match := re.match(r"(namespace|class|struct|union|enum)\b[^=(]*$", text):
        return match[1] if match[1] in ("namespace", "enum") else "class"
    plain = re.sub(r"operator\s*[^\w\s(]+", "operator", text)
    while (inner := re.sub(r"\([^()]*\)", "", plain)) != plain:
        plain = inner
    if "=" in plain or "(" not in text:
        return "value"
    in_constructor = re.search(r"\)[\w\s]*:(?!:)", text) and re.search(r"\w$", text.rstrip())
    return "value" if in_constructor else "body"


def parse(source):
    """The outermost scope, and all comments that stand among declarations."""
    root = scope = Scope("namespace", None, 0, len(source))
    comments = []
    begin, text = None, ""
    brackets = 0  # that are open in a declaration
    body = 0  # braces that are open in a function
    last = 0  # behind the last piece of code

    def declare(end, inner=None):
        nonlocal begin, text
        scope.declarations.append(Declaration(begin, end, text.strip(), scope, inner, scope.access == "private"))
        begin, text = None, ""

    def close(at):
        nonlocal scope
        scope.end, scope = at, scope.parent

    for match in TOKEN.finditer(source):
        at, end, token = match.start(), match.end(), match[0]
        if match["comment"]:
            if not body and not brackets:
                alone = not source[source.rfind("\n", 0, at) + 1 : at].strip()
                comments.append(Comment(at, end, alone, token[2:]))
        elif match["skip"]:
            pass
        elif body:
            body += (token == "{") - (token == "}")
            if not body:
                declare(end)
        elif begin is None and token == "}":
            close(at)
        elif begin is None and (token.isspace() or token in ";,"):
            pass
        elif token == ":" and text in ("public", "protected", "private"):
            scope.access = text
            begin, text = None, ""
        elif token == "{" and not brackets and (opens := opened_by(text)) != "value":
            if opens == "body":
                body = 1
            else:
                inner = Scope(opens, scope, end)
                inner.access = "private" if without_prefix(text).startswith("class") else "public"
                declare(end, inner)
                scope = inner
        elif not brackets and (token == ";" or scope.kind == "enum" and token in ",}"):
            declare(last if token == "}" else end)
            if token == "}":
                close(at)
        else:
            brackets += (token in "([{") - (token in ")]}")
            begin = at if begin is None else begin
            last = last if token.isspace() else end
            text += token
    return root, comments
