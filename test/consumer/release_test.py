#!/usr/bin/env python3
"""tools/release names each thing that does not agree with the version: release_test.py PACKAGE_SCRIPT ROOT BUILD VERSION

Each is put into a copy of what it looks at, or into a package of this build."""

import atexit
import functools
import gzip
import lzma
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from consumer import Failed, execute, expect, run_cases

script, root, build, version = sys.argv[1:5]
CHANGES = "include/guide/changes.md"
RECORD = "test/consumer/hawser.abi.xz"
OTHER = "99.98.97"


def git(tree, *arguments):
    execute("git", "-C", tree, "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments)


def edit(path, pattern, replacement):
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
    expect(count, 1, f"places of {pattern} in {path.name}")
    path.write_text(text)


def commit(tree):
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "all")


def make_tree(folder):
    """What tools/release looks at, released today: the rest of a tree does not matter to it."""
    tree = folder / "tree"
    for name in ("meson.build", CHANGES, RECORD, "tools/release"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pathlib.Path(root) / name, tree / name)
    edit(tree / CHANGES, rf"^## {re.escape(version)}.*$", f"## {version}, 2000-12-31")
    execute("git", "init", "--quiet", tree)
    commit(tree)
    return tree


@functools.cache
def extracted():
    """A package of this build, as a folder. What is large does not matter to tools/release."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="release"))
    atexit.register(shutil.rmtree, folder)
    execute("dpkg-deb", "--raw-extract", execute(script, build, folder).splitlines()[-1], folder / "package")
    for path in [*folder.rglob("libhawser.a"), *folder.rglob("bin/hawser")]:
        path.unlink()
    return folder / "package"


class Package:
    """A copy whose files may be changed."""

    def __init__(self, folder):
        self.root, self.archive = folder / "package", folder / "package.deb"
        shutil.copytree(extracted(), self.root, symlinks=True)

    def find(self, name):
        return next(self.root.rglob(name))

    def make(self):
        execute("dpkg-deb", "--root-owner-group", "-Znone", "--build", self.root, self.archive)
        return self.archive


def complaints(tree, package):
    run = subprocess.run([tree / "tools" / "release", package.make()], capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.stderr or (run.returncode == 0) != (f"{version} can be released" in run.stdout):
        raise Failed(f"tools/release ended with {run.returncode}\n{run.stdout}\n{run.stderr}")
    return [] if run.returncode == 0 else lines


def expect_complaints(folder, change, *named):
    """A change to tree and package brings these complaints, in their order, and no other."""
    tree, package = make_tree(folder), Package(folder)
    change(tree, package)
    found = complaints(tree, package)
    if len(found) != len(named) or not all(text in line for text, line in zip(named, found)):
        raise Failed(f"tools/release says {found}, not {named}")


def agreement(folder):
    """where all agrees, the version can be released"""
    expect_complaints(folder, lambda tree, package: None)


def another_section(folder):
    """a changelog whose newest section is another version's"""

    def change(tree, _):
        edit(tree / CHANGES, r"^## .*$", f"## {OTHER}, 2000-12-31")
        commit(tree)

    expect_complaints(folder, change, f"{CHANGES} begins with {OTHER}")


def no_date(folder):
    """a changelog without the date, or with one that no calendar has"""
    for index, date in enumerate(("not released yet", "2026-13-01", "2026-02-30", "2026-1-1")):

        def change(tree, _, date=date):
            edit(tree / CHANGES, r"^## .*$", f"## {version}, {date}")
            commit(tree)

        expect_complaints(folder / str(index), change, "put the date there")


def empty_section(folder):
    """a changelog that says nothing of the version"""

    def change(tree, _):
        edit(tree / CHANGES, r"^## .*$", f"## {version}, 2000-12-31\n\nNew:\n\n## 0.0.1")
        commit(tree)

    expect_complaints(folder, change, f"says nothing of {version}")


def wrong_arguments(folder):
    """what is not a package, and options that there are not"""
    tree = make_tree(folder)
    (folder / "text").write_text("text")
    for arguments, sentence in (
        ([folder / "none.deb"], "none.deb is not a Debian package"),
        ([folder / "text"], "text is not a Debian package"),
        (["--nonsense"], "usage: tools/release"),
        (["a.deb", "b.deb"], "usage: tools/release"),
    ):
        run = subprocess.run([tree / "tools" / "release", *arguments], capture_output=True, text=True, check=False)
        if run.returncode != 2 or run.stdout or len(run.stderr.splitlines()) != 1 or sentence not in run.stderr:
            raise Failed(f"{arguments}: {run.returncode}\n{run.stdout}\n{run.stderr}")


def another_record(folder):
    """a binary interface that was recorded for another soname"""

    def change(tree, _):
        record = lzma.decompress((tree / RECORD).read_bytes())
        (tree / RECORD).write_bytes(lzma.compress(re.sub(rb"soname='[^']*'", b"soname='libhawser.so.99'", record), preset=0))
        commit(tree)

    expect_complaints(folder, change, "libhawser.so.99")


def another_version(folder):
    """another version in meson.build than everywhere else"""

    def change(tree, _):
        edit(tree / "meson.build", rf"version: '{re.escape(version)}'", f"version: '{OTHER}'")
        commit(tree)

    package = [f"a package of {version}", "manual page", "pkg-config file", "CMake file", "the header", f"has no libhawser.so.{OTHER}"]
    expect_complaints(folder, change, f"{CHANGES} begins with {version}", *package)


def another_package(folder):
    """a package of another version"""

    def change(_, package):
        edit(package.find("control"), "^Version: .*$", f"Version: {OTHER}")

    expect_complaints(folder, change, f"a package of {OTHER}")


def another_manual(folder):
    """a manual page of another version"""

    def change(_, package):
        page = package.find("hawser.1.gz")
        page.write_bytes(gzip.compress(gzip.decompress(page.read_bytes()).replace(version.encode(), OTHER.encode())))

    expect_complaints(folder, change, f"the manual page names {OTHER}")


def another_in_files(folder):
    """files for pkg-config, CMake and the compiler of another version"""

    def change(_, package):
        for name in ("hawser.pc", "hawser-config-version.cmake", "version.hpp"):
            path = package.find(name)
            path.write_text(path.read_text().replace(version, OTHER))

    named = [f"the {what} names {OTHER}" for what in ("pkg-config file", "CMake file", "header")]
    expect_complaints(folder, change, *named)


def no_library(folder):
    """a package without the library of that version, and without the manual page"""

    def change(_, package):
        for path in [*package.root.rglob("libhawser.so.*"), package.find("hawser.1.gz")]:
            path.unlink()

    expect_complaints(folder, change, "the manual page names no version", "has no libhawser.so")


def uncommitted(folder):
    """files that are not committed"""

    def change(tree, _):
        (tree / "new").touch()
        (tree / "meson.build").open("a").write("\n")

    expect_complaints(folder, change, "meson.build, new")


def tagged(folder):
    """a version that has its tag already"""
    expect_complaints(folder, lambda tree, _: git(tree, "tag", f"v{version}"), f"the tag v{version} is there already")


run_cases(
    agreement,
    another_section,
    no_date,
    empty_section,
    wrong_arguments,
    another_record,
    another_version,
    another_package,
    another_manual,
    another_in_files,
    no_library,
    uncommitted,
    tagged,
)
