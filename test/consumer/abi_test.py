#!/usr/bin/env python3
"""Programs that were compiled before go on working with this library: abi_test.py LIBRARY HEADERS MADE_HEADERS SUPPRESSIONS BASELINE [--record]

Compares the binary interface, as libabigail reads it from the debug information, with the recorded one. What is added does
no harm. A change that is wanted is recorded with --record, and needs a new minor version at least once there was a release."""

import lzma
import pathlib
import subprocess
import sys
import tempfile

from consumer import Failed, execute, run_cases

library, headers, made_headers, suppressions, baseline = sys.argv[1:6]


def read_interface(output):
    only_public = ["--headers-dir", headers, "--headers-dir", made_headers, "--drop-private-types", "--exported-interfaces-only", "--suppressions", suppressions]
    no_places = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed", "--no-parameter-names"]
    execute("abidw", *only_public, *no_places, "--type-id-style", "hash", "--out-file", output, library)


def record():
    with tempfile.NamedTemporaryFile(suffix=".abi") as file:
        read_interface(file.name)
        pathlib.Path(baseline).write_bytes(lzma.compress(pathlib.Path(file.name).read_bytes(), preset=9))


def interface(folder):
    """the binary interface is the recorded one, or more"""
    before, now = folder / "before.abi", folder / "now.abi"
    before.write_bytes(lzma.decompress(pathlib.Path(baseline).read_bytes()))
    read_interface(now)
    # Exit status 4: something differs; 8: and surely breaks programs.
    run = subprocess.run(["abidiff", "--no-added-syms", before, now], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Failed(f"abidiff ended with {run.returncode}; if that is meant, record it (--record)\n{run.stdout[:4000]}{run.stderr[:1000]}")


if "--record" in sys.argv:
    record()
else:
    run_cases(interface)
