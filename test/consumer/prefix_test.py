#!/usr/bin/env python3
"""hawser as it is installed, found by pkg-config and CMake: prefix_test.py MESON BUILD PREFIX VERSION COMPILER... [-- ARGUMENT...]

It is installed twice below a DESTDIR, once with the shared library alone and once with the static one. The arguments
after -- are the compiler's."""

import pathlib
import sys

from consumer import copy_program, execute, expect, expect_echo, run_cases

separator = sys.argv.index("--")
meson, build, prefix, version, *compiler = sys.argv[1:separator]
arguments = sys.argv[separator + 1 :]
LIBRARIES = {"shared": "libhawser.so", "static": "libhawser.a"}


class Installed:
    """An installation below the folder with the libraries of one kind."""

    def __init__(self, folder, kind):
        self.destination, self.kind = folder / "destination", kind
        execute(meson, "install", "-C", build, "--no-rebuild", "--destdir", self.destination)
        self.root = self.destination / prefix.lstrip("/")
        self.libdir = next(self.root.rglob(LIBRARIES[kind])).parent
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

    def expect_works(self, program):
        expect_echo(program, version, **self.environment)
        is_linked = "libhawser.so" in execute("readelf", "-d", program)
        expect(is_linked, self.kind == "shared", f"{program.name} needs libhawser.so")


def build_by_pkg_config(folder, kind):
    installed, program = Installed(folder, kind), copy_program(folder)
    expect(installed.pkg_config("--modversion"), [version], "version")
    libraries = installed.pkg_config("--libs", *(["--static"] if kind == "static" else []))
    sources = ["-std=c++20", *installed.pkg_config("--cflags"), "main.cpp", "-o", "daemon"]
    execute(*compiler, *arguments, *sources, *libraries, "-lev", cwd=program)
    installed.expect_works(program / "daemon")


def build_by_cmake(folder, kind, by_pkg_config):
    installed, program = Installed(folder, kind), copy_program(folder)
    options = [f"-DCMAKE_PREFIX_PATH={installed.root}", f"-DBY_PKG_CONFIG={by_pkg_config}", f"-DASKED_VERSION={version}"]
    execute("cmake", "-S", program, "-B", folder / "build", *options, **installed.environment)
    execute("cmake", "--build", folder / "build", **installed.environment)
    installed.expect_works(folder / "build" / "daemon")


def shared(folder):
    """pkg-config, shared: one library is asked for, and the others come with it"""
    build_by_pkg_config(folder, "shared")


def static(folder):
    """pkg-config, static: Libs.private and Requires.private name the others"""
    build_by_pkg_config(folder, "static")


def cmake_shared(folder):
    """CMake, shared: find_package(hawser CONFIG)"""
    build_by_cmake(folder, "shared", "OFF")


def cmake_static(folder):
    """CMake, static: find_package(hawser CONFIG)"""
    build_by_cmake(folder, "static", "OFF")


def cmake_by_pkg_config(folder):
    """CMake: pkg_check_modules(hawser)"""
    build_by_cmake(folder, "shared", "ON")


def meson_by_pkg_config(folder):
    """meson: dependency('hawser') of what is installed"""
    installed, program = Installed(folder, "shared"), copy_program(folder)
    execute(meson, "setup", folder / "build", "--buildtype=plain", cwd=program, **installed.environment)
    execute("ninja", "-C", folder / "build")
    installed.expect_works(folder / "build" / "daemon")


run_cases(shared, static, cmake_shared, cmake_static, cmake_by_pkg_config, meson_by_pkg_config)
