#!/usr/bin/env python3
"""What a chain of middlewares costs a message, in instructions: chain_cost.py MESSAGE_COST MESSAGE_COST_WITHOUT_CHAIN

Counts with callgrind what a server executes to receive and echo a text of 20 bytes, from read to write, and takes what two runs
of different length differ by, so that start and handshake do not count."""

import re
import subprocess
import sys
import tempfile

FEW, MANY = 1_000, 11_000


def instructions(program, *arguments):
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def per_message(program, middlewares):
    return (instructions(program, MANY, middlewares) - instructions(program, FEW, middlewares)) / (MANY - FEW)


with_chain, without_chain = sys.argv[1:]
base = per_message(without_chain, 0)
print(f"no chain at all:   {base:8.1f} instructions a message")
for count, name in enumerate(["empty chain:", "1 middleware:", "2 middlewares:"]):
    cost = per_message(with_chain, count)
    print(f"{name:<18} {cost:8.1f}  (+{cost - base:.1f}, {100 * (cost - base) / base:+.2f} %)")
