#!/usr/bin/env python3
"""Compares what a server executes to receive and echo a message, from read to write, with what is on record:
instructions.py MESSAGE_COST RECORD [--record]

Fails when a kind of message has grown by more than 3 %; --record writes what is measured instead. The figures are those of
Debian 12's gcc, optimized as for a release, on a processor with AVX2 and on one without, which masks in more steps."""

import json
import pathlib
import sys

from counting import per_message

ALLOWED = 1.03
# How many messages the two runs have, and what they are: size and opcode.
KINDS = {
    "text, 20 bytes": (1_000, 5_000, 20, "text"),
    "binary, 125 bytes": (1_000, 5_000, 125, "binary"),
    "binary, 64 KiB": (20, 120, 64 * 1024, "binary"),
    "binary, 1 MiB": (5, 25, 1024 * 1024, "binary"),
}


def processor():
    return "with AVX2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split() else "without AVX2"


def measure(program):
    return {kind: round(per_message(program, few, many, 0, *message)) for kind, (few, many, *message) in KINDS.items()}


def main(program, record, *options):
    path = pathlib.Path(record)
    measured = measure(program)
    record = json.loads(path.read_text(encoding="utf-8"))
    if options == ("--record",):
        record[processor()] = measured
        path.write_text(json.dumps(record, indent=4) + "\n", encoding="utf-8")
        return
    recorded = record[processor()]
    print(f"1..{len(KINDS)}")
    for number, kind in enumerate(KINDS, 1):
        verdict = "ok" if measured[kind] <= ALLOWED * recorded[kind] else "not ok"
        print(f"{verdict} {number} - {kind}: {measured[kind]} instructions, {recorded[kind]} on record")


main(*sys.argv[1:])
