#!/usr/bin/env python3
"""`hawser check` against ws and python3-websockets, in both roles: peers_test.py HAWSER ws|websockets COMMAND...

The deviations are exactly those that deviations.md lists: the command is an echo peer's, before `serve` or a URL.
"""

import collections
import fnmatch
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import Checker, deviations  # noqa: E402
from tap import Tap  # noqa: E402

DOCUMENT = pathlib.Path(__file__).resolve().parent / "deviations.md"
ROW = re.compile(r"\| `([^`]+)` \| (\d+)(?: or (\d+))? \| (failed|not strict) \| .+ \|")


def listed(heading):
    """The table's rows under a heading: pattern and verdict, and how many cases each stands for, of which there may be two numbers."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return {(match[1], match[4]): {int(match[2]), int(match[3] or match[2])} for match in ROW.finditer(section)}


def compare(rows, expected):
    """What is found and not listed, and what is listed and not found."""
    problems, counts = [], collections.Counter()
    # The longer a pattern, the fewer cases it stands for.
    patterns = sorted(expected, key=lambda row: -len(row[0]))
    for key, what in deviations(rows).items():
        match = next((row for row in patterns if fnmatch.fnmatchcase(key, row[0]) and what.startswith(row[1] + ": ")), None)
        counts[match] += 1
        if not match:
            problems.append(f"not listed: {key}: {what}")
    for row, numbers in expected.items():
        if counts[row] not in numbers:
            problems.append(f"listed {' or '.join(map(str, sorted(numbers)))} times, found {counts[row]} times: {row}")
    return problems


def main(hawser, name, *command):
    tap = Tap()
    checker = Checker(hawser)
    for role in ("server", "client"):
        rows = checker.server([*command, "serve"])[1] if role == "server" else checker.client([*command, "{url}"])[1]
        tap.report(f"{name} as a {role}: {len(rows)} cases, and no deviation but the listed ones", compare(rows, listed(f"{name} {role}")))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
