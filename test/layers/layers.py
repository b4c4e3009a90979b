#!/usr/bin/env python3
"""Reads the source tree and reports what breaks its layering: layers.py ROOT COMPILER [ARGUMENT...]

Prints one TAP line a rule, with the places that break it behind. Every rule is a function that takes the tree and
yields these places; layers_test.py sees each of them fail.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import Tap  # noqa: E402

# What each folder in lib/ may include besides itself and the public headers.
LAYERS = {
    "types": set(),
    "protocol": {"types"},
    "reactor": {"types"},
    "transport": {"types", "reactor"},
    "connection": {"types", "reactor", "protocol", "transport"},
    "middleware": set(),
    "endpoint": {"types", "reactor", "protocol", "transport", "connection"},
}

# Headers that only some places may include: a pattern, and the paths (folders, or files without their ending).
RESTRICTED = [
    (r"ev(\+\+)?\.h", ["lib/reactor/"]),
    (r"mbedtls/(md|base64|constant_time)\.h", ["lib/protocol/digest", "lib/types/base64", "lib/middleware/", "lib/transport/"]),
    (r"(mbedtls|psa)/.*", ["lib/transport/"]),
    (r"zlib\.h", ["lib/protocol/"]),
    (r"ares.*\.h", ["lib/transport/"]),
    (r"(sys/socket|sys/epoll|netinet/.*|netdb|poll|unistd|time|ctime)(\.h)?", ["lib/types/", "lib/reactor/", "lib/transport/",
                                                                           "lib/connection/", "lib/endpoint/"]),
]
# What no public header may pull in, however indirectly.
PRIVATE_DEPENDENCIES = re.compile(r"(^|/)(ev(\+\+)?\.h|zlib\.h|zconf\.h|ares[^/]*\.h|(mbedtls|psa)/[^/]+\.h)$")

MAX_LINES = 500
SOURCE_FOLDERS = ["include", "lib", "test", "tools"]
SOURCE_ENDINGS = {".cpp", ".hpp", ".h", ".py", ".mjs", ".build", ".sh", ""}
FOREIGN_FOLDERS = {"node_modules", "__pycache__", "corpus"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


class Tree:
    """The files of a source tree, and the compiler that reads its headers."""

    def __init__(self, root, compiler):
        self.root = pathlib.Path(root)
        self.compiler = compiler

    def files(self, folder, endings):
        """Paths relative to the root, as text, sorted."""
        found = (path for path in (self.root / folder).rglob("*") if path.is_file() and path.suffix in endings)
        relative = (path.relative_to(self.root) for path in found)
        return sorted(str(path) for path in relative if not FOREIGN_FOLDERS.intersection(path.parts))

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def includes(self, path):
        """Pairs of line number and included name."""
        text = self.text(path)
        return [(text.count("\n", 0, match.start()) + 1, match[2]) for match in INCLUDE.finditer(text)]

    def code(self):
        return self.files("include", {".hpp"}) + self.files("lib", {".cpp", ".hpp"})


def arrows(tree):
    """an include follows the layer table"""
    for path in tree.files("lib", {".cpp", ".hpp"}):
        layer = path.split("/")[1]
        if layer not in LAYERS or path.count("/") < 2:
            yield f"{path}: is in no layer of the table"
            continue
        for line, name in tree.includes(path):
            target = name.split("/")[0] if "/" in name else layer
            if target in LAYERS and target != layer and target not in LAYERS[layer]:
                yield f"{path}:{line}: {layer}/ may not include {name}"
            if ".." in name:
                yield f"{path}:{line}: includes by a relative path, {name}"


def public_headers_stand_alone(tree):
    """a public header includes no header of lib/"""
    for path in tree.files("include", {".hpp"}):
        for line, name in tree.includes(path):
            if name.split("/")[0] in LAYERS or (tree.root / "lib" / name).is_file():
                yield f"{path}:{line}: includes {name}"


def restricted_headers(tree):
    """a system header is included only where it belongs"""
    for path in tree.code():
        for line, name in tree.includes(path):
            places = next((places for pattern, places in RESTRICTED if re.fullmatch(pattern, name)), None)
            if places is not None and not any(path.startswith(place) for place in places):
                yield f"{path}:{line}: {name} belongs to {', '.join(places)}"


def tests_mirror_lib(tree):
    """each source in lib/ has its test"""
    for path in tree.files("lib", {".cpp"}):
        test = re.sub(r"^lib/(.*)\.cpp$", r"test/\1_test.cpp", path)
        if not (tree.root / test).is_file():
            yield f"{path}: {test} is missing"


def build_lists_are_complete(tree):
    """each source is in its meson.build"""
    for folder, endings in (("lib", {".cpp"}), ("include", {".hpp"}), ("test", {".cpp"}), ("tools", {".cpp"})):
        definitions = "".join(tree.text(path) for path in tree.files(folder, {".build"}))
        for path in tree.files(folder, endings):
            listed = [path.split("/", depth)[-1] for depth in range(1, path.count("/") + 1)]
            if not any(f"'{name}'" in definitions for name in listed):
                yield f"{path}: is in no meson.build of {folder}/"


def main_header_is_complete(tree):
    """hawser.hpp includes every public header"""
    main = "include/hawser/hawser.hpp"
    included = {name for _, name in tree.includes(main)}
    for path in tree.files("include", {".hpp"}):
        if path != main and path.removeprefix("include/") not in included:
            yield f"{main}: does not include <{path.removeprefix('include/')}>"


def compile_header(tree, path):
    """What the compiler says of a header alone, and all files that it read."""
    with tempfile.TemporaryDirectory() as folder:
        list_file = pathlib.Path(folder) / "dependencies"
        command = tree.compiler + ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(tree.root / "include"),
                                   "-fsyntax-only", "-MD", "-MF", str(list_file), "-x", "c++", "-"]
        done = subprocess.run(command, input=f"#include <{path.removeprefix('include/')}>\n", capture_output=True, text=True, check=False)
        read = list_file.read_text(encoding="utf-8") if list_file.exists() else ""
    return done.stderr.strip() if done.returncode else "", read.replace("\\\n", " ").split()[1:]


def public_headers_are_clean(tree):
    """a public header compiles alone and pulls in no dependency's header"""
    for path in tree.files("include", {".hpp"}):
        complaint, read = compile_header(tree, path)
        if complaint:
            yield f"{path}: does not compile alone: " + complaint.splitlines()[0]
        for name in filter(PRIVATE_DEPENDENCIES.search, read):
            yield f"{path}: pulls in {name}"


def files_are_short(tree):
    """no file has more than 500 lines"""
    for folder in SOURCE_FOLDERS:
        for path in tree.files(folder, SOURCE_ENDINGS):
            lines = tree.text(path).count("\n")
            if lines > MAX_LINES:
                yield f"{path}: has {lines} lines"


RULES = [
    arrows,
    public_headers_stand_alone,
    restricted_headers,
    tests_mirror_lib,
    build_lists_are_complete,
    main_header_is_complete,
    public_headers_are_clean,
    files_are_short,
]


def main(root, *compiler):
    tree = Tree(root, list(compiler))
    tap = Tap()
    for rule in RULES:
        tap.report(rule.__doc__, list(rule(tree)))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
