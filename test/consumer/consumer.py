"""What the tests of embedding share: a program outside of the source tree, built and run in a temporary folder."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import Tap  # noqa: E402, F401

PROGRAM = pathlib.Path(__file__).resolve().parent / "program"


class Failed(Exception):
    pass


def execute(*command, cwd=None, **environment):
    """What the command prints. Raises Failed, with all its output, when it does not exit with 0."""
    command = [str(part) for part in command]
    run = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {run.returncode}\n{run.stdout[-4000:]}\n{run.stderr[-4000:]}")
    return run.stdout


def expect(actual, expected, what):
    if actual != expected:
        raise Failed(f"{what}: {actual!r} instead of {expected!r}")


def expect_echo(program, version, **environment):
    """The program runs, and hawser works in it."""
    expect(execute(program, **environment), f"hawser {version}: hello\n", f"what {program.name} prints")


def copy_program(folder):
    """A copy of the program's sources, where nothing of ours is near."""
    return pathlib.Path(shutil.copytree(PROGRAM, pathlib.Path(folder) / "daemon"))


def run_cases(*cases):
    """Each case is a function, named by its docstring, that gets a temporary folder. Exits."""
    tap = Tap()
    for case in cases:
        problems = []
        with tempfile.TemporaryDirectory(prefix="consumer") as folder:
            try:
                case(pathlib.Path(folder))
            except Failed as failure:
                problems.append(str(failure))
        tap.report(case.__doc__, problems)
    sys.exit(tap.finish())
