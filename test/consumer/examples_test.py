#!/usr/bin/env python3
"""Each example does what its first line says: examples_test.py EXAMPLES_FOLDER"""

import asyncio
import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from peer import BINARY, CLOSE, TEXT, Peer, Process, accept_key, open_socket, read_head  # noqa: E402
from peer import connect, echo_until_close, expect, expect_match, run, serving  # noqa: E402


class Example(Process):
    """The example as a process; `uri` is where it says that it listens."""

    def __init__(self, folder, name, *arguments, **streams):
        super().__init__(os.path.join(folder, name), *arguments, **streams)

    async def line(self):
        return (await self.stdout.readline()).decode().rstrip("\n")

    async def __aenter__(self):
        await super().__aenter__()
        self.uri = (await self.line()).removeprefix("listening on ")
        return self


@contextlib.asynccontextmanager
async def serving_many(handler):
    """As serving(), for one client after the other on the same port."""
    async def accept(reader, writer):
        peer = Peer(reader, writer, False, await read_head(reader))
        key = accept_key(peer.header("Sec-WebSocket-Key").encode())
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + key]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await handler(peer)
        await peer.shut()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield "ws://{}:{}/".format(*server.sockets[0].getsockname())


@contextlib.asynccontextmanager
async def connect_to(uri, target):
    """As connect(), for another target; reads nothing until asked to."""
    reader, writer = await open_socket(uri)
    writer.write(
        f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    peer = Peer(reader, writer, True, await read_head(reader))
    try:
        yield peer
    finally:
        await peer.shut()


async def echo_server(folder):
    """echo_server: texts and binary messages come back"""
    async with Example(folder, "echo_server") as example, connect(example.uri) as peer:
        for opcode, payload in ((TEXT, b"hello"), (BINARY, bytes(range(256)) * 40)):
            await peer.send(opcode, payload)
            await peer.expect(opcode, payload)
        expect(await peer.close(), 1000, "close status")


async def chat(folder):
    """chat: what one says all hear, and who comes and goes"""
    async with Example(folder, "chat") as example, connect(example.uri) as anna:
        await anna.expect(TEXT, "path came")
        async with connect(example.uri) as other:
            await anna.expect(TEXT, "path came")
            await other.expect(TEXT, "path came")
            await other.send(TEXT, "hello")
            await anna.expect(TEXT, "path: hello")
            await other.expect(TEXT, "path: hello")
            await other.close()
        await anna.expect(TEXT, "path went")


async def reconnecting_client(folder):
    """reconnecting_client: comes back when it is dropped, and ends at a Close with 1000"""
    dropped = []

    async def handler(peer):
        await peer.expect(TEXT, "subscribe")
        await peer.send(TEXT, f"welcome {len(dropped)}")
        if len(dropped) < 2:
            dropped.append(peer)  # its end follows, without a Close
        else:
            await peer.close()

    async def accept_many(peer):
        await handler(peer)

    async with serving_many(accept_many) as uri, Process(os.path.join(folder, "reconnecting_client"), uri) as client:
        status, out, _ = await client.end()
    expect(status, 0, "exit status")
    lines = [re.sub(r"connected to .*", "connected", line) for line in out.decode().splitlines()]
    lost = ["disconnected with 1006"]
    once = lambda number: ["connected", f"welcome {number}"]  # noqa: E731
    expect(lines, once(0) + lost + once(1) + lost + once(2) + ["disconnected with 1000"], "what it prints")


async def own_loop(folder):
    """own_loop: the daemon's timer and the server share a loop; SIGTERM closes with 1001, and ev_run returns"""
    async with Example(folder, "own_loop") as example:
        async with connect(example.uri) as peer:
            expect_match(r"\d+ s", (await peer.receive())[1].decode())
            await peer.send(TEXT, "hello")
            while (message := await peer.receive()) != (TEXT, b"hello"):
                expect_match(r"\d+ s", message[1].decode())
            example.signal(signal.SIGTERM)
            while (message := await peer.receive())[0] == TEXT:
                pass
            expect(message, (CLOSE, (1001).to_bytes(2, "big")), "end")
            await peer.send(*message)
        status, out, _ = await example.end()
        expect(status, 0, "exit status")
        expect_match(r"ended after \d+ s\n", out.decode())


async def async_authorization(folder):
    """async_authorization: who is known is let in, later; others get 403"""
    async with Example(folder, "async_authorization") as example:
        async with connect(example.uri) as peer:  # asks for ?query
            expect(peer.head[0], "HTTP/1.1 403 Forbidden", "status line")
        async with Process(os.path.join(folder, "reconnecting_client"), example.uri + "?anna") as client:
            expect(re.sub(rb" to .*", b"", await client.stdout.readline()), b"connected\n", "client")
            expect(await client.stdout.readline(), b"hello anna\n", "greeting")


async def backpressure(folder):
    """backpressure: what waits is bounded in both directions, and nothing is lost"""
    async with Example(folder, "backpressure") as example:
        async with connect(example.uri) as peer:
            for number in range(200):
                await peer.send(TEXT, f"job {number}")
            for number in range(200):
                _, text = await peer.receive()
                done, _, most = text.decode().partition(" done, most waiting: ")
                expect(done, f"job {number}", "job")
                expect(int(most) <= 8, True, f"at most 8 jobs wait, not {most}")
    async with Example(folder, "backpressure") as example, connect_to(example.uri, "/pour") as peer:
        for _ in range(1000):
            opcode, payload = await peer.receive()
            expect((opcode, len(payload)), (BINARY, 65536), "piece")
        _, text = await peer.receive()
        most = int(text.decode().removeprefix("most buffered: "))
        expect(0 < most < (1 << 20) + 3 * 65536, True, f"about a MiB was buffered, not {most}")


async def file_stream(folder):
    """file_stream: 20 MiB arrive as they are, then Close; a file that is not there is 1011"""
    content = random.Random(1).randbytes(20 << 20)
    with tempfile.TemporaryDirectory() as files:
        path = pathlib.Path(files) / "file"
        path.write_bytes(content)
        async with Example(folder, "file_stream", str(path)) as example:
            async with connect(example.uri) as peer:
                received = []
                while (message := await peer.receive())[0] == BINARY:
                    received.append(message[1])
            expect(b"".join(received) == content, True, "same bytes")
            expect(message, (CLOSE, (1000).to_bytes(2, "big")), "end")
            path.unlink()
            async with connect(example.uri) as peer:
                await peer.expect_close(1011, "cannot open the file")


async def threads(folder):
    """threads: connections are shared out among the threads; SIGTERM ends all"""
    async with Example(folder, "threads", "4") as example:
        answers = set()
        for _ in range(100):
            async with connect(example.uri) as peer:
                await peer.send(TEXT, "who?")
                answers.add((await peer.receive())[1])
        expect(answers <= {b"0", b"1", b"2", b"3"} and len(answers) > 1, True, f"several of four threads answer: {answers}")
        example.signal(signal.SIGTERM)
        expect((await example.end())[0], 0, "exit status")


# As systemd starts a service: the socket is descriptor 3, and the environment says whose it is.
LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


async def socket_activation(folder):
    """socket_activation: serves on the socket that it was handed, whose first client was there before"""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        uri = "ws://{}:{}/".format(*listening.getsockname())
        arguments = ["-c", LAUNCH, str(listening.fileno()), os.path.join(folder, "socket_activation")]
        early = asyncio.create_task(echo_once(uri))
        async with Process(sys.executable, *arguments, pass_fds=(listening.fileno(),)) as example:
            expect((await example.stdout.readline()).decode(), "listening on " + uri[5:-1] + "\n", "where")
            await early
            await echo_once(uri)
    async with Process(os.path.join(folder, "socket_activation")) as example:
        expect((await example.end())[0], 2, "exit status without a socket")


async def echo_once(uri):
    async with connect(uri) as peer:
        await peer.send(TEXT, "hello")
        await peer.expect(TEXT, "hello")
        await peer.close()


async def proxy(folder):
    """proxy: messages pass both ways, and a Close with its status and reason"""
    async with serving(echo_until_close) as (uri, done), Example(folder, "proxy", uri) as example:
        async with connect(example.uri) as peer:
            for opcode, payload in ((TEXT, b"hello"), (BINARY, bytes(100000))):
                await peer.send(opcode, payload)
                await peer.expect(opcode, payload)
            expect(await peer.close(4001, "enough"), 4001, "status of the answer")
        expect(await done, (4001, "enough"), "what arrived")


async def proxy_half_close(folder):
    """proxy: a half that is closed without a Close is closed on the other side, and the other half goes on"""

    async def handler(peer):
        await peer.expect(TEXT, "last words")
        await peer.expect_end()
        await peer.send(TEXT, "answered behind the end")

    async with serving(handler) as (uri, done), Example(folder, "proxy", uri) as example, connect(example.uri) as peer:
        await peer.send(TEXT, "last words")
        peer.writer.write_eof()
        await peer.expect(TEXT, "answered behind the end")
        await peer.expect_end()
        await done


async def proxy_no_upstream(folder):
    """proxy: a client whose upstream cannot be reached gets 1014"""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with Example(folder, "proxy", f"ws://127.0.0.1:{port}/") as example, connect(example.uri) as peer:
        await peer.expect_close(1014)


CASES = [
    echo_server,
    chat,
    reconnecting_client,
    own_loop,
    async_authorization,
    backpressure,
    file_stream,
    threads,
    socket_activation,
    proxy,
    proxy_half_close,
    proxy_no_upstream,
]
if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, sys.argv[1])))
