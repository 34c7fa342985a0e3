"""The pages that are made, not written: the command's own help, the operations, and the names of the C++ interface."""

import re
import subprocess

from website import addresses


def both(path, english, korean):
    return {path: english, addresses.korean(path): korean}


def help_of(unroll, *names):
    run = subprocess.run([unroll, *names, "--help"], capture_output=True, text=True, check=True, env={"LC_ALL": "C.UTF-8", "COLUMNS": "100"})
    return run.stdout.rstrip()


def command_page(unroll):
    """One heading for each subcommand, below it what --help prints."""
    whole = help_of(unroll)
    _, _, listed = whole.partition("\nSubcommands:\n")
    names = re.findall(r"^  (\w[\w-]*)", listed, re.MULTILINE)
    if not names:
        raise ValueError("unroll --help lists no subcommands")
    blocks = "".join(f"\n## unroll {name}\n\n```text\n{help_of(unroll, name)}\n```\n" for name in names)
    return both(
        "reference/command.md",
        f"# The command\n\nWhat `unroll --help` and `unroll NAME --help` print.\n\n```text\n{whole}\n```\n{blocks}",
        f"# 명령 unroll\n\n`unroll --help`와 `unroll 이름 --help`가 출력하는 내용이다. 도움말은 영어다.\n\n```text\n{whole}\n```\n{blocks}")


SECTION = re.compile(r"// ---- ([\w ]+) \(([\w/.]+)\)[^\n]*\n(.*?)(?=\n// ----|\n}  // namespace)", re.DOTALL)
DECLARATION = re.compile(r"((?://[^\n]*\n)*)^((?:Var|std::vector<Var>) (\w+)\([^;]*\));[ ]*(?://[ ]*([^\n]*))?", re.MULTILINE)


def operations(header):
    """What core/ops/ops.hpp declares: [(family, file, [(name, declaration, comment)])]."""
    families = []
    for family, file, text in SECTION.findall(header):
        found = [(name, " ".join(declaration.split()), after or " ".join(line.strip("/ ") for line in before.splitlines()))
                 for before, declaration, name, after in DECLARATION.findall(text)]
        families.append((family, file, found))
    declared = set(re.findall(r"^(?:Var|std::vector<Var>) (\w+)\(", header, re.MULTILINE))
    if lost := declared - {name for _, _, found in families for name, _, _ in found}:
        raise ValueError(f"core/ops/ops.hpp: not understood: {', '.join(sorted(lost))}")
    return families


def operations_page(project):
    families = operations((project / "core/ops/ops.hpp").read_text("utf-8"))

    def table(first, second):
        text = ""
        for family, file, found in families:
            text += f"\n## {family.capitalize()}\n\n[{file}](../{file})\n\n| {first} | {second} |\n|---|---|\n"
            text += "".join(f"| `{declaration}` | {comment.replace('|', chr(92) + '|')} |\n" for _, declaration, comment in found)
        return text

    return both(
        "reference/operations.md",
        "# Operations\n\nEvery operation that a tape can record, as [core/ops/ops.hpp](../core/ops/ops.hpp) declares it. `+ - * /` stand for add, sub, mul"
        " and div; operands broadcast as in NumPy. [Adding an operation](../docs/adding-an-operation.md) says what belongs to one.\n"
        + table("declaration", "note"),
        "# 연산 목록\n\n테이프(tape)에 기록할 수 있는 모든 연산이다. [core/ops/ops.hpp](../core/ops/ops.hpp)의 선언을 그대로 옮겼다."
        " `+ - * /`는 add, sub, mul, div이고, 피연산자는 NumPy처럼 브로드캐스팅(broadcasting)한다.\n" + table("선언", "설명 (영어)"))


def api_page(interface):
    """The public names, each with a link to its page of the C++ interface."""
    names = sorted((name, url) for name, url in interface.urls.items() if re.fullmatch(r"\w+", name))

    def listed(of_types, others):
        def links(types):
            return " · ".join(f"[`{name}`](/reference/api/{url})" for name, url in names if name[0].isupper() == types)

        return f"\n## {of_types}\n\n{links(True)}\n\n## {others}\n\n{links(False)}\n"

    return both(
        "reference/api.md",
        "# C++ interface\n\nEverything is in the namespace `unroll` and comes with `#include <unroll/unroll.hpp>`."
        " [By subject](/reference/api/index.html); [by header](/reference/api/files.html); by name:\n" + listed("Types", "Functions"),
        "# C++ 인터페이스\n\n모든 이름은 이름공간(namespace) `unroll`에 있고, `#include <unroll/unroll.hpp>` 한 줄로 쓸 수 있다. 설명은 영어다."
        " [주제별](/reference/api/index.html), [헤더별](/reference/api/files.html), 그리고 이름별로 찾을 수 있다.\n" + listed("타입", "함수"))
