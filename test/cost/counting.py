"""Counts instructions with callgrind: what two runs of different length differ by, so that start and handshake do not count."""

import os
import re
import subprocess
import tempfile


# meson has malloc fill what it gives, which would count.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}


def instructions(program, *arguments):
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def per_message(program, few, many, *arguments):
    return (instructions(program, many, *arguments) - instructions(program, few, *arguments)) / (many - few)
