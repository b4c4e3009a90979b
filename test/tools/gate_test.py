#!/usr/bin/env python3
"""What tools/test refuses before it does anything: gate_test.py TOOLS_TEST"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import Tap  # noqa: E402

tap = Tap()


def refuses(name, arguments, status, sentence, **environment):
    run = subprocess.run(
        [sys.argv[1], *arguments], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    is_refused = run.returncode == status and sentence in run.stderr and not run.stdout
    tap.report(f"tools/test refuses {name}", [] if is_refused else [f"{run.returncode}: {run.stdout}{run.stderr}"])


refuses("an unknown option", ["--quick"], 2, "unknown option --quick")
for number in ("0", "-1", "1000000", "99999999999999999999", "2x"):
    refuses(f"a number of {number}", ["--repeat", number], 2, "--repeat takes a number from 1 to 999999")
for option in ("--repeat", "--on", "--only", "--arch"):
    refuses(f"{option} without a value", [option], 2, f"{option} takes a value")
refuses("an unknown Debian, and names what there is", ["--on", "sid"], 2, "no tree of sid, but of bookworm and trixie")
refuses("an unknown machine, and names what there is", ["--arch", "m68k"], 2, "no machine m68k, but i386, arm64 and s390x")
refuses("an unknown build, and names what there is", ["--only", "msan"], 2, "no build msan, but gcc, abi, asan and tsan")
choices = [["--fast"], ["--only", "abi"], ["--on", "trixie"], ["--arch", "i386"]]
for one, other in itertools.combinations(choices, 2):
    refuses(f"{one[0]} with {other[0]}", [*other, *one], 2, f"{one[0]} and {other[0]} exclude each other")

# Where there is no root, or no namespace can be made.
with tempfile.TemporaryDirectory() as stand_ins:
    for name in ("sudo", "unshare"):
        stand_in = pathlib.Path(stand_ins) / name
        stand_in.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        stand_in.chmod(0o755)
    path = stand_ins + os.pathsep + os.environ["PATH"]
    refuses("a tree without root", ["--on", "trixie"], 1, "a tree needs root", PATH=path)
    refuses("a machine without root", ["--arch", "i386"], 1, "a tree needs root", PATH=path)
sys.exit(tap.finish())
