#!/usr/bin/env python3
"""Reference and guide: Doxygen finds nothing to warn of, and no link in the HTML is broken: docs_test.py DOXYGEN DOXYFILE PAGE..."""

import html.parser
import pathlib
import sys
import urllib.parse

from consumer import Failed, execute, expect, run_cases

doxygen, doxyfile, *guide = sys.argv[1:]
PAGES = [pathlib.Path(page).stem for page in guide if pathlib.Path(page).stem != "hawser"]


class Links(html.parser.HTMLParser):
    """What a page points to, and what can be pointed to in it."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.targets += [attributes[name] for name in ("href", "src") if attributes.get(name)]


def broken_links(folder):
    pages = {path.name: Links(path.read_text(encoding="utf-8")) for path in folder.glob("*.html")}
    for name, page in pages.items():
        for target in page.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = urllib.parse.unquote(parts.path) or name
            if not (folder / file).is_file():
                yield f"{name}: {target}: no such file"
            elif parts.fragment and file in pages and urllib.parse.unquote(parts.fragment) not in pages[file].anchors:
                yield f"{name}: {target}: no such anchor"


def documentation(folder):
    """Doxygen warns of nothing, each page of the guide is there, and every link leads somewhere"""
    settings = folder / "Doxyfile"
    settings.write_text(pathlib.Path(doxyfile).read_text() + f"\nOUTPUT_DIRECTORY = {folder}\n")
    execute(doxygen, settings)
    missing = [page for page in PAGES if not (folder / "html" / f"{page}.html").is_file()]
    expect(missing, [], "pages that are missing")
    if broken := sorted(set(broken_links(folder / "html"))):
        raise Failed("\n".join(broken))


run_cases(documentation)
