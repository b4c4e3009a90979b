#!/usr/bin/env python3
"""Debian's python3-websockets as a client of `hawser serve`: python_client.py HAWSER"""

import asyncio
import sys

import websockets
import websockets.legacy.client
from harness import Serve, expect, run
from websockets.frames import Opcode

MEBIBYTE = 1024 * 1024
TEXT = "grüße, 世界 🎉"


def connect(serve, **options):
    return websockets.legacy.client.connect(serve.uri, ssl=serve.tls, max_size=None, ping_interval=None, **options)


async def expect_echo(socket, content):
    await socket.send(content)
    expect(await socket.recv(), content, "echo")


async def expect_end(socket, code):
    """The connection ends with this close status; returns what arrived before."""
    received = []
    try:
        while True:
            received.append(await socket.recv())
    except websockets.ConnectionClosed as closed:
        expect(closed.rcvd.code if closed.rcvd else 1006, code, "close status")
    return received


async def text(serve):
    """text is echoed, an empty one too"""
    async with connect(serve) as socket:
        for content in (TEXT, "", "x" * 125, "x" * 126, "x" * 65535, "x" * 65536):
            await expect_echo(socket, content)


async def binary(serve):
    """binary is echoed, an empty one too"""
    async with connect(serve) as socket:
        for content in (bytes(range(256)), b"", b"\0" * 65536):
            await expect_echo(socket, content)


async def mebibyte(serve):
    """a message of 1 MiB is echoed, as text and as binary"""
    async with connect(serve) as socket:
        await expect_echo(socket, "é" * (MEBIBYTE // 2))
        await expect_echo(socket, bytes(range(256)) * (MEBIBYTE // 256))


async def fragments(serve):
    """fragments are put together"""
    async with connect(serve) as socket:
        for parts in (["a", "", "b", TEXT], [b"\xff" * 70000, b"", b"\0"], ["x"] * 1000):
            await socket.send(parts)
            expect(await socket.recv(), type(parts[0])().join(parts), "echo of fragments")


async def ping_between_fragments(serve):
    """a ping between two fragments is answered before the message is complete"""
    async with connect(serve) as socket:

        async def parts():
            yield "first "
            await (await socket.ping(b"between"))
            yield "second"

        await socket.send(parts())
        expect(await socket.recv(), "first second", "echo")


async def ping(serve):
    """a ping is answered with its content, a pong that nobody asked for is ignored"""
    async with connect(serve) as socket:
        for content in (b"", b"hello", bytes(range(125))):
            await (await socket.ping(content))
        await socket.pong(b"unasked")
        await expect_echo(socket, "still there")


async def server_ping(serve):
    """the server's ping leaves the connection usable"""
    async with connect(serve) as socket:
        await socket.send("@ping")
        await expect_echo(socket, "still there")


async def subprotocol(serve):
    """the first offered subprotocol that the server has is agreed on"""
    for offered, agreed in ((["chat"], "chat"), (["other", "superchat", "chat"], "superchat"), (["other"], None), (None, None)):
        async with connect(serve, subprotocols=offered) as socket:
            expect(socket.subprotocol, agreed, f"subprotocol of {offered}")
            await expect_echo(socket, "hello")


async def client_close(serve):
    """a close from the client is answered with its status"""
    for code, reason in ((1000, ""), (1000, "bye"), (1001, "leaving"), (3000, TEXT), (4999, "r" * 123)):
        socket = await connect(serve)
        await socket.close(code, reason)
        expect(socket.close_code, code, "close status")
        expect(socket.close_rcvd_then_sent, False, "the server closed first")


async def server_close(serve):
    """a close from the server arrives with its status"""
    async with connect(serve) as socket:
        await socket.send("@close")
        expect(await expect_end(socket, 1000), [], "messages before the close")


async def server_disconnect(serve):
    """the server drops the connection without a close"""
    async with connect(serve) as socket:
        await socket.send("@disconnect")
        await expect_end(socket, 1006)


async def server_close_all(serve):
    """a close for all connections reaches each of them"""
    sockets = [await connect(serve) for _ in range(5)]
    await sockets[0].send("@server-close")
    for socket in sockets:
        expect(await expect_end(socket, 1000), [], "messages before the close")


async def half_close(serve):
    """what was sent before the client's FIN is still answered, in full"""
    for content in ("last words", "x" * MEBIBYTE):
        async with connect(serve) as socket:
            await socket.send(content)
            socket.transport.write_eof()
            expect(await expect_end(socket, 1006), [content], "messages after the FIN")


async def broken_frames(serve):
    """broken frames are closed with the status that RFC 6455 has for them"""
    broken = (
        (1007, [(True, Opcode.TEXT, b"\xff")]),
        (1002, [(True, Opcode.CONT, b"nothing to continue")]),
        (1002, [(False, Opcode.TEXT, b"unfinished"), (True, Opcode.TEXT, b"another")]),
    )
    for code, frames in broken:
        async with connect(serve) as socket:
            for frame in frames:
                await socket.write_frame(*frame)
            await expect_end(socket, code)


async def many(serve):
    """fifty clients at once get their own messages back"""

    async def one(number):
        async with connect(serve) as socket:
            for i in range(20):
                await expect_echo(socket, f"{number}: {i}")

    await asyncio.gather(*(one(number) for number in range(50)))


async def shutdown(serve):
    """SIGTERM closes open connections with 1001 and ends the server with exit status 0"""
    sockets = [await connect(serve) for _ in range(10)]
    status = asyncio.create_task(serve.stop())
    for socket in sockets:
        expect(await expect_end(socket, 1001), [], "messages before the close")
    expect(await status, 0, "exit status")


CASES = [
    text,
    binary,
    mebibyte,
    fragments,
    ping_between_fragments,
    ping,
    server_ping,
    subprotocol,
    client_close,
    server_close,
    server_disconnect,
    server_close_all,
    half_close,
    broken_frames,
    many,
    shutdown,
]


async def main(hawser):
    async with Serve(hawser) as serve:
        return await run(CASES, serve)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
