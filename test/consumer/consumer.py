"""What the tests of embedding share: a program outside of the source tree, built and run in a temporary folder."""

import asyncio
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import pages  # noqa: E402
import programs  # noqa: E402
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


def expect_relays(program, **environment):
    """README's program with a loop of its own runs."""
    try:
        asyncio.run(asyncio.wait_for(programs.expect_relays(program, env={**os.environ, **environment}), 60))
    except Exception as error:  # whatever went wrong is the result
        raise Failed(f"{program}: {type(error).__name__}: {error}") from error


def copy_program(folder):
    """A copy of the program's sources, where nothing of ours is near: main.cpp, and as loop.cpp README's with a loop of its own."""
    program = pathlib.Path(shutil.copytree(PROGRAM, pathlib.Path(folder) / "daemon"))
    (program / "loop.cpp").write_text(pages.own_loop().code)
    return program


def embed(folder, root):
    """A copy of the program with hawser's source tree as a subproject."""
    program = copy_program(folder)
    (program / "subprojects").mkdir()
    (program / "subprojects" / "hawser").symlink_to(root)
    return program


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
