#!/usr/bin/env python3
"""hawser as a meson subproject on a system that has none of its libraries: fallback_test.py MESON SOURCE_ROOT VERSION COMPILER...

The archives are those of the source tree's subprojects/packagecache. The wraps are found there too: a daemon need not copy them."""

import configparser
import pathlib
import re
import sys

from consumer import embed, execute, expect, expect_echo, expect_relays, run_cases

meson, root, version, *compiler = sys.argv[1:]
SYSTEM = re.compile(r"lib(ev|mbed\w+|cares|z)\.so")
WRAPS = pathlib.Path(root) / "subprojects"
PREFIX_TEST = pathlib.Path(__file__).with_name("prefix_test.py")
NOT_ALONE = ["-Dhawser:tests=enabled", "-Dhawser:tools=enabled"]
ALONE = ["-Dhawser:tests=disabled", "-Dhawser:tools=disabled", "-Dhawser:default_library=both"]


def expect_versions(command):
    """The command says that it runs with the libraries of the archives."""
    expected = [f"hawser {version}"]
    for name in ("libev", "mbedTLS", "zlib", "c-ares"):
        wrap = configparser.ConfigParser()
        wrap.read(WRAPS / f"{name.lower()}.wrap")
        expected.append(f"{name} {wrap['wrap-file']['directory'].rpartition('-')[2]}")
    expect(execute(command, "--version").splitlines(), expected, "versions")


def expect_daemons(build, kind):
    """The loop is shared by program and library, and so must libev be."""
    execute(meson, "configure", build, f"-Dhawser:default_library={kind}")
    execute("ninja", "-j2", "-C", build, "daemon", "loop")
    expect_echo(build / "daemon", version)
    expect_relays(build / "loop")
    foreign = [line for line in execute("ldd", build / "daemon").splitlines() if SYSTEM.search(line) and str(build) not in line]
    expect(foreign, [], f"{kind}: libraries of the system that the program needs")


def expect_installed(build):
    """The archive has in it what is not installed, and hawser.pc and CMake's package do not ask for that."""
    execute(meson, "configure", build, *ALONE)
    execute("ninja", "-j2", "-C", build)
    execute(sys.executable, PREFIX_TEST, meson, build, "/usr/local", version, *compiler, "--")


def forced(folder):
    """--wrap-mode=forcefallback: every library comes from its archive, for daemon, command, unit tests and what is installed"""
    program, build = embed(folder, root), folder / "build"
    (program / "subprojects" / "packagecache").symlink_to(WRAPS / "packagecache")
    options = ["--buildtype=plain", "--wrap-mode=forcefallback", *NOT_ALONE]
    execute(meson, "setup", build, *options, cwd=program, CXX=" ".join(compiler))
    parts = pathlib.Path("subprojects/hawser")
    command, tests = parts / "tools" / "hawser", [parts / "test" / name for name in ("transport_test", "compression_test")]
    execute("ninja", "-j2", "-C", build, command, *tests)
    expect_versions(build / command)
    for test in tests:
        execute(build / test)
    for kind in ("shared", "static"):
        expect_daemons(build, kind)
    expect_installed(build)


run_cases(forced)
