#!/usr/bin/env python3
"""`hawser send` and `echo`, and what all clients share: client_test.py HAWSER"""

import asyncio
import os
import re
import sys
import tempfile

from peer import BINARY, CLOSE, PING, PONG, TEXT, Serve, echo_until_close, execute, expect, expect_match, run, serving


async def send_messages(hawser):
    """send: messages and pings go out in their order and form, replies are printed"""
    seen = []

    async def handler(peer):
        while (message := await peer.receive())[0] != CLOSE:
            seen.append(message)
            await peer.send(PONG if message[0] == PING else message[0], message[1])
        await peer.send(*message)

    arguments = ["one", "[1,2]", "", "--binary", "two", "--ping", "[are you there]", "--text", "three", "--ping", "--text", "--", "--four"]
    async with serving(handler) as (uri, done):
        status, out, err = await execute(hawser, "send", uri, *arguments)
        await done
    expected = [(TEXT, b"one"), (TEXT, b"[1,2]"), (TEXT, b""), (BINARY, b"two"), (PING, b"[are you there]"), (TEXT, b"three"), (PING, b"")]
    expect(seen, [*expected, (TEXT, b"--four")], "messages")
    dump = "00000000   74 77 6f                                          |two|"
    expect(out.decode().split("\n"), ["one", "[1,2]", "", dump, "three", "--four", ""], "replies")
    pong = r'sent ping "{0}", received pong "{0}" in \d+\.\d\d ms\n'
    expect_match(pong.format(r"\[are you there\]") + pong.format(""), err)
    expect(status, 0, "exit status")


async def send_verbose(hawser):
    """send --verbose: shows each round trip with its time, and the close"""
    async with Serve(hawser) as serve:
        status, out, err = await execute(hawser, "send", "--verbose", serve.address, "hello", "--binary", "x")
    expect((status, out.decode().splitlines()[0]), (0, "hello"), "exit status and output")
    time = r"in \d+\.\d\d ms\n"
    expect_match(
        rf"connected to {serve.address} at 127\.0\.0\.1:\d+ {time}sent text \(5 bytes\), received text \(5 bytes\) {time}"
        rf"sent binary \(1 byte\), received binary \(1 byte\) {time}closed with 1000 {time}",
        err,
    )


async def lists_before_messages(hawser):
    """send: what may be given several times takes one value each time, and leaves the messages behind it alone"""
    lists = {"--context": "ssl.verify_depth=3", "--header": "X: y", "--subprotocol": "chat", "--deflate-option": "level=1"}
    async with Serve(hawser) as serve:
        for name, value in lists.items():
            status, out, err = await execute(hawser, "send", serve.address, name, value, "hello")
            expect((status, out), (0, b"hello\n"), f"{name}: {err}")


async def send_wait(hawser):
    """send --wait: a reply that does not come in time is a failure; with 0 nothing is waited for"""

    async def silent(peer):
        expect(await peer.receive(), (TEXT, b"hello"), "message")
        await peer.expect_close(1000)

    async with serving(silent) as (uri, done):
        status, out, err = await execute(hawser, "send", uri, "hello", "never sent", "--wait", "0.1")
        await done
        expect((status, out), (1, b""), "exit status and output")
        expect_match(rf"hawser: {uri}: no reply to message 1 within 0\.1 s \(.*--wait.*\)\n", err)

    async def late(peer):
        messages = [await peer.receive() for _ in range(3)]
        expect(messages.pop()[0], CLOSE, "last message")
        for message in messages:
            await peer.send(*message)
        await peer.send(CLOSE, b"\x03\xe8")

    async with serving(late) as (uri, done):
        expect(await execute(hawser, "send", uri, "one", "two", "--wait", "0"), (0, b"one\ntwo\n", ""), "end")
        await done


async def send_without_reply(hawser):
    """send: a server that closes, or goes away, instead of a reply is a failure"""

    async def close(peer):
        await peer.receive()
        await peer.close(1000)

    async def leave(peer):
        await peer.receive()

    for handler, error in ((close, "no reply to message 1: the connection was closed"), (leave, "without a Close frame (1006)")):
        async with serving(handler) as (uri, done):
            status, out, err = await execute(hawser, "send", uri, "hello")
            await done
            expect((status, out), (1, b""), "exit status and output")
            expect_match(rf"hawser: {uri}: .*{re.escape(error)}\n", err)


async def send_not_utf8(hawser):
    """send: text that is not UTF-8 is refused, and as binary it is sent"""
    async with Serve(hawser) as serve:
        status, out, err = await execute(hawser, "send", serve.address, b"\xff")
        expect((status, out), (1, b""), "exit status and output")
        expect("not UTF-8" in err, True, err)
        expect((await execute(hawser, "send", serve.address, "--binary", b"\xff"))[0], 0, "exit status")


async def handshake_fields(hawser):
    """--header and --subprotocol are in the request of each client"""
    fields = ["--header", "X-One: 1", "--header", "X-Two:two", "--subprotocol", "chat", "--subprotocol", "superchat"]
    for command in (["connect"], ["echo"], ["send"]):

        async def handler(peer):
            await peer.close()
            return [peer.header(name) for name in ("X-One", "X-Two", "Sec-WebSocket-Protocol")]

        async with serving(handler, fields=["Sec-WebSocket-Protocol: superchat"]) as (uri, done):
            message = ["hello"] if command == ["send"] else []
            await execute(hawser, *command, *fields, uri, *message)
            expect(await done, ["1", "two", "chat, superchat"], "fields of " + command[0])


async def deflate(hawser):
    """--deflate: each client offers compression as its options say, and only then"""
    default = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12, "
    default += "permessage-deflate; server_no_context_takeover; client_max_window_bits, permessage-deflate"
    alone = ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=15", "client_max_window_bits=15"]
    for command in ("connect", "echo", "send"):
        for options, offered in (
            ([], None),
            (["--deflate"], default),
            (
                [argument for parameter in alone for argument in ("--deflate-option", parameter)],
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate",
            ),
        ):

            async def handler(peer):
                await peer.close()
                return peer.header("Sec-WebSocket-Extensions")

            async with serving(handler) as (uri, done):
                await execute(hawser, command, *options, uri, *(["hello"] if command == "send" else []))
                expect(await done, offered, f"extensions of {command} with {options}")


async def unix(hawser):
    """--unix: each client connects to the path"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        async with Serve(hawser, "--unix", path, "--commands"):
            expect(await execute(hawser, "send", "ws://localhost/", "--unix", path, "hello"), (0, b"hello\n", ""), "end of send")
            result = await execute(hawser, "connect", "ws://localhost/", "--unix", path, stdin=b"hello\n")
            expect(result, (0, b"hello\n", ""), "end of connect")
        async with serving(lambda peer: peer.close(), path) as (uri, done):
            expect(await execute(hawser, "echo", uri, "--unix", path), (0, b"", ""), "end of echo")
            expect(await done, 1000, "close status")


async def refused(hawser):
    """a refused connection, or handshake, ends with exit status 1 and says where and why"""
    async with serving(echo_until_close) as (uri, _):
        pass
    where = uri.removeprefix("ws://").removesuffix("/")
    for command in (["send", uri, "hello"], ["connect", uri], ["echo", uri]):
        expect(await execute(hawser, *command), (1, b"", f"hawser: cannot connect to {where}: Connection refused\n"), "end")
    async with serving(None, answer="HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (uri, _):
        status, out, err = await execute(hawser, "echo", uri)
        expect((status, out), (1, b""), "exit status and output")
        expect_match(r"hawser: 127\.0\.0\.1:\d+: .*403 Forbidden\n", err)


async def redirect_refused(hawser):
    """a redirect that cannot be followed ends with exit status 1 and says whose it was, and why"""
    answer = "HTTP/1.1 302 Found\r\nLocation: ftp://a.example/\r\nContent-Length: 0\r\n\r\n"
    for command in (["send", "hello"], ["echo"], ["connect"]):
        async with serving(None, answer=answer) as (uri, _):
            status, out, err = await execute(hawser, command[0], uri, *command[1:], "--context", "http.follow_location=true")
        expect((status, out), (1, b""), "exit status and output")
        expect_match(r'hawser: 127\.0\.0\.1:\d+: the redirect by 302 is not followed: bad URI "ftp://a\.example/": .*\n', err)


async def timeout(hawser):
    """--timeout: bounds the handshake, and the wait for the Close"""
    async with serving(None, answer="") as (uri, _):
        status, _, err = await execute(hawser, "echo", uri, "--timeout", "0.1")
        expect((status, "handshake" in err), (1, True), "end: " + err)

    async def silent(peer):
        while await peer.receive() is not None:
            pass

    async with serving(silent) as (uri, _):
        status, _, err = await execute(hawser, "connect", uri, "--timeout", "0.1")
        expect((status, "no Close came in answer" in err), (1, True), "end: " + err)


async def echo(hawser):
    """echo: sends back what comes in, and ends as the server closes"""
    for code, reason, expected in ((1000, "", 0), (1000, "bye", 0), (1011, "out of\norder", 1), (4001, "", 1)):

        async def handler(peer, code=code, reason=reason):
            for message in ((TEXT, b"hello"), (BINARY, bytes(range(256))), (TEXT, b"")):
                await peer.send(*message)
                await peer.expect(*message)
            expect(await peer.close(code, reason), code, "close status")

        async with serving(handler) as (uri, done):
            status, out, err = await execute(hawser, "echo", uri)
            await done
            error = f"hawser: {uri}: the server closed with {code}" + (": out of\\x0aorder" if reason else "") + "\n"
            expect((status, out, err), (expected, b"", error if expected else ""), "end")


async def usage(hawser):
    """wrong usage ends with exit status 2 and one line that names what is wrong"""
    uri = "ws://127.0.0.1:1/"
    wrong = [
        ([], "subcommand"),
        (["nothing"], "nothing"),
        (["serve", "--nothing"], "--nothing"),
        (["serve", "--port", "65536"], "--port"),
        (["serve", "--port", "-1"], "--port"),
        (["serve", "--timeout", "-1"], "--timeout"),
        (["serve", "--timeout", "nan"], "--timeout"),
        (["serve", "--frame-size", "0"], "--frame-size"),
        (["serve", "--max-message", "0"], "--max-message"),
        (["serve", "--max-message", "1X"], "--max-message"),
        (["serve", "--max-message", "1025G"], "--max-message"),
        (["serve", "--max-connections", "-1"], "--max-connections"),
        (["serve", "--subprotocol", "a b"], "--subprotocol"),
        (["serve", "--deflate-option", "server_max_window_bits=8"], "9 to 15"),
        (["connect", uri, "--deflate-option", "level=10"], "level"),
        (["echo", uri, "--deflate-option", "nothing"], "nothing"),
        (["connect"], "URL"),
        (["connect", "http://127.0.0.1/"], "http"),
        (["connect", uri, "--close", "1005"], "1005"),
        (["connect", uri, "--close", "1000:" + "x" * 124], "123 bytes"),
        (["connect", uri, "--header", "no colon"], "no colon"),
        (["connect", uri, "--header", "a b: c"], '"a b"'),
        (["connect", uri, "--ping", "x" * 126], "125 bytes"),
        (["echo", "ws://host:port/"], "port"),
        (["echo", uri, "--subprotocol", ""], "--subprotocol"),
        (["echo", uri, "extra"], "extra"),
        (["send", uri], "MESSAGE"),
        (["send", uri, "hello", "--wait", "x"], "--wait"),
        (["send", uri, "--ping", "x" * 126], "125 bytes"),
    ]
    for arguments, named in wrong:
        status, out, err = await execute(hawser, *arguments)
        expect((status, out), (2, b""), f"exit status and output of {arguments}")
        expect_match(rf"hawser: [^\n]*{re.escape(named)}[^\n]*\n", err)


async def help_and_version(hawser):
    """--help and --version are answered on standard output, with exit status 0"""
    status, out, err = await execute(hawser, "--version")
    expect((status, err), (0, ""), "exit status and errors of --version")
    expect_match(r"hawser \d+\.\d+\.\d+", out.decode().splitlines()[0])
    for command in ([], ["serve"], ["connect"], ["echo"], ["send"], ["check"], ["bench"]):
        status, out, err = await execute(hawser, *command, "--help")
        expect((status, b"Usage: hawser" in out, err), (0, True, ""), f"help of {command}")


CASES = [
    send_messages,
    send_verbose,
    lists_before_messages,
    send_wait,
    send_without_reply,
    send_not_utf8,
    handshake_fields,
    deflate,
    unix,
    refused,
    redirect_refused,
    timeout,
    echo,
    usage,
    help_and_version,
]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
