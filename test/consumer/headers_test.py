#!/usr/bin/env python3
"""Each public header compiles by itself: headers_test.py INCLUDE_FOLDER MADE_FOLDER COMPILER..."""

import concurrent.futures
import itertools
import pathlib
import subprocess
import sys

from consumer import Tap

folders, compiler = sys.argv[1:3], sys.argv[3:]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
# As gcc 12 and clang 14 name C++20 and C++23.
STANDARDS = ["c++20", "c++2b"]


def compile_alone(case):
    header, standard = case
    command = [*compiler, f"-std={standard}", *WARNINGS, *(f"-I{folder}" for folder in folders), "-fsyntax-only", "-x", "c++", "-"]
    # Twice: what is included again must not be there again.
    source = f"#include <hawser/{header}>\n" * 2
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return [run.stderr or f"exit status {run.returncode}"] if run.returncode else []


headers = sorted(path.name for folder in folders for path in (pathlib.Path(folder) / "hawser").glob("*.hpp"))
cases = list(itertools.product(headers, STANDARDS))
tap = Tap()
tap.report("there are headers", [] if {"hawser.hpp", "version.hpp"} <= set(headers) else [f"only {headers} in {folders}"])
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for (header, standard), problems in zip(cases, pool.map(compile_alone, cases)):
        tap.report(f"{header} compiles by itself as {standard}", problems)
sys.exit(tap.finish())
