#!/usr/bin/env python3
"""hawser as a meson subproject on a system that has none of its libraries: fallback_test.py MESON SOURCE_ROOT VERSION COMPILER...

The archives are those of the source tree's subprojects/packagecache. The wraps are found there too: a daemon need not copy them."""

import pathlib
import re
import sys

from consumer import embed, execute, expect, expect_echo, expect_relays, run_cases

meson, root, version, *compiler = sys.argv[1:]
SYSTEM = re.compile(r"lib(ev|mbed\w+|cares|z)\.so")


def forced(folder):
    """--wrap-mode=forcefallback: every library comes from its archive, and unit tests run with the Catch2 of its"""
    program, build = embed(folder, root), folder / "build"
    (program / "subprojects" / "packagecache").symlink_to(pathlib.Path(root) / "subprojects" / "packagecache")
    options = ["--buildtype=plain", "--wrap-mode=forcefallback", "-Dhawser:tests=enabled"]
    execute(meson, "setup", build, *options, cwd=program, CXX=" ".join(compiler))
    tests = [pathlib.Path("subprojects/hawser/test") / name for name in ("reactor_test", "compression_test")]
    execute("ninja", "-j2", "-C", build, *tests)
    # The loop is shared by program and library, and so must libev be.
    for kind in ("shared", "static"):
        execute(meson, "configure", build, f"-Dhawser:default_library={kind}")
        execute("ninja", "-j2", "-C", build, "daemon", "loop")
        expect_echo(build / "daemon", version)
        expect_relays(build / "loop")
        foreign = [line for line in execute("ldd", build / "daemon").splitlines() if SYSTEM.search(line) and str(build) not in line]
        expect(foreign, [], f"{kind}: libraries of the system that the program needs")
    for test in tests:
        execute(build / test)


run_cases(forced)
