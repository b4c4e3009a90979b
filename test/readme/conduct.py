"""What each program of README and guide does, as its page says. Ports and files are the pages' no longer: a test binds no port that
is fixed, and reads nothing of /etc."""

import asyncio
import os
import pathlib
import shutil
import socket
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import certificates  # noqa: E402
from programs import expect_relays, expect_stops  # noqa: E402
from peer import BINARY, TEXT, Process, connect, expect, expect_match, serving  # noqa: E402

PORT, FILES = "9001", "/etc/hawser"
CHECKS = {}


def check(page, heading, number=1):
    """Of the example with a main that is the `number`th below the heading."""

    def add(function):
        CHECKS[page, heading, number] = function
        return function

    return add


class Trial:
    """A program made of an example, and a port for it that nobody else is given: it is bound, and not listened on."""

    def __init__(self, example, folder):
        self.example, self.folder = example, folder
        self.program = folder / f"{example.page}_{example.heading.replace(' ', '_')}_{example.number}"
        self.bound = socket.socket()
        self.bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bound.bind(("127.0.0.1", 0))
        port = self.bound.getsockname()[1]
        self.uri = f"ws://127.0.0.1:{port}/"
        self.code = example.code.replace(PORT, str(port)).replace(FILES, str(folder))

    async def expect_output(self, handler, output):
        """The program is a client of handler(peer), prints this, and ends."""
        async with serving(handler, bound=self.bound) as (_, done), Process(self.program) as process:
            expect(await process.end(), (0, output.encode(), ""), "exit status and output")
            await done


class Serving(Process):
    """The program, from when it listens on."""

    def __init__(self, trial):
        self.listens, told = os.pipe()
        super().__init__(trial.program, env={**os.environ, "LISTENING": str(told)}, pass_fds=[told])
        self.told = told

    async def __aenter__(self):
        await super().__aenter__()
        os.close(self.told)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        self.pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(self.listens, "rb"))
        expect(await reader.readline(), b"\n", "word of its listening")
        return self

    async def __aexit__(self, *_):
        await super().__aexit__(*_)
        self.pipe.close()


@check("README", "A server")
@check("getting_started", "A server")
async def echoes(trial):
    async with Serving(trial) as process:
        async with connect(trial.uri) as peer:
            for text in ("hello", "again"):
                await peer.send(TEXT, text)
                await peer.expect(TEXT, text)
            expect(await peer.close(), 1000, "close status")
        await expect_stops(process)


async def answer_hello(peer):
    await peer.expect(TEXT, "hello")
    await peer.send(TEXT, "good day")
    await peer.expect_close(1000)


@check("README", "A client", 1)
@check("getting_started", "A client")
async def prints_the_answer(trial):
    await trial.expect_output(answer_hello, "good day\n")


@check("README", "A client", 2)
async def closes_when_answered(trial):
    await trial.expect_output(answer_hello, "done\n")


@check("README", "In your loop")
async def relays(trial):
    await expect_relays(trial.program)


@check("README", "Backpressure")
async def delivers_all(trial):
    async with Serving(trial) as process:
        async with connect(trial.uri) as peer:
            for _ in range(10_000):
                await peer.expect(BINARY, b"x" * 16 * 1024)
        await expect_stops(process)


@check("README", "Middlewares")
async def answers_in_capitals(trial):
    async with Serving(trial) as process:
        async with connect(trial.uri, "Origin: https://example.com") as peer:
            await peer.send(TEXT, "Hello, world")
            await peer.expect(TEXT, "HELLO, WORLD")
        async with connect(trial.uri, "Origin: https://elsewhere.example") as peer:
            expect(peer.head[0], "HTTP/1.1 403 Forbidden", "status line")
        await expect_stops(process)


@check("README", "TLS")
async def names_version_and_cipher(trial):
    shutil.copy(certificates.certificate("server"), trial.folder / "chain.pem")
    shutil.copy(certificates.key("server"), trial.folder / "key.pem")
    shutil.copy(certificates.certificate("root"), trial.folder / "our-ca.pem")
    async with Process(trial.program) as process:
        expect_match(r"TLSv1\.[23] TLS[-1][-_A-Z0-9]+\n", (await process.stdout.readline()).decode())
        await expect_stops(process)


@check("README", "Compression")
async def compresses_what_is_long(trial):
    async with Serving(trial) as process:
        async with connect(trial.uri, "Sec-WebSocket-Extensions: permessage-deflate") as peer:
            expect_match(r"permessage-deflate;.*server_no_context_takeover.*", peer.header("Sec-WebSocket-Extensions"))
            long, short = b"hello " * 200, b"hello " * 100
            for text, is_compressed in ((long, True), (short, False), (long, True)):
                await peer.send(TEXT, text)
                fin, opcode, payload = await peer.frame()
                expect((fin, opcode, peer.rsv1), (True, TEXT, is_compressed), "frame")
                expect(zlib.decompressobj(-15).decompress(payload) if is_compressed else payload, text, "content")
        await expect_stops(process)
