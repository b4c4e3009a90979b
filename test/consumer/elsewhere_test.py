#!/usr/bin/env python3
"""hawser tells programs of a libev that is not where libraries usually are, and of no library that is only a part of its archive:
elsewhere_test.py MESON SOURCE_ROOT COMPILER...

That libev is empty, and so are those libraries: what is configured is not built."""

import re
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

# Its dependencies are taken for what meson builds along, as from the wraps.
AROUND = """
project('around', 'cpp')
foreach name : ['mbedtls', 'mbedx509', 'mbedcrypto']
  meson.override_dependency(name, declare_dependency(version: '3.6.7'))
endforeach
meson.override_dependency('libcares', declare_dependency(version: '1.34.8'))
subproject('hawser')
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


def built_along(folder):
    """hawser.pc and hawser::static name the libraries of the system, and none that is built along with hawser"""
    (folder / "meson.build").write_text(AROUND)
    (folder / "subprojects").mkdir()
    (folder / "subprojects" / "hawser").symlink_to(root)
    execute(meson, "setup", folder / "build", folder, CXX=" ".join(compiler))
    asked = execute("pkg-config", "--static", "--libs-only-l", "hawser", PKG_CONFIG_PATH=str(folder / "build" / "meson-private")).split()
    expect(sorted(asked), ["-lev", "-lhawser", "-lz"], "hawser.pc")
    package = (folder / "build" / "subprojects" / "hawser" / "lib" / "hawser-config.cmake").read_text()
    expect(re.search(r'INTERFACE_LINK_LIBRARIES "(.*)"', package)[1], "hawser::libev;z;Threads::Threads", "hawser::static")


run_cases(elsewhere, built_along)
