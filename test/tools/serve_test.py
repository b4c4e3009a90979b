#!/usr/bin/env python3
"""`hawser serve`, each of its options: serve_test.py HAWSER"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile

from peer import BINARY, CLOSE, PING, TEXT, Serve, connect, duplicate, execute, expect, fill, open_socket, request, run


async def echo(hawser):
    """serve: text and binary are echoed, and standard output has its one line"""
    async with Serve(hawser) as serve:
        async with connect(serve.address) as peer:
            for opcode, payload in ((TEXT, b"hello"), (BINARY, bytes(range(256))), (TEXT, b""), (BINARY, b"x" * 100000)):
                await peer.send(opcode, payload)
                await peer.expect(opcode, payload)
            await peer.send(TEXT, "@close")
            await peer.expect(TEXT, "@close")
            expect(await peer.close(), 1000, "close status")
        serve.signal(signal.SIGTERM)
        expect(await serve.end(), (0, b"", ""), "end")


async def unix(hawser):
    """serve --unix: listens on the path, and removes it at the end; a path in use is an error"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        async with Serve(hawser, "--unix", path) as serve:
            expect(serve.address, "unix:" + path, "address")
            async with connect(serve.address) as peer:
                await peer.send(TEXT, "hello")
                await peer.expect(TEXT, "hello")
            status, out, err = await execute(hawser, "serve", "--unix", path)
            expect((status, out), (1, b""), "exit status and output")
            expect(err, f"hawser: cannot listen on unix:{path}: Address already in use (choose another with --unix)\n", "error")
            serve.signal(signal.SIGINT)
            expect(await serve.end(), (0, b"", ""), "end")
        expect(os.path.exists(path), False, "the socket is left")


async def port_in_use(hawser):
    """serve: a port in use is an error that names it and says what to do"""
    async with Serve(hawser) as serve:
        port = serve.address.rstrip("/").rpartition(":")[2]
        error = f"hawser: cannot listen on 127.0.0.1:{port}: Address already in use (choose another with --port, or 0 for any)\n"
        expect(await execute(hawser, "serve", "--port", port), (1, b"", error), "end")


async def host(hawser):
    """serve --host: the address it listens on; one that cannot be is an error"""
    async with Serve(hawser, "--host", "127.0.0.2") as serve:
        expect(serve.address.startswith("ws://127.0.0.2:"), True, serve.address)
        async with connect(serve.address) as peer:
            await peer.send(TEXT, "hello")
            await peer.expect(TEXT, "hello")
    status, out, err = await execute(hawser, "serve", "--host", "192.0.2.1", "--port", "0")
    expect((status, out), (1, b""), "exit status and output")
    expect("cannot listen on 192.0.2.1:0" in err, True, err)


async def commands_for_connection(hawser):
    """serve --commands: @close @ping @disconnect @info"""
    async with Serve(hawser, "--commands", "--timeout", "7", "--frame-size", "1K") as serve:
        async with connect(serve.address) as peer:
            await peer.send(TEXT, "@ping")
            await peer.expect(PING, "")
            await peer.send(BINARY, "@close")
            await peer.expect(BINARY, "@close")
            await peer.send(TEXT, "@info")
            opcode, info = await peer.receive()
            expect(opcode, TEXT, "kind of message")
            for part in ("Connection info", "/path?query", "101", "Timeout:     7s", "Frame size:  1024b", serve.address[5:-1]):
                expect(part in info.decode(), True, part + " in " + info.decode())
            await peer.send(TEXT, "@close")
            await peer.expect_close(1000)
        async with connect(serve.address) as peer:
            await peer.send(TEXT, "@disconnect")
            await peer.expect_end()


async def commands_for_server(hawser):
    """serve --commands: @server-info @server-ping @server-close reach every connection"""
    async with Serve(hawser, "--commands") as serve, connect(serve.address) as one, connect(serve.address) as other:
        await one.send(TEXT, "@server-info")
        info = (await one.receive())[1].decode()
        for part in ("Server info", "Running:     true", "Connections: 2", "Scheme:      ws"):
            expect(part in info, True, part + " in " + info)
        await one.send(TEXT, "@server-ping")
        for peer in (one, other):
            await peer.expect(PING, "")
        await one.send(TEXT, "@server-close")
        for peer in (one, other):
            await peer.expect_close(1000)
        # The server goes on.
        async with connect(serve.address) as another:
            await another.send(TEXT, "hello")
            await another.expect(TEXT, "hello")


async def commands_that_end(hawser):
    """serve --commands: @server-stop and @server-disconnect end the command with exit status 0"""
    for command in ("@server-stop", "@server-disconnect"):
        async with Serve(hawser, "--commands") as serve, connect(serve.address) as one, connect(serve.address) as other:
            await one.send(TEXT, command)
            for peer in (one, other):
                await peer.expect_end()
            expect(await serve.end(), (0, b"", ""), "end after " + command)


async def commands_of_strangers(hawser):
    """serve --commands: a page of another origin commands its own connection alone, unless it is --commands=all"""
    for arguments, fields, obeyed in (
        (["--commands"], [], True),
        (["--commands"], ["Origin: http://x"], True),
        (["--commands"], ["Origin: http://X:80"], False),
        (["--commands"], ["Origin: https://x"], False),
        (["--commands"], ["Origin: null"], False),
        (["--commands"], ["Origin: http://x", "Origin: http://y"], False),
        (["--commands"], ["Origin: http://evil.example"], False),
        (["--commands=all"], ["Origin: http://evil.example"], True),
        ([], [], False),
    ):
        async with Serve(hawser, *arguments) as serve, connect(serve.address, *fields) as peer:
            await peer.send(TEXT, "@server-info")
            expect((await peer.receive())[1] != b"@server-info", obeyed, f"{arguments} {fields}")
            await peer.send(TEXT, "@ping")
            await peer.expect(*((PING, "") if arguments else (TEXT, "@ping")))
    status, out, err = await execute(hawser, "serve", "--commands=any")
    expect((status, out), (2, b""), "exit status and output")
    expect("all" in err, True, err)


async def broadcast(hawser):
    """serve --broadcast: each message goes to every connection"""
    async with Serve(hawser, "--broadcast") as serve, contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connect(serve.address)) for _ in range(3)]
        for number, peer in enumerate(peers):
            await peer.send(TEXT, f"message {number}")
            for other in peers:
                await other.expect(TEXT, f"message {number}")


async def subprotocols(hawser):
    """serve --subprotocol: the first offered one that it has is agreed on"""
    async with Serve(hawser, "--subprotocol", "chat", "--subprotocol", "superchat") as serve:
        for offer, agreed in (("other, superchat, chat", "superchat"), ("chat", "chat"), ("other", None)):
            async with connect(serve.address, "Sec-WebSocket-Protocol: " + offer) as peer:
                expect(peer.header("Sec-WebSocket-Protocol"), agreed, "subprotocol")


async def deflate(hawser):
    """serve --deflate: compression is agreed on as its options say, and only then"""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    for options, agreed in (
        ([], None),
        (["--deflate"], "permessage-deflate; client_max_window_bits=12"),
        (["--deflate-option", "client_max_window_bits=9"], "permessage-deflate; client_max_window_bits=9"),
        (
            ["--deflate", "--deflate-option", "server_no_context_takeover", "--deflate-option", "client_max_window_bits=15"],
            "permessage-deflate; server_no_context_takeover",
        ),
    ):
        async with Serve(hawser, *options) as serve, connect(serve.address, offer) as peer:
            expect(peer.header("Sec-WebSocket-Extensions"), agreed, f"extensions with {options}")


async def max_message(hawser):
    """serve --max-message: a longer message is closed with 1009"""
    async with Serve(hawser, "--max-message", "1K") as serve, connect(serve.address) as peer:
        for size in (1023, 1024):
            await peer.send(TEXT, "x" * size)
            await peer.expect(TEXT, "x" * size)
        await peer.send(TEXT, "x" * 1025)
        await peer.expect_close(1009)


async def frame_size(hawser):
    """serve --frame-size: longer messages are sent in fragments"""
    async with Serve(hawser, "--frame-size", "3") as serve, connect(serve.address) as peer:
        await peer.send(TEXT, "1234567")
        frames = [await peer.frame() for _ in range(3)]
        expect(frames, [(False, TEXT, b"123"), (False, 0, b"456"), (True, 0, b"7")], "frames")


async def max_connections(hawser):
    """serve --max-connections: one more is answered with 503, until one has gone"""
    async with Serve(hawser, "--max-connections", "1") as serve:
        async with connect(serve.address) as peer:
            async with connect(serve.address) as refused:
                expect(refused.head[0].split()[1], "503", "status")
                expect(refused.header("Retry-After") is not None, True, "Retry-After is there")
            expect(await peer.close(), 1000, "close status")
            await peer.expect_end()
        async with connect(serve.address) as peer:
            await peer.send(TEXT, "hello")
            await peer.expect(TEXT, "hello")


async def timeout(hawser):
    """serve --timeout: a handshake that is not completed is dropped"""
    async with Serve(hawser, "--timeout", "0.1") as serve:
        reader, writer = await open_socket(serve.address)
        writer.write(b"GET / HT")
        expect(await reader.read(), b"", "answer")
        writer.close()


async def verbose(hawser):
    """serve --verbose: tells on standard error what happens"""
    async with Serve(hawser, "--verbose") as serve:
        async with connect(serve.address) as peer:
            await peer.send(TEXT, "hello")
            await peer.expect(TEXT, "hello")
            await peer.close()
            await peer.expect_end()
        serve.signal(signal.SIGTERM)
        status, out, err = await serve.end()
        expect((status, out), (0, b""), "exit status and output")
        for part in ("info: listening", "info: connected", "debug: received", "kind=text", "info: disconnected"):
            expect(part in err, True, part + " in " + err)


async def interrupt(hawser):
    """serve: SIGINT and SIGTERM close every connection with 1001, and the command ends with exit status 0"""
    for number, count in ((signal.SIGINT, 1000), (signal.SIGTERM, 20)):
        async with Serve(hawser) as serve, contextlib.AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(connect(serve.address)) for _ in range(count)]
            serve.signal(number)
            for peer in peers:
                await peer.expect_close(1001)
                await peer.expect_end()
            expect(await serve.end(), (0, b"", ""), "end")


async def second_interrupt(hawser):
    """serve: a second signal drops connections that do not answer the Close"""
    async with Serve(hawser) as serve, contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connect(serve.address)) for _ in range(3)]
        serve.signal(signal.SIGINT)
        for peer in peers:
            expect((await peer.receive())[0], CLOSE, "kind of message")
        serve.signal(signal.SIGINT)
        for peer in peers:
            await peer.expect_end()
        expect(await serve.end(), (0, b"", ""), "end")


async def page(hawser):
    """serve: GET / answers with a page, HEAD with its head, other paths with 404, POST with 405"""
    async with Serve(hawser) as serve:
        status, head, body = await request(serve.address, "GET", "/?query")
        expect(status, 200, "status")
        expect("Content-Type: text/html; charset=utf-8" in head, True, f"content type in {head}")
        expect(body.startswith(b"<!DOCTYPE html>") and body.endswith(b"</html>\n") and b"new WebSocket" in body, True, "it is the page")
        expect(b"src=" in body or b"https://" in body, False, "the page loads something")
        expect(await request(serve.address, "HEAD", "/?query"), (200, head, b""), "answer to HEAD")
        expect((await request(serve.address, "GET", "/favicon.ico"))[0], 404, "status of another path")
        expect((await request(serve.address, "HEAD", "/other"))[2], b"", "body of another path's HEAD")
        expect((await request(serve.address, "POST", "/"))[0], 405, "status of POST")


async def health_check(hawser):
    """serve: OPTIONS is answered with 200 and what may be asked, HTTP/1.0 as HTTP/1.1, without a Host too"""
    async with Serve(hawser) as serve:
        for target in ("/", "*", "/other"):
            status, head, body = await request(serve.address, "OPTIONS", target)
            expect((status, body), (200, b""), "answer to OPTIONS " + target)
            expect("Allow: GET, HEAD, OPTIONS" in head, True, f"Allow in {head}")
        for line, status in (("OPTIONS /", b"200"), ("GET /", b"200"), ("GET /other", b"404"), ("POST /", b"405")):
            reader, writer = await open_socket(serve.address)
            writer.write(line.encode() + b" HTTP/1.0\r\n\r\n")
            expect((await reader.read()).split()[1], status, "status of " + line)
            writer.close()


async def backpressure(hawser):
    """serve: a peer that does not read is not read from, and loses nothing"""
    async with Serve(hawser, "--max-message", "64K") as serve, connect(serve.address) as peer:
        payload = b"x" * 60000
        frame = bytes([0x80 | BINARY, 0x80 | 126]) + len(payload).to_bytes(2, "big") + bytes(4) + payload
        peer.writer.transport.pause_reading()
        with duplicate(peer) as raw:
            count, rest = await asyncio.to_thread(fill, raw.fileno(), frame)
        peer.writer.transport.resume_reading()
        peer.writer.write(rest)
        for _ in range(count):
            expect((await peer.receive()) == (BINARY, payload), True, "message comes back")
        expect(await peer.close(), 1000, "close status")


CASES = [
    echo,
    unix,
    port_in_use,
    host,
    commands_for_connection,
    commands_for_server,
    commands_that_end,
    commands_of_strangers,
    broadcast,
    subprotocols,
    deflate,
    max_message,
    frame_size,
    max_connections,
    timeout,
    verbose,
    interrupt,
    second_interrupt,
    page,
    health_check,
    backpressure,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
