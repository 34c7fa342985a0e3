"""The public names of the C++ interface, from the tag file that Doxygen writes."""

import xml.etree.ElementTree as ElementTree

KINDS = {"function", "typedef", "enumeration", "variable"}


def names_of(tag_file):
    """Name without `unroll::`, to its kind and its address below the interface's pages. Overloads: the first one."""
    names = {}
    for compound in ElementTree.parse(tag_file).getroot().iter("compound"):
        kind, full = compound.get("kind"), compound.findtext("name")
        if full != "unroll" and not full.startswith("unroll::"):
            continue
        name = full.removeprefix("unroll").removeprefix("::")
        if kind in ("class", "struct"):
            names.setdefault(name, (kind, with_suffix(compound.findtext("filename"))))
        elif kind == "namespace":
            for member in compound.findall("member"):
                if member.get("kind") in KINDS and not member.findtext("name").startswith("operator"):
                    qualified = f"{name}::{member.findtext('name')}".removeprefix("::")
                    target = f"{with_suffix(member.findtext('anchorfile'))}#{member.findtext('anchor')}"
                    names.setdefault(qualified, (member.get("kind"), target))
    return names


def with_suffix(file):
    return file if file.endswith(".html") else file + ".html"
