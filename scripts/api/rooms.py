"""What belongs to the reference, in which group each header stands, and how the pages of the site are linked."""

import html
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Public are unroll.hpp and all that it includes, ...
START = "unroll.hpp"
# ... the rooms that are public as a whole, ...
WHOLE = ("core/array", "layers", "optim")
# ... and what a program includes on its own: to add an operation, to draw a table as a picture.
ALONE = ("core/ops/define.hpp", "core/ops/pointwise.hpp", "core/render/heat_map.hpp")
# Loops over numbers are the engine's own affair, whoever includes them.
HIDDEN = ("core/kernels",)

# The groups of docs/api/groups.dox: one for each room ...
ROOMS = {
    "core/array": "arrays",
    "core/tape": "tape",
    "core/ops": "operations",
    "core/grad": "gradients",
    "core/check": "checks",
    "core/render": "drawings",
    "layers": "cells",
    "optim": "training",
}
# ... but for these headers.
HEADERS = {
    "memory": "core/tape: arena node_list pool",
    "new_operations": "core/tape: op symbol; core/ops: define pointwise",
    "through_time": "layers: over_time packed padded_batch recompute rtrl running_steps state truncated",
    "sequences": "layers: attention decoder decoding encoder_decoder symbols",
    "parts": "layers: cell_shapes embedding initializers layer_norm linear losses module options summary",
    "text": "layers: character_model text_streams vocabulary",
    "checks": "layers: encoder_decoder_check gradcheck",
}


def public_headers():
    """The paths of all public headers, as they are included: "core/tape/tape.hpp"."""
    found = set()

    def visit(header):
        if header in found or header.startswith(HIDDEN):
            return
        found.add(header)
        with open(os.path.join(ROOT, "include/unroll", header), encoding="utf-8") as file:
            for included in re.findall(r"^#include <unroll/(.*)>", file.read(), re.MULTILINE):
                visit(included)

    visit(START)
    for room in WHOLE:
        for name in os.listdir(os.path.join(ROOT, room)):
            if name.endswith(".hpp"):
                visit(f"{room}/{name}")
    for header in ALONE:
        visit(header)
    return sorted(found)


def group_of(header):
    """The group of a header: "layers/gru.hpp" is in "cells"; none for unroll.hpp."""
    folder, _, name = header.removesuffix(".hpp").rpartition("/")
    for group, headers in HEADERS.items():
        for room, _, names in (part.strip().partition(": ") for part in headers.split(";")):
            if folder == room and name in names.split():
                return group
    return ROOMS.get(folder)


def page_link(page):
    """A link to a page of the site, "docs/training.md", under its title; nothing for a chapter that is not written yet. From build/api it
    leads to the file; the site puts its own address in the place of that (links.py)."""
    if page.startswith("tutorials/") and not os.path.isdir(os.path.join(ROOT, os.path.dirname(page))):
        return None
    try:
        with open(os.path.join(ROOT, page), encoding="utf-8") as file:
            title = file.readline().removeprefix("#").strip()
    except FileNotFoundError:
        sys.exit(f"make-api: a comment links to {page}, which is not there")
    return f'<a href="../../{page}">{html.escape(title)}</a>'
