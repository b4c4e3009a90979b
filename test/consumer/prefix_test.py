#!/usr/bin/env python3
"""hawser as it is installed, found by pkg-config and CMake: prefix_test.py MESON BUILD PREFIX VERSION COMPILER... [-- ARGUMENT...]

It is installed below a DESTDIR, with the shared library alone, with the static one alone, or with both. What is built is README's
program with a loop of its own, which calls libev too. The arguments
after -- are the compiler's."""

import pathlib
import sys

from consumer import copy_program, execute, expect, expect_echo, expect_relays, run_cases

separator = sys.argv.index("--")
meson, build, prefix, version, *compiler = sys.argv[1:separator]
arguments = sys.argv[separator + 1 :]
LIBRARIES = {"shared": "libhawser.so", "static": "libhawser.a", "both": "libhawser."}


class Installed:
    """An installation below the folder with the libraries of one kind."""

    def __init__(self, folder, kind):
        self.destination, self.kind = folder / "destination", kind
        execute(meson, "install", "-C", build, "--no-rebuild", "--destdir", self.destination)
        self.root = self.destination / prefix.lstrip("/")
        self.libdir = next(self.root.rglob("hawser.pc")).parent.parent
        for path in self.libdir.glob("libhawser*"):
            if LIBRARIES[kind] not in path.name:
                path.unlink()
        # The prefix is where it is now; the other libraries are where they always were.
        module = self.libdir / "pkgconfig" / "hawser.pc"
        module.write_text(module.read_text().replace(f"prefix={prefix}\n", f"prefix={self.root}\n", 1))
        self.environment = {
            "PKG_CONFIG_PATH": str(self.libdir / "pkgconfig"),
            "LD_LIBRARY_PATH": str(self.libdir),
            "CXXFLAGS": " ".join(arguments),
            "CXX": " ".join(compiler),
        }

    def pkg_config(self, *options):
        return execute("pkg-config", *options, "hawser", **self.environment).split()

    def expect_linked(self, program):
        is_linked = "libhawser.so" in execute("readelf", "-d", program)
        expect(is_linked, self.kind == "shared", f"{program.name} needs libhawser.so")

    def expect_echoes(self, program):
        expect_echo(program, version, **self.environment)
        self.expect_linked(program)

    def expect_relays(self, program):
        expect_relays(program, **self.environment)
        self.expect_linked(program)


def build_by_pkg_config(folder, kind):
    installed, program = Installed(folder, kind), copy_program(folder)
    expect(installed.pkg_config("--modversion"), [version], "version")
    libraries = installed.pkg_config("--libs", *(["--static"] if kind == "static" else []))
    sources = ["-std=c++20", *installed.pkg_config("--cflags"), "-Wl,--as-needed", "-Wl,--no-undefined"]
    for name in ("main", "loop"):
        execute(*compiler, *arguments, *sources, f"{name}.cpp", "-o", name, *libraries, cwd=program)
    installed.expect_echoes(program / "main")
    installed.expect_relays(program / "loop")


def build_by_cmake(folder, kind, target):
    installed, program = Installed(folder, kind), copy_program(folder)
    options = [f"-DCMAKE_PREFIX_PATH={installed.root}", f"-DHAWSER={target}", f"-DASKED_VERSION={version}"]
    execute("cmake", "-S", program, "-B", folder / "build", *options, **installed.environment)
    execute("cmake", "--build", folder / "build", **installed.environment)
    installed.expect_relays(folder / "build" / "loop")


def build_by_meson(folder, kind):
    installed, program = Installed(folder, kind), copy_program(folder)
    options = ["--buildtype=plain", f"-Dprefer_static={kind == 'static'}"]
    execute(meson, "setup", folder / "build", *options, cwd=program, **installed.environment)
    execute("ninja", "-C", folder / "build", "loop")
    installed.expect_relays(folder / "build" / "loop")


def shared(folder):
    """pkg-config, shared: libhawser and libev are asked for, and the others come with them"""
    build_by_pkg_config(folder, "shared")


def static(folder):
    """pkg-config, static: Libs.private and Requires.private name the others"""
    build_by_pkg_config(folder, "static")


def cmake_shared(folder):
    """CMake, shared: hawser::hawser"""
    build_by_cmake(folder, "shared", "hawser::hawser")


def cmake_static(folder):
    """CMake, static: hawser::hawser where there is no shared library"""
    build_by_cmake(folder, "static", "hawser::hawser")


def cmake_chosen(folder):
    """CMake, static: hawser::static where both are there"""
    build_by_cmake(folder, "both", "hawser::static")


def cmake_by_pkg_config(folder):
    """CMake: pkg_check_modules(hawser)"""
    build_by_cmake(folder, "shared", "PkgConfig::hawser")


def cmake_versions(folder):
    """CMake: which versions it may be asked for"""
    installed = Installed(folder, "shared")
    major, minor, patch = (int(part) for part in version.split("."))
    asked = {
        version: True,
        f"{version} EXACT": True,
        f"{major}": True,
        f"{major}.{minor}": True,
        f"{major}.{minor}.{patch + 1}": False,
        f"{major}.{minor + 1}": False,
        f"{major + 1}": False,
        f"{major}.{minor - 1}": major > 0,
        f"0.0.1...{version}": True,
        f"0.0.1...<{version}": False,
        f"{version}...{major + 1}": True,
        f"{major}.{minor}...<{major}.{minor + 1}": True,
        f"{major}.{minor + 1}...{major + 1}": False,
    }
    lines = ["cmake_minimum_required(VERSION 3.20)", "project(versions LANGUAGES CXX)"]
    for index, request in enumerate(asked):
        lines += [f"find_package(hawser {request} QUIET CONFIG)", f'message(STATUS "{index}: ${{hawser_FOUND}}")', "unset(hawser_DIR CACHE)"]
    (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
    output = execute("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={installed.root}", **installed.environment)
    found = {request: f"-- {index}: 1\n" in output for index, request in enumerate(asked)}
    expect(found, asked, "what is found")


def meson_shared(folder):
    """meson, shared: dependency('hawser') of what is installed"""
    build_by_meson(folder, "shared")


def meson_static(folder):
    """meson, static: dependency('hawser') of what is installed"""
    build_by_meson(folder, "static")


run_cases(shared, static, cmake_shared, cmake_static, cmake_chosen, cmake_by_pkg_config, cmake_versions, meson_shared, meson_static)
