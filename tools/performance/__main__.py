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
UNITS = {"echo": "messages per processor second", "connect": "handshakes per processor second", "idle": "bytes a connection"}


def options(arguments):
    parser = argparse.ArgumentParser(prog="tools/performance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=ROOT / "build" / "gcc", type=pathlib.Path, metavar="BUILD_FOLDER")
    parser.add_argument("--suite", action="append", choices=["peers", "growth"], help="what to measure (both)")
    parser.add_argument("--rounds", type=int, default=5, help="how often every server is measured (5)")
    parser.add_argument("--short", action="store_true", help="a few workloads, one round")
    parser.add_argument("--fifo", action="store_true", help="short bursts at real-time priority, for a machine that others use too")
    parser.add_argument("--lock", metavar="FILE", help="lock this file during each run")
    parser.add_argument("--runs", metavar="FILE", type=pathlib.Path, help="where all runs are written (BUILD_FOLDER/performance.json)")
    parser.add_argument("--from", dest="source", metavar="FILE", type=pathlib.Path, help="measure nothing: take the runs of this file")
    parser.add_argument("--pages", action="store_true", help="write the plots, and the sections of README and guide")
    chosen = parser.parse_args(arguments)
    chosen.suite = chosen.suite or ["peers", "growth"]
    if chosen.rounds < 1:
        parser.error("--rounds takes a number above 0")
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
    names = startable(bench)
    entries = []
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
                entries.append({"round": number, "workload": workload.title, "server": name, "figure": workload.figure, "reports": reports})
                value = figures.figure(reports, workload.figure)
                print(f"round {number + 1}, {workload.title}: {name}: {value:,.0f} {UNITS[workload.mode]}", flush=True)
    return entries


def measure_cell(bench, name, connections, size):
    """A server's rate; of ours also the latency at a quarter of it, and the memory of a connection."""
    load = Workload(connections=connections, size=size)
    reports = {"rate": bench.measure(name, load, 1)[0]}
    if name == OURS:
        quarter = max(1, reports["rate"]["messages_per_second"] / 4)
        reports["latency"] = bench.measure(name, dataclasses.replace(load, rate=quarter), 1)[0]
        reports["memory"] = bench.measure(name, dataclasses.replace(load, mode="idle"), 1)[0]
    return reports


def measure_growth(bench, chosen):
    limit = raise_descriptor_limit()
    cells = growth_cells(limit - OTHER_DESCRIPTORS)
    if cells != growth_cells(sys.maxsize):
        print(f"left out: more connections than the limit of open files has room for, {limit} (raise it by ulimit -Hn)", flush=True)
    if chosen.short:
        cells = [(connections, size) for connections, size in cells if connections in (10, 1000)]
    entries = []
    for number in range(chosen.rounds):
        for connections, size in cells:
            for name in (OURS, LIMIT):
                reports = measure_cell(bench, name, connections, size)
                entries.append({"round": number, "connections": connections, "size": size, "server": name, "reports": reports})
                rate = reports["rate"]["messages_per_second"]
                print(f"round {number + 1}, {connections:,} × {size_text(size)}: {name}: {rate:,.0f} messages per second", flush=True)
    return entries


def measure(chosen):
    build(chosen.build)
    raise_descriptor_limit()
    bench = Bench(chosen.build, chosen.fifo, chosen.lock)
    runs = {"machine": pages.machine()}
    path = chosen.runs or chosen.build / "performance.json"
    for suite, run in (("peers", measure_peers), ("growth", measure_growth)):
        if suite in chosen.suite:
            runs[suite] = run(bench, chosen)
            path.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {os.path.relpath(path)}")
    return runs


def show(runs):
    """Prints the ratios; returns the exit status."""
    if runs.get("peers"):
        table = figures.tabulate(runs["peers"])
        print(figures.speed_table(table), figures.rest_table(table, WORKLOADS), sep="\n")
    lost = figures.cliffs(runs.get("growth", []))
    for (connections, size), share in sorted(figures.cell_ratios(runs.get("growth", [])).items()):
        print(f"{connections:,} × {size_text(size)}: {share:.2f} of {LIMIT}")
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
