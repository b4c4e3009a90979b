#!/usr/bin/env python3
"""`hawser bench`: bench_test.py HAWSER"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import zlib

from peer import BINARY, CLOSE, PING, PONG, TEXT, Process, Serve, echo_until_close, execute, expect, expect_match, run, serving

SHORT = ["--duration", "1", "--warmup", "0"]
PERCENTILES = ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
BEGIN = ["mode", "url", "connections"]
ECHO = ["seconds", "messages", "messages_per_second", "bytes_per_second", "latency_us", "errors", "client_cpu_percent"]


async def measured(hawser, *arguments, **streams):
    """A short run, or a longer one on a machine that has had no time for an echo; as execute()."""
    for duration in ("0.1", "1", "10"):
        async with Process(hawser, "bench", "--duration", duration, "--warmup", "0", *arguments, **streams) as process:
            status, out, err = await process.end()
        if "no echo came" not in err and b'"handshakes": 0,' not in out:
            break
    return status, out, err


async def bench(hawser, *arguments):
    """A run that goes well; returns what it reports."""
    status, out, err = await measured(hawser, *arguments, "--json")
    expect((status, err), (0, ""), f"end of {arguments}")
    return json.loads(out)


def check_rates(report, count):
    """What follows from other figures."""
    expect(report[count + "_per_second"], report[count] / report["seconds"], count)
    expect(report["errors"], 0, "errors")
    expect(report["client_cpu_percent"] > 0, True, "the client's CPU time")


async def echo(hawser):
    """echo: the keys of --json, and that the figures agree"""
    async with Serve(hawser) as serve:
        for arguments, opcode, size, depth in (
            (["--connections", "3"], "binary", 20, 1),
            (["--connections", "2", "--depth", "16", "--size", "1K", "--text"], "text", 1024, 16),
            (["--connections", "1", "--size", "0", "--text"], "text", 0, 1),
            (["--connections", "2", "--size", "1M", "--depth", "2"], "binary", 1 << 20, 2),
        ):
            report = await bench(hawser, serve.address, *arguments)
            expect(list(report), [*BEGIN, "size", "depth", "opcode", *ECHO], f"keys of {arguments}")
            asked = ["echo", serve.address, int(arguments[1]), size, depth, opcode]
            expect([report[key] for key in (*BEGIN, "size", "depth", "opcode")], asked, f"what {arguments} asked for")
            check_rates(report, "messages")
            expect(report["bytes_per_second"], report["messages_per_second"] * size, "bytes a second")
            expect(report["messages"] > 0 and report["seconds"] >= 0.1, True, "messages and seconds")
            expect(list(report["latency_us"]), PERCENTILES, "percentiles")
            latencies = list(report["latency_us"].values())
            expect(latencies, sorted(latencies), "order of the percentiles")


async def depth(hawser):
    """echo: so many messages are in flight as --depth says, and the next come when all are back"""
    seen = []

    async def handler(peer):
        while True:
            batch = [await peer.receive() for _ in range(3)]
            if any(message is None or message[0] == CLOSE for message in batch):
                return
            seen.append({message[1] for message in batch})
            for message in batch[:-1]:
                await peer.send(*message)
            # What it had sent would come before the pong.
            await peer.send(PING)
            if (answer := await peer.receive())[0] == CLOSE:
                return
            expect(answer, (PONG, b""), "answer while an echo is missing")
            await peer.send(*batch[-1])

    async with serving(handler) as (uri, done):
        await execute(hawser, "bench", *SHORT, uri, "--connections", "1", "--depth", "3", "--size", "64")
        await done
    expect(len(seen) > 1, True, "batches")
    expect({len(batch) for batch in seen[:50]}, {3}, "different contents in a batch")


async def rate(hawser):
    """echo --rate: the messages that are due are sent, on all connections, and no batches are spoken of"""
    counts = []

    async def handler(peer):
        counts.append(0)
        mine = len(counts) - 1
        while (message := await peer.receive()) is not None and message[0] != CLOSE:
            counts[mine] += 1
            await peer.send(*message)
        await peer.send(*message)

    async with serving(handler, count=4) as (uri, done):
        report = await bench(hawser, uri, "--connections", "4", "--rate", "400")
        await done
    expect(list(report), [*BEGIN, "size", "opcode", "rate", *ECHO], "keys")
    expect(report["rate"], 400, "rate")
    check_rates(report, "messages")
    expect(max(counts) - min(counts) <= 1, True, f"messages on each connection: {counts}")
    expect(sum(counts) >= report["messages"] > 0, True, f"messages sent: {sum(counts)}")


async def rate_of_slow_server(hawser):
    """echo --rate: a latency counts from when a message was due, and what was never answered counts too"""

    async def handler(peer):
        await peer.receive()
        while (message := await peer.receive()) is not None:
            if message[0] == CLOSE:
                return await peer.send(*message)

    async with serving(handler) as (uri, done):
        status, out, err = await execute(hawser, "bench", *SHORT, uri, "--connections", "1", "--rate", "100", "--json")
        await done
    expect(status, 1, "exit status")
    expect_match(rf"hawser: {uri}: no echo came in the measured time\n", err)
    latency = json.loads(out)["latency_us"]
    expect(latency["max"] >= 80_000, True, f"longest wait: {latency['max']}")


async def connect(hawser):
    """connect: handshakes are counted, and each connection is closed cleanly"""
    async with Serve(hawser) as serve:
        server = ["--server-pid", str(serve.process.pid)]
        report = await bench(hawser, serve.address, "--mode", "connect", "--connections", "3", *server)
        counted = ["seconds", "handshakes", "handshakes_per_second", "errors", "client_cpu_percent"]
        expect(list(report), [*BEGIN, *counted, "server_us_per_connection", "server_cpu_percent"], "keys")
        check_rates(report, "handshakes")
        expect(report["handshakes"] > 0, True, "handshakes")
        expect(report["server_us_per_connection"] > 0, True, "the server's CPU time")
    async with serving(echo_until_close) as (uri, done):
        await execute(hawser, "bench", *SHORT, uri, "--mode", "connect", "--connections", "1")
        expect(await done, (1000, ""), "close of the first connection")


async def idle(hawser):
    """idle: a message each, or none; with --server-pid the memory of each connection"""
    async with Serve(hawser) as serve:
        server = ["--server-pid", str(serve.process.pid)]
        report = await bench(hawser, serve.address, "--mode", "idle", "--connections", "200", *server)
        told = ["size", "opcode", "seconds", "errors", "client_cpu_percent", "server_cpu_percent", "rss_bytes_per_connection"]
        expect([key for key in report if key != "server_us_per_message"], [*BEGIN, *told], "keys")
        expect(report["rss_bytes_per_connection"] >= 0, True, "memory")
        report = await bench(hawser, serve.address, "--mode", "idle", "--connections", "2", "--size", "0")
        expect("rss_bytes_per_connection" in report, False, "memory without a process")
    for size, messages in ((5, 1), (0, 0)):

        async def handler(peer, messages=messages, size=size):
            for _ in range(messages):
                kind, content = await peer.receive()
                expect((kind, len(content)), (BINARY, size), "message")
                await peer.send(kind, content)
            await peer.expect_close(1000)

        async with serving(handler) as (uri, done):
            await bench(hawser, uri, "--mode", "idle", "--connections", "1", "--size", str(size))
            await done


async def server_process(hawser):
    """--server-pid: what a message costs the server; a process that is not there is wrong usage"""
    async with Serve(hawser) as serve:
        report = await bench(hawser, serve.address, "--connections", "2", "--server-pid", str(serve.process.pid))
        expect(list(report), [*BEGIN, "size", "depth", "opcode", *ECHO, "server_us_per_message", "server_cpu_percent"], "keys")
        spent = report["server_us_per_message"] * report["messages"] / report["seconds"] / 1e4
        expect(abs(spent - report["server_cpu_percent"]) < 0.01 * spent, True, "the two figures of the server's CPU time agree")
        gone = await asyncio.create_subprocess_exec("true")
        await gone.wait()
        status, out, err = await execute(hawser, "bench", serve.address, "--server-pid", str(gone.pid))
        expect((status, out), (2, b""), "exit status and output")
        expect_match(rf"hawser: --server-pid: there is no process {gone.pid} .*\n", err)


async def table(hawser):
    """for people there is a table, with --json FILE besides; no progress is shown where nobody sees it"""
    async with Serve(hawser) as serve:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            server = ["--server-pid", str(serve.process.pid)]
            status, out, err = await measured(hawser, serve.address, "--connections", "2", *server, "--json", path)
            expect((status, err), (0, ""), "end")
            expect([line.split(" ")[0] for line in out.decode().splitlines()], ["load", "time", "messages", "latency", "CPU"], "rows")
            with open(path, encoding="utf-8") as file:
                expect(json.load(file)["connections"], 2, "connections in the file")
        status, out, err = await measured(hawser, serve.address, "--json", "/nowhere/report.json")
        expect((status, err), (1, "hawser: cannot write /nowhere/report.json\n"), "end")
    lines = out.decode().splitlines()
    expect_match(r"load +100 connections, binary messages of 20 bytes, 1 in flight each", lines[0])


async def different(hawser):
    """an echo that differs ends the run: kind, length, and the byte are named"""

    def flip(content, at):
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    for change, objection in (
        (lambda kind, content: (TEXT, b"x" * len(content)), "is text instead of binary"),
        (lambda kind, content: (kind, content[1:]), "has a length of 19 instead of 20"),
        (lambda kind, content: (kind, content + b"x"), "has a length of 21 instead of 20"),
        (lambda kind, content: (kind, flip(content, 0)), r"differs at byte 0: 0x\w\w instead of 0x\w\w"),
        (lambda kind, content: (kind, flip(content, 19)), r"differs at byte 19: 0x\w\w instead of 0x\w\w"),
    ):
        for correct in (0, 1):

            async def handler(peer, change=change, correct=correct):
                for _ in range(correct):
                    await peer.send(*await peer.receive())
                await peer.send(*change(*await peer.receive()))
                await peer.receive()

            async with serving(handler) as (uri, done):
                status, out, err = await execute(hawser, "bench", uri, "--connections", "1", "--json")
                await done
            expect((status, out), (1, b""), "exit status and output")
            expect_match(rf"hawser: {uri}: echo {correct + 1} on connection 1 {objection}\n", err)


async def length_only(hawser):
    """--length-only: echoes of another content will do, of another length will not"""
    for lacking, expected in ((0, 0), (1, 1)):

        async def handler(peer, lacking=lacking):
            while (message := await peer.receive()) is not None and message[0] != CLOSE:
                await peer.send(message[0], b"x" * (len(message[1]) - lacking))
            await peer.send(CLOSE, b"")

        async with serving(handler) as (uri, done):
            status, _, err = await execute(hawser, "bench", *SHORT, uri, "--connections", "1", "--length-only")
            await done
        expect((status, "has a length of 19 instead of 20" in err), (expected, bool(lacking)), err)


async def sampled(hawser):
    """later echoes are compared too: one of 256"""
    for wrong, expected in ((255, 0), (256, 1)):
        enough = asyncio.Event()

        async def handler(peer, wrong=wrong, enough=enough):
            number = 0
            while (message := await peer.receive()) is not None and message[0] != CLOSE:
                kind, content = message
                await peer.send(kind, bytes(len(content)) if number == wrong else content)
                number += 1
                if number == 300:
                    enough.set()
            if message:
                await peer.send(*message)

        async with serving(handler) as (uri, done):
            async with Process(hawser, "bench", uri, "--connections", "1", "--duration", "1000", "--warmup", "0") as process:
                if expected == 0:
                    await enough.wait()
                    process.signal(signal.SIGINT)
                status, _, err = await process.end()
            await done
        expect((status, "echo 257 on connection 1 differs" in err), (expected, expected == 1), f"end: {err}")


async def unasked(hawser):
    """a message that nobody asked for is no echo"""

    async def handler(peer):
        await peer.send(BINARY, bytes(20))
        await peer.receive()

    async with serving(handler) as (uri, done):
        status, out, err = await execute(hawser, "bench", uri, "--connections", "1", "--mode", "connect")
        await done
    expect((status, out), (1, b""), "exit status and output")
    expect_match(rf"hawser: {uri}: echo 1 on connection 1 was not asked for\n", err)


async def lost(hawser):
    """a connection that is lost is counted and told, the others go on"""
    first = []

    async def handler(peer):
        if not first:
            first.append(peer)
            await peer.receive()
            return
        await echo_until_close(peer)

    async with serving(handler, count=3) as (uri, done):
        status, out, err = await execute(hawser, "bench", *SHORT, uri, "--connections", "3", "--json")
        await done
    report = json.loads(out)
    expect((status, report["errors"]), (1, 1), "exit status and errors")
    expect(report["messages"] > 0, True, "messages")
    expect_match(rf"hawser: {uri}: .*without a Close frame \(1006\) \(1 of 3 connections failed\)\n", err)


async def all_lost(hawser):
    """when all connections are lost the run is over; a server that closes is told with its status"""

    async def drop(peer):
        await peer.receive()

    async def close(peer):
        await peer.receive()
        await peer.close(1011, "enough")

    for handler, error in ((drop, r"without a Close frame \(1006\)"), (close, "closed with 1011: enough")):
        async with serving(handler, count=2) as (uri, done):
            status, out, err = await execute(hawser, "bench", uri, "--connections", "2", "--duration", "1000", "--warmup", "0")
            await done
        expect(status, 1, "exit status")
        expect_match(rf"hawser: {uri}: .*{error}.*\n", err)


async def refused(hawser):
    """without any connection there is an error and no report"""
    async with serving(echo_until_close) as (uri, _):
        pass
    where = uri.removeprefix("ws://").removesuffix("/")
    for mode in ("echo", "connect", "idle"):
        result = await execute(hawser, "bench", uri, "--mode", mode, "--json")
        expect(result, (1, b"", f"hawser: cannot connect to {where}: Connection refused\n"), f"end of {mode}")


async def silent(hawser):
    """an echo that does not come within --timeout is an error"""

    async def handler(peer):
        while await peer.receive() is not None:
            pass

    for mode in ("echo", "idle"):
        async with serving(handler) as (uri, _):
            arguments = ["--mode", mode, "--connections", "1", "--timeout", "0.1", "--duration", "1000"]
            status, _, err = await execute(hawser, "bench", uri, *arguments)
        expect(status, 1, f"exit status of {mode}")
        expect_match(r"hawser: .*nothing .*received.*\n", err)


async def interrupted(hawser):
    """SIGINT ends the measurement, and what there is so far is reported; before there is anything it is an error"""
    echoes = asyncio.Event()

    async def handler(peer):
        while (message := await peer.receive()) is not None and message[0] != CLOSE:
            await peer.send(*message)
            echoes.set()
        await peer.send(*message)

    async with serving(handler) as (uri, done):
        async with Process(hawser, "bench", uri, "--connections", "1", "--duration", "1000", "--warmup", "0", "--json") as process:
            # The first may come before what is measured begins, and the last may be on its way.
            for _ in range(3):
                echoes.clear()
                await echoes.wait()
            process.signal(signal.SIGINT)
            status, out, err = await process.end()
        await done
    report = json.loads(out)
    expect((status, err, report["errors"]), (0, "", 0), "end")
    expect(0 < report["seconds"] < 100, True, "seconds")
    check_rates(report, "messages")
    async with serving(handler) as (uri, done):
        async with Process(hawser, "bench", uri, "--connections", "1", "--warmup", "1000") as process:
            echoes.clear()
            await echoes.wait()
            process.signal(signal.SIGINT)
            expect(await process.end(), (1, b"", "hawser: interrupted before anything was measured\n"), "end")
        await done


async def verbose(hawser):
    """--verbose: tells how long opening took, and what became of each connection that failed"""

    async def handler(peer):
        await peer.receive()

    async with serving(handler, count=2) as (uri, done):
        _, _, err = await execute(hawser, "bench", uri, "--connections", "2", "--verbose", "--warmup", "0")
        await done
    lines = err.splitlines()
    expect_match(r"hawser: 2 connections are open after \d+\.\d\d ms", lines[0])
    for line in lines[1:3]:
        expect_match(rf"hawser: {uri}: .*without a Close frame \(1006\)", line)


async def deflate(hawser):
    """--deflate: messages are compressed, where the server can do that"""
    async with Serve(hawser, "--deflate") as serve:
        report = await bench(hawser, serve.address, "--connections", "2", "--deflate", "--text", "--size", "2K")
        check_rates(report, "messages")
    offers, frames = [], set()

    async def handler(peer):
        """Echoes without compression."""
        offers.append(peer.header("Sec-WebSocket-Extensions") is not None)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        while (frame := await peer.frame()) is not None and frame[1] < CLOSE:
            payload = inflater.decompress(frame[2] + b"\0\0\xff\xff") if peer.rsv1 else frame[2]
            frames.add((peer.rsv1, frame[0], len(payload), len(frame[2]) < len(payload)))
            await peer.send(frame[1], payload)
        await peer.send(frame[1], frame[2])

    accepted = ["Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"]
    for options, fields, is_compressed in (([], [], False), (["--deflate"], [], False), (["--deflate"], accepted, True)):
        frames.clear()
        async with serving(handler, fields=fields) as (uri, done):
            await bench(hawser, uri, "--connections", "1", "--text", "--size", "2K", *options)
            await done
        expect(offers.pop(), bool(options), "whether compression was offered")
        expect(frames, {(is_compressed, True, 2048, is_compressed)}, f"frames of {options}, {fields}")


async def one_frame(hawser):
    """each message is one frame, also a long one"""
    frames = []

    async def handler(peer):
        while (frame := await peer.frame()) is not None and frame[1] < CLOSE:
            frames.append((frame[0], frame[1], len(frame[2])))
            await peer.send(frame[1], frame[2])
        await peer.send(frame[1], frame[2])

    async with serving(handler) as (uri, done):
        await bench(hawser, uri, "--connections", "1", "--size", "70000")
        await done
    expect(set(frames), {(True, BINARY, 70000)}, "frames")


async def tls(hawser):
    """wss: with the options of the other commands"""
    async with Serve(hawser, "--tls") as serve:
        report = await bench(hawser, serve.address, "--connections", "2", "--insecure")
        check_rates(report, "messages")
        status, out, err = await execute(hawser, "bench", serve.address, "--connections", "1")
        expect((status, out, "certificate" in err), (1, b"", True), "end without --insecure: " + err)


CASES = [
    echo,
    depth,
    rate,
    rate_of_slow_server,
    connect,
    idle,
    server_process,
    table,
    different,
    length_only,
    sampled,
    unasked,
    lost,
    all_lost,
    refused,
    silent,
    interrupted,
    verbose,
    deflate,
    one_frame,
    tls,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
