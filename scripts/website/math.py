"""Formulas, set by KaTeX when the site is built: a page needs no script to show them, and one that cannot be set fails the build."""

import html
import json
import re
import subprocess

KATEX = "/usr/share/javascript/katex"
MARKS = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.DOTALL)
PROGRAM = """
const katex = require(process.argv[1]);
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const set = ({ tex, display }) => {
  try {
    return { html: katex.renderToString(tex, { displayMode: display, strict: "error", throwOnError: true }) };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
};
process.stdout.write(JSON.stringify(formulas.map(set)));
"""


def source(match):
    r"""The formula itself: arithmatex leaves it between \( \) or \[ \]."""
    return html.unescape(match[2]).strip()[2:-2].strip()


def set_formulas(pages):
    """Sets all formulas of all pages: {name: HTML} comes back changed. Raises ValueError, which names page and formula."""
    found = [(name, match) for name, text in pages.items() for match in MARKS.finditer(text)]
    if not found:
        return pages
    wanted = [{"tex": source(match), "display": match[1] == "div"} for _, match in found]
    run = subprocess.run(["node", "-e", PROGRAM, f"{KATEX}/katex.min.js"], input=json.dumps(wanted), capture_output=True, text=True, check=True)
    results = json.loads(run.stdout)
    wrong = [f"{name}: {formula['tex']}: {result['error']}" for (name, _), formula, result in zip(found, wanted, results) if "error" in result]
    if wrong:
        raise ValueError("formulas that cannot be set:\n  " + "\n  ".join(wrong))
    following = iter(results)
    return {name: MARKS.sub(lambda _: next(following)["html"], text) for name, text in pages.items()}
