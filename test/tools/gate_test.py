#!/usr/bin/env python3
"""What tools/test refuses before it does anything: gate_test.py TOOLS_TEST"""

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
refuses("a number of 0", ["--repeat", "0"], 2, "--repeat takes a number above 0")
refuses("an unknown Debian, and names what there is", ["--on", "sid"], 2, "no tree of sid, but of bookworm and trixie")
refuses("no Debian", ["--on"], 2, "but of bookworm and trixie")
refuses("an unknown machine, and names what there is", ["--arch", "m68k"], 2, "no machine m68k, but i386, arm64 and s390x")
refuses("an unknown build, and names what there is", ["--only", "msan"], 2, "no build msan, but gcc, abi, asan and tsan")
refuses("one build and the fast one", ["--fast", "--only", "abi"], 2, "--fast and --only exclude each other")
refuses("a Debian and a machine", ["--on", "trixie", "--arch", "i386"], 2, "--on and --arch exclude each other")

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
