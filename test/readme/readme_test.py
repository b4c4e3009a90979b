#!/usr/bin/env python3
"""The C++ examples of README and guide compile, and those with a main do what their page says:
readme_test.py LISTENING PKG_CONFIG_FOLDER PAGE... -- PKG_CONFIG_OPTION... -- COMPILER [ARGUMENT...]

They are linked to LISTENING, a source, and by what hawser.pc in that folder asks for."""

import asyncio
import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from conduct import CHECKS, Trial  # noqa: E402
from pages import examples  # noqa: E402
from tap import Tap  # noqa: E402

SECONDS = 60
HEADER = "#include <hawser/hawser.hpp>\n"


class Compiler:
    """Compiles into a folder; what begins with the one header has it from a precompiled one."""

    def __init__(self, command, listening, libraries, folder):
        self.command, self.folder = command, folder
        runtime_folders = [f"-Wl,-rpath,{one[2:]}" for one in libraries if one.startswith("-L")]
        self.libraries = [*libraries, *runtime_folders, "-Wl,--as-needed", "-Wl,--no-undefined"]
        self.header, self.listening = folder / "header.hpp", folder / "listening.o"
        self.header.write_text(HEADER)
        self.run("-x", "c++-header", self.header, "-o", f"{self.header}.gch")
        self.run("-c", listening, "-o", self.listening)

    def run(self, *arguments):
        run = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True, check=False)
        return [] if run.returncode == 0 else [run.stderr or f"exit status {run.returncode}"]

    def __call__(self, trial):
        """The problems that it has with an example."""
        source = trial.program.with_suffix(".cpp")
        source.write_text(trial.code)
        begun = ["-include", self.header] if trial.code.startswith(HEADER) else []
        if not trial.example.is_program:
            return self.run(*begun, "-fsyntax-only", source)
        return self.run(*begun, source, self.listening, "-o", trial.program, *self.libraries)


def hawser_libraries(folder, options):
    command = ["pkg-config", "--libs", *options, "hawser"]
    return shlex.split(subprocess.check_output(command, env={**os.environ, "PKG_CONFIG_PATH": folder}, text=True))


async def conduct(trial):
    """The problems that its check finds."""
    try:
        await asyncio.wait_for(CHECKS[trial.example.page, trial.example.heading, trial.example.number](trial), SECONDS)
    except Exception as error:  # whatever went wrong is the result
        return [f"{type(error).__name__}: {error}"]
    return []


def main():
    first = sys.argv.index("--")
    second = sys.argv.index("--", first + 1)
    (listening, pkg_config_folder, *pages), options, command = sys.argv[1:first], sys.argv[first + 1 : second], sys.argv[second + 1 :]
    found = [example for page in pages for example in examples(page)]
    programs = {(one.page, one.heading, one.number) for one in found if one.is_program}
    tap = Tap()
    tap.report("each example with a main has a check", [f"none for {one}" for one in programs - CHECKS.keys()])
    tap.report("each check has its example", [f"none for {one}" for one in CHECKS.keys() - programs])
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        trials = [Trial(example, pathlib.Path(folder)) for example in found]
        compiler = Compiler(command, listening, hawser_libraries(pkg_config_folder, options), pathlib.Path(folder))
        for trial, problems in zip(trials, pool.map(compiler, trials)):
            tap.report(f"{trial.example} compiles", problems)
            if trial.example.is_program and not problems:
                tap.report(f"{trial.example} does what it says", asyncio.run(conduct(trial)))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
