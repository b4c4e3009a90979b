#!/usr/bin/env python3
"""What hawser cannot be built with is told by its configuration: versions_test.py MESON SOURCE_ROOT COMPILER..."""

import os
import pathlib
import shlex
import subprocess
import sys

from consumer import Failed, run_cases

meson, root, *compiler = sys.argv[1:]


def expect_refusal(folder, sentence, **environment):
    """meson's configuration fails, and says so."""
    command = [meson, "setup", folder / "build", root, "-Dtools=disabled", "-Dtests=disabled", "-Dexamples=disabled"]
    environment = {**os.environ, "CXX": shlex.join(compiler), **environment}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode == 0 or f"ERROR: Problem encountered: {sentence}" not in run.stdout:
        raise Failed(f"{sentence!r} is not what it ended with:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}")


def write_package(folder, name, version):
    """A .pc file of what has nothing but a version and headers."""
    text = f"Name: {name}\nDescription: {name}\nVersion: {version}\nCflags: -I{folder}/include\n"
    (folder / f"{name}.pc").write_text(text)


def write_mbedtls(folder, version):
    headers = folder / "include" / "mbedtls"
    headers.mkdir(parents=True, exist_ok=True)
    (headers / "version.h").write_text(f'#define MBEDTLS_VERSION_STRING "{version}"\n')


def mbedtls_of_a_package(folder):
    """an mbedTLS before 2.28, between 3.0 and 3.5, or from 4.0 on"""
    for version in ("2.16.12", "2.27.0", "3.0.0", "3.5.2", "4.0.0"):
        write_mbedtls(folder, version)
        for name in ("mbedtls", "mbedx509", "mbedcrypto"):
            write_package(folder, name, version)
        expect_refusal(folder, f"hawser needs mbedTLS 2.28 or 3.6, and this is {version}", PKG_CONFIG_PATH=str(folder))


def mbedtls_of_its_header(folder):
    """an mbedTLS that is too old and has no .pc file"""
    write_mbedtls(folder, "2.16.12")
    empty = folder / "empty"
    empty.mkdir()
    sentence = "hawser needs mbedTLS 2.28 or 3.6, and this is 2.16.12"
    expect_refusal(folder, sentence, CXXFLAGS=f"-I{folder}/include", PKG_CONFIG_LIBDIR=str(empty))


def cares(folder):
    """a c-ares that is too old"""
    write_package(folder, "libcares", "1.10.0")
    expect_refusal(folder, "hawser needs c-ares 1.17 or later, and this is 1.10.0", PKG_CONFIG_PATH=str(folder))


def old_compiler(folder):
    """a compiler that is too old"""
    wrapper = folder / "compiler"
    # What a compiler is, and how old, is in what it defines.
    older = "s/__GNUC__ [0-9]*/__GNUC__ 11/; s/__clang_major__ [0-9]*/__clang_major__ 13/; s/clang version [0-9]*/clang version 13/"
    wrapper.write_text(f'#!/bin/sh -e\n{shlex.join(compiler)} "$@" | sed "{older}"\n')
    wrapper.chmod(0o755)
    is_clang = "clang" in subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True).stdout
    expect_refusal(folder, "hawser needs " + ("clang 14 or later, and this is 13" if is_clang else "gcc 12 or later, and this is 11"), CXX=str(wrapper))


run_cases(mbedtls_of_a_package, mbedtls_of_its_header, cares, old_compiler)
