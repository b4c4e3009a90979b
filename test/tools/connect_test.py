#!/usr/bin/env python3
"""`hawser connect`, each of its options: connect_test.py HAWSER"""

import asyncio
import os
import pty
import random
import signal
import sys

from peer import BINARY, CLOSE, PING, PONG, TEXT, Process, Serve
from peer import duplicate, echo_until_close, execute, expect, expect_match, fill, run, serving

MEBIBYTE = 1024 * 1024


async def lines(hawser):
    """connect: each line is a text message, the last one without its end too, and answers are lines"""
    async with serving(echo_until_close) as (uri, done):
        result = await execute(hawser, "connect", uri, stdin="one\n\nzwölf\r\nlast".encode())
        expect(result, (0, "one\n\nzwölf\r\nlast\n".encode(), ""), "end")
        expect(await done, (1000, ""), "close")


async def many_lines(hawser):
    """connect: a MiB of lines comes back as it was, short ones and long ones"""
    source = random.Random(1)
    text = b"".join(b"%x" % source.getrandbits(4 * length) + b"\n" for length in [1] * 50000 + [70] * 10000 + [MEBIBYTE])
    async with Serve(hawser) as serve:
        status, out, err = await execute(hawser, "connect", serve.address, stdin=text)
    expect((status, out == text, err), (0, True, ""), "exit status, same text, error")


async def binary(hawser):
    """connect --binary: bytes pass as they are"""
    data = random.Random(2).randbytes(MEBIBYTE)
    async with Serve(hawser) as serve:
        status, out, err = await execute(hawser, "connect", "--binary", serve.address, stdin=data)
    expect((status, out == data, err), (0, True, ""), "exit status, same bytes, error")
    async with serving(echo_until_close) as (uri, _):
        expect(await execute(hawser, "connect", "--binary", uri, stdin=b"a\n\0"), (0, b"a\n\0", ""), "end")


async def hex_dump(hawser):
    """connect: a binary message is printed as a hex dump"""

    async def handler(peer):
        await peer.send(BINARY, bytes(range(0x38, 0x49)))
        await peer.close()

    async with serving(handler) as (uri, done), Process(hawser, "connect", uri) as process:
        expected = (
            "00000000   38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  |89:;<=>?@ABCDEFG|\n"
            "00000010   48                                                |H|\n"
        )
        expect((await process.stdout.read()).decode(), expected, "dump")
        await done


async def empty_input(hawser):
    """connect: an empty input closes at once, and what the server says until then is printed"""

    async def handler(peer):
        message = await peer.receive()
        expect(message[0], CLOSE, "kind of message")
        await peer.send(TEXT, "last words")
        await peer.send(*message)

    async with serving(handler) as (uri, done):
        expect(await execute(hawser, "connect", uri), (0, b"last words\n", ""), "end")
        await done


async def close(hawser):
    """connect --close: status and reason of the Close at the end of the input"""
    for option, expected in (("4001", (4001, "")), ("1000:bye", (1000, "bye")), ("3000:a:b", (3000, "a:b"))):
        async with serving(echo_until_close) as (uri, done):
            expect(await execute(hawser, "connect", uri, "--close", option), (0, b"", ""), "end")
            expect(await done, expected, "close")


async def ping(hawser):
    """connect --ping: sends a ping first, and shows the pong"""
    for arguments, content in ((["--ping"], ""), (["--ping", "hello"], "hello")):

        async def handler(peer, content=content):
            await peer.expect(PING, content)
            await peer.send(PONG, content)
            await peer.expect_close(1000)

        async with serving(handler) as (uri, done):
            status, out, err = await execute(hawser, "connect", uri, *arguments)
            await done
            expect((status, out), (0, b""), "exit status and output")
            expect_match(rf'pong "{content}" after \d+\.\d\d ms\n', err)


async def stdin_backpressure(hawser):
    """connect: no more is read from a pipe than a server takes that does not read, and nothing is lost"""
    full = asyncio.Event()

    async def handler(peer):
        await full.wait()
        received = b""
        count = 0
        while (message := await peer.receive())[0] == TEXT:
            count += 1
            received = message[1]
            expect(received[:10], b"x" * 10, "line")
        await peer.send(*message)
        return count, received

    line = b"x" * 999 + b"\n"
    reader, writer = os.pipe()
    async with serving(handler) as (uri, done), Process(hawser, "connect", uri, stdin=reader) as process:
        os.close(reader)
        count, rest = await asyncio.to_thread(fill, writer, line)
        full.set()
        os.set_blocking(writer, True)
        await asyncio.to_thread(os.write, writer, rest)
        os.close(writer)
        expect(await process.end(), (0, b"", ""), "end")
        expect(await done, (count, line[:-1]), "number of lines, and the last one")


async def broken_output(hawser):
    """connect: when the reader of standard output goes, the command ends quietly"""
    reader, writer = os.pipe()

    async def handler(peer):
        while (message := await peer.receive())[0] != CLOSE:
            await peer.send(*message)
        await peer.send(*message)
        return int.from_bytes(message[1][:2], "big")

    async with serving(handler) as (uri, done), Process(hawser, "connect", uri, stdout=writer) as process:
        os.close(writer)
        process.stdin.write(b"hello\n")
        with open(reader, "rb", buffering=0) as pipe:
            expect(await asyncio.to_thread(pipe.read, 6), b"hello\n", "output")
        process.stdin.write(b"for nobody\n")
        expect(await done, 1001, "close status")
        expect((await process.process.wait(), await process.stderr.read()), (0, b""), "exit status and errors")


async def full_output(hawser):
    """connect: a failure to write standard output is an error"""
    with open("/dev/full", "wb") as full:
        async with Serve(hawser) as serve, Process(hawser, "connect", serve.address, stdout=full) as process:
            status, _, err = await process.end(b"hello\n")
    expect((status, err), (1, "hawser: cannot write to standard output: No space left on device\n"), "end")


async def stdout_backpressure(hawser):
    """connect: while standard output is not read, no more is received than fits, and nothing is lost"""
    full = asyncio.Event()

    async def handler(peer):
        with duplicate(peer) as raw:
            count, rest = await asyncio.to_thread(fill, raw.fileno(), bytes([0x80 | TEXT, 126, 0x27, 0x0F]) + b"x" * 9999)
        full.set()
        peer.writer.write(rest)
        expect(await peer.close(), 1000, "close status")
        return count

    reader, writer = os.pipe()
    async with serving(handler) as (uri, done), Process(hawser, "connect", uri, stdout=writer) as process:
        os.close(writer)
        await full.wait()
        with open(reader, "rb") as pipe:
            out = await asyncio.to_thread(pipe.read)
        expect((len(out), set(out.split(b"\n"))), (await done * 10000, {b"x" * 9999, b""}), "output")
        expect(await process.end(), (0, None, ""), "end")


async def max_message(hawser):
    """--max-message: a longer message from the server is closed with 1009, a longer line is refused"""

    async def handler(peer):
        await peer.send(TEXT, "12345")
        await peer.send(TEXT, "123456")
        await peer.expect_close(1009)

    async with serving(handler) as (uri, done), Process(hawser, "connect", uri, "--max-message", "5") as process:
        await done
        expect(await process.stdout.read(), b"12345\n", "output")
        expect(await process.process.wait(), 1, "exit status")
        expect_match(r"hawser: 127\.0\.0\.1:\d+: .*\n", (await process.stderr.read()).decode())

    async with serving(echo_until_close) as (uri, _):
        status, out, err = await execute(hawser, "connect", uri, "--max-message", "5", stdin=b"12345\n123456\n")
        expect((status, err), (1, "hawser: a line of standard input is longer than 5 bytes (raise --max-message)\n"), "end")


async def interrupt(hawser):
    """SIGINT and SIGTERM close a client's connection with 1000; a second signal drops it"""

    async def polite(peer):
        await peer.send(TEXT, "hello")
        await peer.expect_close(1000)

    async def silent(peer):
        await peer.send(TEXT, "hello")
        expect((await peer.receive())[0], CLOSE, "kind of message")
        closing.set()
        await peer.expect_end()

    for number in (signal.SIGINT, signal.SIGTERM):
        async with serving(polite) as (uri, done), Process(hawser, "connect", uri) as process:
            await process.stdout.readline()
            process.signal(number)
            await done
            expect(await process.end(), (0, b"", ""), "end")
        closing = asyncio.Event()
        async with serving(silent) as (uri, done), Process(hawser, "connect", uri) as process:
            await process.stdout.readline()
            process.signal(number)
            await closing.wait()
            process.signal(number)
            await done
            expect(await process.end(), (1, b"", ""), "end")


async def read_terminal(descriptor, until):
    """What a terminal shows, up to and including these characters."""
    shown = b""
    while not shown.endswith(until.encode()):
        shown += await asyncio.to_thread(os.read, descriptor, 4096)
    return shown.decode()


async def terminal(hawser):
    """connect: on a terminal there is a prompt, and a message cannot steer the terminal"""

    async def handler(peer):
        await peer.expect(TEXT, "hello")
        await peer.send(TEXT, "\x1b[2Jcolour\tless\u009b2J\u202e")
        await peer.expect_close(1000)

    user, screen = pty.openpty()
    async with serving(handler) as (uri, done), Process(hawser, "connect", uri, stdin=screen, stdout=screen) as process:
        os.close(screen)
        expect(await read_terminal(user, "> "), "> ", "prompt")
        os.write(user, b"hello\n")
        shown = await read_terminal(user, "xae\r\n> ")
        expect(shown.startswith("hello\r\n"), True, shown)
        expect(shown.endswith("\r\x1b[K\\x1b[2Jcolour\tless\\xc2\\x9b2J\\xe2\\x80\\xae\r\n> "), True, shown)
        os.write(user, b"\x04")
        await done
        expect(await process.process.wait(), 0, "exit status")
    os.close(user)


CASES = [
    lines,
    many_lines,
    binary,
    hex_dump,
    empty_input,
    close,
    ping,
    stdin_backpressure,
    broken_output,
    full_output,
    stdout_backpressure,
    max_message,
    interrupt,
    terminal,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
