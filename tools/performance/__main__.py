#!/usr/bin/env python3
"""Measures hawser beside other libraries, and how it grows: python3 tools/performance [BUILD_FOLDER] [OPTION...]

BUILD_FOLDER is a release build with the hawser command (build/gcc, which tools/test makes); the other servers are built in it, each if
its library is there. Servers take turns, round by round, on one processor; the load has another.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys

import figures
import pages
from measuring import Bench, Failure, Server, raise_descriptor_limit
from workloads import LIMIT, OURS, ROOT, SERVERS, SHORT_WORKLOADS, WORKLOADS, Workload, growth_cells, size_text

# What a process needs besides its connections.
OTHER_DESCRIPTORS = 100
UNITS = {
    "echo": "messages per second of the server's processor time",
    "connect": "handshakes per second of the server's processor time",
    "idle": "bytes a connection",
}


def options(arguments):
    parser = argparse.ArgumentParser(prog="tools/performance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=ROOT / "build" / "gcc", type=pathlib.Path, metavar="BUILD_FOLDER")
    parser.add_argument("--suite", action="append", choices=["peers", "growth"], help="what to measure (both)")
    parser.add_argument("--rounds", type=int, default=5, help="how often every server is measured (5)")
    parser.add_argument("--short", action="store_true", help="a few workloads, one round")
    parser.add_argument("--fifo", action="store_true", help="short bursts at real-time priority, for a machine that others use too")
    parser.add_argument("--runs", metavar="FILE", type=pathlib.Path, help="file that gets each run (BUILD_FOLDER/performance.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", type=pathlib.Path, help="measure nothing: take the runs of this file")
    parser.add_argument("--pages", action="store_true", help="write the plots, and the sections of README and guide")
    chosen = parser.parse_args(arguments)
    chosen.suite = chosen.suite or ["peers", "growth"]
    if chosen.rounds < 1:
        parser.error("--rounds takes a number above 0")
    if chosen.short and chosen.pages:
        parser.error("--pages writes whole tables, for which --short measures too little")
    chosen.rounds = 1 if chosen.short else chosen.rounds
    chosen.build = chosen.build.resolve()
    return chosen


def build(folder):
    """The command and the other servers."""
    command = ["meson", "compile", "-C", folder, "tools/hawser:executable", "peers"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise Failure(f"cannot build the servers in {folder}: {next((line for line in lines if 'rror' in line), lines[-1])}")


def startable(bench):
    """The servers that start; says which do not, and why. Ours and the limit have to."""
    names = []
    for name in SERVERS:
        try:
            with Server(bench, name, Workload()):
                names.append(name)
        except Failure as failure:
            if name in (OURS, LIMIT):
                raise
            print(f"left out: {failure}", flush=True)
    return names


def measure_peers(bench, chosen):
    """Gives each server's figures of a round when it has them."""
    names = startable(bench)
    for number in range(chosen.rounds):
        for workload in SHORT_WORKLOADS if chosen.short else WORKLOADS:
            for name in workload.servers():
                if name not in names:
                    continue
                try:
                    reports = bench.measure(name, workload, bench.pace["count"])
                except Failure as failure:
                    if name in (OURS, LIMIT):
                        raise
                    print(f"left out of round {number + 1}, {workload.title}: {failure}", flush=True)
                    continue
                value = figures.figure(reports, workload.figure)
                print(f"round {number + 1}, {workload.title}: {name}: {value:,.0f} {UNITS[workload.mode]}", flush=True)
                yield {"round": number, "workload": workload.title, "server": name, "figure": workload.figure, "reports": reports}


def measure_cell(bench, name, connections, size):
    """How many messages a server echoes per second; of ours also the latency at a quarter of them, and the memory of a connection."""
    load = Workload(connections=connections, size=size)
    reports = {"rate": bench.measure(name, load, 1)[0]}
    if name == OURS:
        quarter = max(1, reports["rate"]["messages_per_second"] / 4)
        reports["latency"] = bench.measure(name, dataclasses.replace(load, rate=quarter), 1)[0]
        reports["memory"] = bench.measure(name, dataclasses.replace(load, mode="idle"), 1)[0]
    return reports


def measure_growth(bench, chosen):
    """Gives each server's reports of a cell when it has them."""
    limit = raise_descriptor_limit()
    cells = growth_cells(limit - OTHER_DESCRIPTORS)
    if cells != growth_cells(sys.maxsize):
        print(f"left out: more connections than the limit of open files has room for, {limit} (raise it by ulimit -Hn)", flush=True)
    if chosen.short:
        cells = [(connections, size) for connections, size in cells if connections in (10, 1000)]
    for number in range(chosen.rounds):
        for connections, size in cells:
            for name in (OURS, LIMIT):
                reports = measure_cell(bench, name, connections, size)
                value = figures.figure([reports["rate"]], Workload().figure)
                print(f"round {number + 1}, {connections:,} × {size_text(size)}: {name}: {value:,.0f} {UNITS['echo']}", flush=True)
                yield {"round": number, "connections": connections, "size": size, "server": name, "reports": reports}


def measure(chosen):
    """All runs, which are also written as they come: what fails later takes none of them away."""
    build(chosen.build)
    raise_descriptor_limit()
    bench = Bench(chosen.build, chosen.fifo)
    runs = {"machine": pages.machine()}
    path = chosen.runs or chosen.build / "performance.json"
    print(f"writing all runs to {os.path.relpath(path)}", flush=True)
    for suite, run in (("peers", measure_peers), ("growth", measure_growth)):
        if suite in chosen.suite:
            runs[suite] = []
            for entry in run(bench, chosen):
                runs[suite].append(entry)
                path.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    return runs


def show(runs):
    """Prints the ratios; returns the exit status."""
    if runs.get("peers"):
        table = figures.tabulate(runs["peers"])
        print(figures.speed_table(table), figures.rest_table(table, WORKLOADS), sep="\n")
    lost = figures.cliffs(runs.get("growth", []))
    for (connections, size), share in sorted(figures.cell_ratios(runs.get("growth", [])).items()):
        print(f"{connections:,} × {size_text(size)}: {share:.2f} of {LIMIT}'s {UNITS['echo']}")
    for sentence in lost:
        print(f"fell off a cliff: {sentence}")
    return 1 if lost else 0


def main(arguments):
    chosen = options(arguments)
    # Servers that were started are ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        runs = json.loads(chosen.source.read_text(encoding="utf-8")) if chosen.source else measure(chosen)
        if chosen.pages:
            pages.write_pages(runs, runs["machine"])
    except (Failure, OSError, ValueError) as error:
        print(f"tools/performance: {error}", file=sys.stderr)
        return 1
    return show(runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
