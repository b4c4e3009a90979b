#!/usr/bin/env python3
"""Debian's python3-websockets as a server for the hawser command: python_server.py HAWSER"""

import asyncio
import contextlib
import http
import sys

import websockets
import websockets.legacy.server
from harness import command, expect, run, start

MEBIBYTE = 1024 * 1024
TEXT = "grüße, 世界 🎉"


@contextlib.asynccontextmanager
async def serving(handler, **options):
    """Serves one client with `handler`; gives the URI, and a function that waits for the handler's end."""
    done = asyncio.get_running_loop().create_future()

    async def handle(socket):
        try:
            done.set_result(await handler(socket))
        except Exception as error:  # belongs to the case, not to the server
            done.set_exception(error)
            raise

    async with websockets.legacy.server.serve(handle, "127.0.0.1", 0, max_size=None, ping_interval=None, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'wss' if 'ssl' in options else 'ws'}://127.0.0.1:{port}/path?query=1", lambda: asyncio.wait_for(done, 10)


async def echo(socket):
    """Echoes until the client closes; returns the close status and reason."""
    try:
        while True:
            await socket.send(await socket.recv())
    except websockets.ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


async def expect_echo(socket, content):
    await socket.send(content)
    expected = content if isinstance(content, (str, bytes)) else type(content[0])().join(content)
    expect(await socket.recv(), expected, "echo")


async def run_echo(hawser, handler, status, **options):
    """`hawser echo` against `handler`; it ends with this exit status. Returns what it said on standard error."""
    async with serving(handler, **options) as (uri, done):
        result, _, err = await command(hawser, "echo", uri)
        await done()
        expect(result, status, f"exit status ({err.strip()})")
        return err


async def send_text(hawser):
    """send: every message arrives, the replies are printed, the close is clean"""
    messages = ["hello", TEXT, "third"]
    async with serving(echo) as (uri, done):
        status, out, err = await command(hawser, "send", uri, *messages)
        expect(status, 0, f"exit status ({err.strip()})")
        expect(out.splitlines(), messages, "replies")
        expect(await done(), (1000, ""), "close of the client")


async def connect_lines(hawser):
    """connect: lines from a pipe become messages, and answers are printed when they come"""
    async with serving(echo) as (uri, done):
        async with start(hawser, "connect", uri) as process:
            for line in ("first", TEXT, "x" * 60000):
                process.stdin.write(line.encode() + b"\n")
                expect(await process.stdout.readline(), line.encode() + b"\n", "answer")
            process.stdin.close()
            expect(await process.wait(), 0, "exit status")
        expect(await done(), (1000, ""), "close of the client")


async def connect_close(hawser):
    """connect: a ping, and a close with another status and reason"""
    async with serving(echo) as (uri, done):
        status, _, err = await command(hawser, "connect", uri, "--ping=are you there", "--close", f"4001:{TEXT}")
        expect(status, 0, f"exit status ({err.strip()})")
        expect("are you there" in err, True, "the pong is on standard error")
        expect(await done(), (4001, TEXT), "close of the client")


async def connect_request(hawser):
    """connect: header and subprotocol are in the request, the path too"""

    async def handler(socket):
        seen = (socket.path, socket.request_headers.get("X-Color"), socket.subprotocol)
        await echo(socket)
        return seen

    async with serving(handler, subprotocols=["chat"]) as (uri, done):
        status, _, err = await command(hawser, "connect", uri, "--header", "X-Color: blue", "--subprotocol", "chat")
        expect(status, 0, f"exit status ({err.strip()})")
        expect(await done(), ("/path?query=1", "blue", "chat"), "request")


async def echo_messages(hawser):
    """echo: text and binary of every length class come back"""

    async def handler(socket):
        for content in (TEXT, "", bytes(range(256)), b"", "x" * 125, "x" * 126, "x" * 65535, "x" * 65536):
            await expect_echo(socket, content)

    await run_echo(hawser, handler, 0)


async def echo_mebibyte(hawser):
    """echo: 1 MiB of text and of binary come back"""

    async def handler(socket):
        await expect_echo(socket, "é" * (MEBIBYTE // 2))
        await expect_echo(socket, bytes(range(256)) * (MEBIBYTE // 256))

    await run_echo(hawser, handler, 0)


async def echo_fragments(hawser):
    """echo: fragments are put together"""

    async def handler(socket):
        for parts in (["a", "", "b", TEXT], [b"\xff" * 70000, b"", b"\0"], ["x"] * 1000):
            await expect_echo(socket, parts)

    await run_echo(hawser, handler, 0)


async def echo_ping(hawser):
    """echo: pings are answered, between fragments too"""

    async def handler(socket):
        for content in (b"", b"hello", bytes(range(125))):
            await (await socket.ping(content))

        async def parts():
            yield "first "
            await (await socket.ping(b"between"))
            yield "second"

        await socket.send(parts())
        expect(await socket.recv(), "first second", "echo")

    await run_echo(hawser, handler, 0)


async def server_close(hawser):
    """echo: a close is answered with its status; only 1000 ends with exit status 0"""
    for code, reason, status in ((1000, "done", 0), (1001, "leaving", 1), (1011, "", 1), (4999, TEXT, 1)):

        async def handler(socket, code=code, reason=reason):
            await socket.close(code, reason)
            expect(socket.close_code, code, "answered status")

        err = await run_echo(hawser, handler, status)
        if status and str(code) not in err:
            raise AssertionError(f"standard error does not name {code}: {err!r}")


async def half_close(hawser):
    """echo: what was sent before the server's FIN is still answered, and the end is a failure"""

    async def handler(socket):
        await socket.send("x" * MEBIBYTE)
        socket.transport.write_eof()
        expect(await socket.recv(), "x" * MEBIBYTE, "answer after the FIN")

    await run_echo(hawser, handler, 1)


async def refused(hawser):
    """send: a refused handshake names its status"""

    async def refuse(path, headers):
        return http.HTTPStatus.FORBIDDEN, [("X-Why", "closed today")], b"closed today\n"

    async with serving(echo, process_request=refuse) as (uri, _):
        status, _, err = await command(hawser, "send", uri, "hello")
        expect(status, 1, "exit status")
        if "403" not in err:
            raise AssertionError(f"standard error does not name 403: {err!r}")


CASES = [
    send_text,
    connect_lines,
    connect_close,
    connect_request,
    echo_messages,
    echo_mebibyte,
    echo_fragments,
    echo_ping,
    server_close,
    half_close,
    refused,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
