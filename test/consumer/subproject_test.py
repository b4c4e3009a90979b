#!/usr/bin/env python3
"""hawser as a meson subproject: subproject_test.py MESON SOURCE_ROOT VERSION COMPILER... [-- MESON_OPTION...]

The library is compiled once, several sources at a time, in a build folder of its own; what varies is how it is linked."""

import json
import pathlib
import sys

from consumer import embed, execute, expect, expect_echo, expect_relays, run_cases

separator = sys.argv.index("--")
meson, root, version, *compiler = sys.argv[1:separator]
options = sys.argv[separator + 1 :]
OUR_ARGUMENTS = {"-Wshadow", "-Wconversion", "-fvisibility=hidden"}


def targets(build):
    return {target["name"] for target in json.loads(execute(meson, "introspect", "--targets", build))}


def expect_library_only(build):
    """No command, no test, no example: what is built is the program and the library."""
    expect(sorted(targets(build)), ["daemon", "hawser", "hawser_internal", "loop"], "targets")
    entries = json.loads((build / "compile_commands.json").read_text())
    command = next(entry["command"] for entry in entries if pathlib.Path(entry["file"]).name == "main.cpp")
    expect(OUR_ARGUMENTS & set(command.split()), set(), "our arguments in the program's compile command")


def library_kinds(folder):
    """dependency('hawser', fallback: …): library only, nothing of our arguments, static, shared and both"""
    program, build = embed(folder, root), folder / "build"
    execute(meson, "setup", build, "--buildtype=plain", "--unity=subprojects", "-Dhawser:werror=false", *options, cwd=program, CXX=" ".join(compiler))
    for kind, is_linked in (("static", False), ("shared", True), ("both", True)):
        execute(meson, "configure", build, f"-Dhawser:default_library={kind}")
        execute("ninja", "-j2", "-C", build)
        expect_echo(build / "daemon", version)
        expect_relays(build / "loop")
        expect("libhawser.so" in execute("readelf", "-d", build / "loop"), is_linked, f"{kind}: needs libhawser.so")
    expect_library_only(build)


run_cases(library_kinds)
