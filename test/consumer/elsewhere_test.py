#!/usr/bin/env python3
"""hawser tells programs of a libev that is not where libraries usually are: elsewhere_test.py MESON SOURCE_ROOT COMPILER...

That one is empty: what is configured is not built."""

import shutil
import sys

from consumer import execute, expect, run_cases

meson, root, *compiler = sys.argv[1:]
PROGRAM = """
cmake_minimum_required(VERSION 3.20)
project(program LANGUAGES CXX)
find_package(hawser REQUIRED CONFIG)
foreach(library hawser::hawser hawser::static)
  get_target_property(libraries ${library} INTERFACE_LINK_LIBRARIES)
  list(GET libraries 0 libev)
  get_target_property(location ${libev} IMPORTED_LOCATION)
  get_target_property(includes ${libev} INTERFACE_INCLUDE_DIRECTORIES)
  message(STATUS "${library} brings ${location} and ${includes}")
endforeach()
"""


def configure(folder):
    """Configures hawser with that libev; returns the build folder."""
    (folder / "include").mkdir()
    (folder / "include" / "ev.h").touch()
    (folder / "lib").mkdir()
    execute(*compiler, "-shared", "-x", "c++", "/dev/null", "-o", folder / "lib" / "libev.so")
    flags = {"CXX": " ".join(compiler), "CXXFLAGS": f"-I{folder}/include", "LDFLAGS": f"-L{folder}/lib"}
    options = ["-Dtests=disabled", "-Dtools=disabled", "-Dexamples=disabled", "-Dlibdir=lib"]
    execute(meson, "setup", folder / "build", root, *options, **flags)
    return folder / "build"


def elsewhere(folder):
    """hawser.pc and the targets of CMake name the folders of libev"""
    build = configure(folder)
    asked = execute("pkg-config", "--cflags", "--libs", "hawser", PKG_CONFIG_PATH=str(build / "meson-private")).split()
    expect([one for one in asked if str(folder) in one or one == "-lev"], [f"-I{folder}/include", f"-L{folder}/lib", "-lev"], "hawser.pc")

    libraries = folder / "prefix" / "lib"
    package = libraries / "cmake" / "hawser"
    package.mkdir(parents=True)
    (libraries / "libhawser.so").touch()
    (libraries / "libhawser.a").touch()
    shutil.copy(build / "lib" / "hawser-config.cmake", package)
    (folder / "CMakeLists.txt").write_text(PROGRAM)
    told = execute("cmake", f"-DCMAKE_PREFIX_PATH={folder}/prefix", folder, cwd=package, CXX=" ".join(compiler))
    for target in ("hawser::hawser", "hawser::static"):
        expect([line for line in told.splitlines() if f" {target} " in line], [f"-- {target} brings {folder}/lib/libev.so and {folder}/include"], "libev")


run_cases(elsewhere)
