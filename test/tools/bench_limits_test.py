#!/usr/bin/env python3
"""What `hawser bench` refuses: bench_limits_test.py HAWSER"""

import asyncio
import resource
import sys

from bench_test import measured
from peer import Serve, execute, expect, expect_match, run


async def descriptors(hawser):
    """the soft limit of descriptors is raised to the hard one; what is beyond that is wrong usage"""
    hard = 100

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))

    async with Serve(hawser) as serve:
        for count, expected in ((35, 0), (36, 0), (37, 2)):
            arguments = [serve.address, "--connections", str(count), "--json"]
            status, _, err = await measured(hawser, *arguments, preexec_fn=limit)
            expect(status, expected, f"exit status with {count} connections: {err}")
        expect_match(r"hawser: 37 connections need 101 descriptors, and the limit is 100 .*\n", err)


async def sizes(hawser):
    """--size up to --max-message is taken"""
    async with Serve(hawser) as serve:
        for size, expected in ((999, 0), (1000, 0), (1001, 2)):
            arguments = ["--connections", "1", "--size", str(size), "--max-message", "1000"]
            status, out, err = await measured(hawser, serve.address, *arguments)
            expect(status, expected, f"exit status with {size} bytes: {err}")
        expect_match(r"hawser: messages of 1001 bytes are longer than --max-message, 1000 bytes .*\n", err)


async def usage(hawser):
    """wrong usage ends with exit status 2 and one line that names what is wrong"""
    for arguments, named in (
        ([], "URL"),
        (["http://127.0.0.1/"], "http"),
        *((["--connections", value], "--connections") for value in ("0", "-1", "1000001")),
        *((["--depth", value], "--depth") for value in ("0", "1000001")),
        (["--size", "-1"], "-1"),
        (["--size", "1X"], "1X"),
        *((["--duration", value], "--duration") for value in ("0", "-1", "nan")),
        (["--warmup", "-0.1"], "--warmup"),
        *((["--rate", value], "--rate") for value in ("0", "-5", "inf")),
        (["--rate", "10", "--depth", "2"], "--depth"),
        (["--rate", "10", "--mode", "idle"], "--rate"),
        (["--depth", "2", "--mode", "connect"], "--depth"),
        *((["--mode", value], "--mode") for value in ("idles", "1")),
        (["--server-pid", "0"], "--server-pid"),
        (["--server-pid", "x"], "--server-pid"),
        (["--insecure"], "--insecure"),
        (["--nothing"], "--nothing"),
    ):
        uri = ["ws://127.0.0.1:1/"] if arguments and not arguments[0].startswith("http") else []
        status, out, err = await execute(hawser, "bench", *uri, *arguments)
        expect((status, out), (2, b""), f"exit status and output of {arguments}")
        expect_match(rf"hawser: [^\n]*{named}[^\n]*\n", err)


CASES = [
    descriptors,
    sizes,
    usage,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
