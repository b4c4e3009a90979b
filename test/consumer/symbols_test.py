#!/usr/bin/env python3
"""What the shared library exports: symbols_test.py LIBRARY LIST [--record]

The list holds the functions and objects that a program may link to. What compilers emit beside them, inline functions,
tables and type information, differs between them: of that only the namespace is checked."""

import pathlib
import re
import subprocess
import sys

from consumer import Tap

library, listed = sys.argv[1:3]
OURS = re.compile(r"((vtable|typeinfo|typeinfo name|.*thunk to) (for )?)?(hawser::.*)")
INTERNAL = re.compile(r"(.* )?hawser::(protocol|reactor|transport|connection|endpoint)::[^(]*(\(.*)?")


def exported():
    """Kind and readable name of each."""
    output = subprocess.run(["nm", "-DC", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    return [line.split(" ", 2)[1:] for line in output.splitlines()]


symbols = exported()
strong = sorted({name for kind, name in symbols if kind not in "WVu" and name.startswith("hawser::")})
if "--record" in sys.argv:
    pathlib.Path(listed).write_text("".join(name + "\n" for name in strong))
    sys.exit(0)

recorded = pathlib.Path(listed).read_text().splitlines()
tap = Tap()
tap.report("what is listed is exported", [f"missing: {name}" for name in recorded if name not in strong])
tap.report("what is exported is listed", [f"not listed: {name}" for name in strong if name not in recorded])
foreign = [name for _, name in symbols if not OURS.fullmatch(name)]
tap.report("nothing that is not ours is exported", foreign)
tap.report("nothing internal is exported", [name for _, name in symbols if INTERNAL.fullmatch(name)])
sys.exit(tap.finish())
