"""A WebSocket peer that does no more than it is told, for both roles, and the hawser command as a process."""

import asyncio
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import select
import socket
import struct
import sys
import urllib.parse

for folder in ("interop", "support"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / folder))
from harness import expect, run  # noqa: E402, F401

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
STREAM_LIMIT = 1 << 25


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


def expect_match(pattern, text):
    """The whole text matches the pattern."""
    if not re.fullmatch(pattern, text, re.DOTALL):
        raise AssertionError(f"{text!r:.300} does not match {pattern!r}")


class Peer:
    """One end of a connection whose handshake is complete. Masks what it sends if it is the client."""

    def __init__(self, reader, writer, is_client, head):
        self.reader, self.writer, self.is_client, self.head = reader, writer, is_client, head
        self.rsv1 = False

    def header(self, name):
        """The values of a field, as one list, or None."""
        values = [line.partition(":")[2].strip() for line in self.head if line.lower().startswith(name.lower() + ":")]
        return ", ".join(values) if values else None

    async def send(self, opcode, payload=b"", fin=True):
        payload = payload.encode() if isinstance(payload, str) else payload
        mask_bit = 0x80 if self.is_client else 0
        frame = bytes([(0x80 if fin else 0) | opcode])
        if len(payload) < 126:
            frame += bytes([mask_bit | len(payload)])
        elif len(payload) < 65536:
            frame += struct.pack("!BH", mask_bit | 126, len(payload))
        else:
            frame += struct.pack("!BQ", mask_bit | 127, len(payload))
        # A mask of zeros changes nothing, and is as good as any for a peer that is trusted.
        self.writer.write(frame + (bytes(4) if self.is_client else b"") + payload)
        await self.writer.drain()

    async def frame(self):
        """The next frame as (fin, opcode, payload), or None at the end; `rsv1` is that bit of it."""
        try:
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            mask = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
            payload = await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self.rsv1 = bool(first & 0x40)
        key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return first >= 0x80, first & 15, (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")

    async def receive(self):
        """The next message as (opcode, payload), or None at the end."""
        kind, parts = None, []
        while (frame := await self.frame()) is not None:
            fin, opcode, payload = frame
            if opcode >= CLOSE:
                return opcode, payload
            kind = kind or opcode
            parts.append(payload)
            if fin:
                return kind, b"".join(parts)
        return None

    async def expect(self, opcode, payload):
        payload = payload.encode() if isinstance(payload, str) else payload
        expect(await self.receive(), (opcode, payload), "message")

    async def expect_close(self, code, reason=None):
        """A Close with this status comes next, and is answered."""
        message = await self.receive()
        expect(message and message[0], CLOSE, "kind of message")
        expect(int.from_bytes(message[1][:2], "big"), code, "close status")
        if reason is not None:
            expect(message[1][2:].decode(), reason, "close reason")
        await self.send(CLOSE, message[1])

    async def expect_end(self):
        expect(await self.receive(), None, "message instead of the end")

    async def close(self, code=1000, reason=""):
        """Sends Close, and waits for the answer; returns its status."""
        await self.send(CLOSE, struct.pack("!H", code) + reason.encode())
        while (message := await self.receive()) is not None and message[0] != CLOSE:
            pass
        return message and int.from_bytes(message[1][:2], "big")

    async def shut(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def echo_until_close(peer):
    """Echoes; returns the status and reason of the client's Close, or None if none came."""
    while (message := await peer.receive()) is not None:
        await peer.send(PONG if message[0] == PING else message[0], message[1])
        if message[0] == CLOSE:
            return int.from_bytes(message[1][:2], "big"), message[1][2:].decode()
    return None


async def read_head(reader):
    return (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]


async def open_socket(address, tls=None):
    """`tls`: Python's context, for wss."""
    if address.startswith("unix:"):
        return await asyncio.open_unix_connection(address.removeprefix("unix:"), limit=STREAM_LIMIT)
    uri = urllib.parse.urlsplit(address)
    return await asyncio.open_connection(uri.hostname, uri.port, limit=STREAM_LIMIT, ssl=tls)


async def request(address, method, target, tls=None):
    """A plain HTTP request; returns status, head and body."""
    reader, writer = await open_socket(address, tls)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await read_head(reader)
    body = await reader.read()
    writer.close()
    return int(head[0].split()[1]), head, body


@contextlib.asynccontextmanager
async def connect(address, *fields, tls=None):
    """A client of `hawser serve`; `fields` are added to its request."""
    reader, writer = await open_socket(address, tls)
    key = base64.b64encode(os.urandom(16))
    lines = ["GET /path?query HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    writer.write("\r\n".join([*lines, "Sec-WebSocket-Key: " + key.decode(), *fields, "", ""]).encode())
    peer = Peer(reader, writer, True, await read_head(reader))
    try:
        if "101" in peer.head[0]:
            expect(peer.header("Sec-WebSocket-Accept"), accept_key(key), "Sec-WebSocket-Accept")
        yield peer
    finally:
        await peer.shut()


@contextlib.asynccontextmanager
async def serving(handler, path=None, fields=(), answer=None, tls=None, count=1, bound=None):
    """Serves clients with handler(peer): gives the URI, and a future of what the handler returns for the first `count`
    clients, a list unless that is one. With `answer`, that is sent instead of the handshake, and the handler never called;
    an empty one is no answer at all. `bound`: the socket to listen on."""
    done = asyncio.get_running_loop().create_future()
    results = []

    async def accept(reader, writer):
        try:
            peer = Peer(reader, writer, False, await read_head(reader))
        except asyncio.IncompleteReadError:  # the client did not stay
            return writer.close()
        try:
            if answer is None:
                key = accept_key(peer.header("Sec-WebSocket-Key").encode())
                lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + key]
                writer.write("\r\n".join([*lines, *fields, "", ""]).encode())
                results.append(await handler(peer))
                if len(results) == count and not done.done():
                    done.set_result(results[0] if count == 1 else results)
            elif answer:
                writer.write(answer.encode())
            else:
                await reader.read()
        except Exception as error:  # belongs to the case that waits for it
            if not done.done():
                done.set_exception(error)
        finally:
            await peer.shut()

    if path:
        start = asyncio.start_unix_server(accept, path)
    else:
        start = asyncio.start_server(accept, sock=bound or socket.create_server(("127.0.0.1", 0)), ssl=tls)
    async with await start as server:
        name = "localhost" if path else "{}:{}".format(*server.sockets[0].getsockname())
        yield f"{'wss' if tls else 'ws'}://{name}/", done


def duplicate(peer):
    """The peer's socket, to be used past its stream."""
    return socket.socket(fileno=os.dup(peer.writer.get_extra_info("socket").fileno()))


def fill(descriptor, piece, seconds=0.5, limit=1 << 26):
    """Writes pieces until the descriptor has taken nothing for so long; returns how many, and the rest of the last."""
    os.set_blocking(descriptor, False)
    for count in range(1, limit // len(piece)):
        rest = piece
        while rest:
            if not select.select([], [descriptor], [], seconds)[1]:
                return count, rest
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(descriptor, rest) :]
    raise AssertionError(f"{limit} bytes were taken")


class Process:
    """The command, for the time of an `async with`."""

    def __init__(self, hawser, *arguments, **streams):
        self.arguments = [hawser, *arguments]
        self.streams = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE, **streams}

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(*self.arguments, limit=STREAM_LIMIT, **self.streams)
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    async def end(self, stdin=None):
        """Waits for its end; returns exit status, standard output and standard error."""
        out, err = await self.process.communicate(stdin)
        return self.process.returncode, out, (err or b"").decode()


class Serve(Process):
    """`hawser serve` on a free port, or with --unix."""

    def __init__(self, hawser, *options):
        where = [] if "--unix" in options else ["--port", "0"]
        super().__init__(hawser, "serve", *where, *options)

    async def __aenter__(self):
        await super().__aenter__()
        line = await self.stdout.readline()
        self.address = line.decode().removeprefix("listening on ").rstrip("\n")
        return self


async def execute(hawser, *arguments, stdin=b""):
    """Runs the command to its end; returns exit status, standard output and standard error."""
    async with Process(hawser, *arguments) as process:
        return await process.end(stdin)
