"""What the servers of other libraries show with the hawser command as their client.

Each serves these paths: /chat echoes, and knows the subprotocol v2.chat; /deflate echoes, and compresses; /moved redirects to /chat;
/refused answers 403 with "no token" in chunks, and keeps the connection.
"""

import asyncio
import urllib.parse

from harness import command, expect

TEXT = "grüße, 世界 🎉"
# A refusal is told when it has come: sooner than any time-out ends the wait for more.
SOON = 5


def expect_part(part, text):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r:.1000}")


async def send(hawser, uri, path, messages, *options):
    """`hawser send --verbose`, whose messages come back; returns what it said on standard error."""
    status, out, err = await command(hawser, "send", urllib.parse.urljoin(uri, path), *messages, "--verbose", *options)
    expect(status, 0, f"exit status ({err.strip()})")
    expect(out.splitlines(), messages, "replies")
    return err


async def subprotocol(hawser, uri):
    """send: a subprotocol is agreed on that is not the first that is offered"""
    err = await send(hawser, uri, "/chat", [TEXT, "x" * 65536], "--subprotocol", "v1.chat", "--subprotocol", "v2.chat")
    expect_part("subprotocol v2.chat", err)


async def redirect(hawser, uri):
    """send: a redirect is followed"""
    err = await send(hawser, uri, "/moved", ["hello"], "--context", "http.follow_location=true")
    expect_part("connected to " + urllib.parse.urljoin(uri, "/chat"), err)


async def chunked_refusal(hawser, uri):
    """send: a refusal in chunks, on a connection that is kept, is told at once"""
    status, _, err = await asyncio.wait_for(command(hawser, "send", urllib.parse.urljoin(uri, "/refused"), "hello"), SOON)
    expect(status, 1, "exit status")
    expect_part("403", err)


async def deflate(hawser, uri):
    """send: compression is agreed on, and messages pass both ways, whatever the client is set to"""
    messages = [TEXT * 100, "x" * 60000, "short", " ".join(str(number) for number in range(5000))]
    for parameters in (
        [],
        ["server_max_window_bits=9", "client_max_window_bits=9", "threshold=0"],
        ["server_max_window_bits=15", "client_max_window_bits=15"],
        ["server_no_context_takeover", "client_no_context_takeover"],
    ):
        options = [argument for parameter in parameters for argument in ("--deflate-option", parameter)]
        err = await send(hawser, uri, "/deflate", messages, "--deflate", *options)
        expect_part("extension permessage-deflate", err)


CASES = [subprotocol, redirect, chunked_refusal, deflate]
