"""Runs servers and loads, each on a processor of its own."""

import json
import os
import re
import resource
import select
import subprocess
import tempfile
import time

from workloads import LIMIT, SERVERS

START_SECONDS = 20
LOAD_SECONDS = 60
# A first run, in which a server compiles, allocates and fills caches, does not count; of those behind it the median does. The real-time
# scheduler of Linux gives way to others for a part of each second: bursts are shorter than that, with pauses between them.
BURSTS = {"count": 3, "warmup": 0.1, "seconds": 0.35, "pause": 0.2}
LONG_RUNS = {"count": 1, "warmup": 0.3, "seconds": 1.5, "pause": 0}
FIRST_SECONDS = 0.15
# A run at a given rate goes on until it has had so many messages, which its percentiles are made of, but not for longer.
LEAST_MESSAGES, MOST_SECONDS = 300, 3


class Failure(Exception):
    """A server did not start, or a load failed: a sentence says why."""


def raise_descriptor_limit():
    """All that is soft in the limit of open files; returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def check_real_time():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError as error:
        raise Failure("--fifo needs the right to real-time priority, which root has") from error
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Bench:
    """How to measure: `build` is the folder with the programs, `is_real_time` whether they get a real-time priority, in bursts that
    other processes cannot disturb."""

    def __init__(self, build, is_real_time=False):
        self.build = build
        self.is_real_time = is_real_time
        self.pace = BURSTS if is_real_time else LONG_RUNS
        if is_real_time:
            check_real_time()
        processors = sorted(os.sched_getaffinity(0))
        self.processors = processors[:2] if len(processors) > 1 else None

    def settle_on(self, place):
        """What a new process does first: place 0 is the server's processor, 1 the load's."""
        if self.processors:
            os.sched_setaffinity(0, {self.processors[place]})
        if self.is_real_time:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    def load(self, server, workload, warmup, seconds):
        """One run of the load: its report."""
        command = [f"{self.build}/tools/hawser", "bench", server.url, *workload.arguments(), "--json", "--server-pid",
                   str(server.process.pid), "--warmup", f"{warmup:g}", "--duration", f"{seconds:g}"]
        if server.name == LIMIT:
            command.append("--length-only")
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False,
                                 preexec_fn=lambda: self.settle_on(1))
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the load of {server.name} did not end in {LOAD_SECONDS} s") from error
        if run.returncode != 0:
            raise Failure(f"{server.name}: {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else 'the load failed'}")
        return json.loads(run.stdout)

    def measure(self, name, workload, count):
        """The reports of so many runs against a server that is started for them."""
        with Server(self, name, workload) as server:
            if workload.mode == "idle":
                return [self.load(server, workload, 0, 0.1)]
            seconds = self.pace["seconds"]
            if workload.rate:
                seconds = max(seconds, min(MOST_SECONDS, LEAST_MESSAGES / workload.rate))
            self.load(server, workload, self.pace["warmup"], FIRST_SECONDS)
            reports = []
            for _ in range(count):
                time.sleep(self.pace["pause"])
                reports.append(self.load(server, workload, self.pace["warmup"], seconds))
        return reports


class Server:
    """A server process, from when it listens until the end of the block."""

    def __init__(self, bench, name, workload):
        words = {"build": bench.build, "size": workload.size, "kind": "text" if workload.text else ""}
        command = [part for part in (part.format(**words) for part in SERVERS[name]) if part]
        self.name = name
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, preexec_fn=lambda: bench.settle_on(0),
                                            env={**os.environ, "GOMAXPROCS": "1"})
        except OSError as error:
            self.errors.close()
            raise Failure(f"{name}: {error.strerror}: {command[0]}") from error
        try:
            self.url = self.wait_for_url()
        except Failure:
            self.end()
            raise

    def wait_for_url(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline().decode().strip() if ready else ""
        if found := re.search(r"ws://\S+", line):
            return found[0]
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        raise Failure(f"{self.name} does not start: {lines[-1] if lines else line or 'it says nothing'}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
