"""The navigation of the site in one language, from docs/site/navigation.yml."""

import fnmatch

import yaml

ONLY_ENGLISH = " (영어)"


def load(path):
    return yaml.safe_load(path.read_text("utf-8"))


def entries(stage, section):
    """The pages of a section, with their titles: [(path, {language: title})]."""
    listed = []
    for entry in [section["page"]] if "page" in section else section["pages"]:
        pattern, titles = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        paths = sorted(fnmatch.filter(stage.paths, pattern))
        if not paths and not set(pattern) & set("*["):
            raise ValueError(f"docs/site/navigation.yml: there is no {pattern}")
        listed += [(path, titles) for path in paths if path not in [known for known, _ in listed]]
    return listed


def check_that_all_are_there(stage, sections):
    listed = {path for section in sections for path, _ in entries(stage, section)}
    for path in stage.paths:
        if path.startswith(("docs/", "tutorials/")) and path not in listed:
            raise ValueError(f"docs/site/navigation.yml: {path} is not in the navigation")


def for_mkdocs(stage, sections, language):
    """What mkdocs wants in `nav`. A page that is there in English only says so in Korean; so does a section of such pages."""
    def is_english(path):
        return language == "ko" and not stage.is_translated(path)

    nav = []
    for section in sections:
        title = section["title"][language]
        pages = entries(stage, section)
        if not pages:
            continue
        if "page" in section:
            nav.append({title: pages[0][0]})
            continue
        all_english = all(is_english(path) for path, _ in pages)
        nav.append({title + ONLY_ENGLISH * all_english: [
            {titles.get(language, stage.title(path, language)) + ONLY_ENGLISH * (is_english(path) and not all_english): path}
            for path, titles in pages]})
    return nav
