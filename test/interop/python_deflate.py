#!/usr/bin/env python3
"""permessage-deflate between the hawser command and Debian's python3-websockets, in both roles: python_deflate.py HAWSER"""

import asyncio
import itertools
import random
import sys

import websockets.legacy.client
import websockets.legacy.server
from harness import Serve, command, expect, run
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

random.seed(7692)
CONTENTS = ["", "short", "grüße, 世界 🎉 " * 500, "x" * 1_000_000, random.randbytes(5000), b"\0" * 100_000] + [
    " ".join(random.choice(("one", "two", "three")) for _ in range(length)) for length in (30, 300, 3000)
]
FLAGS = (False, True)
WINDOWS = (None, 9, 12, 15)
SETS = (
    [],
    ["server_no_context_takeover", "client_no_context_takeover"],
    ["server_max_window_bits=9", "client_max_window_bits=9", "memory_level=1", "level=9", "threshold=0"],
    ["server_max_window_bits=15", "client_max_window_bits=15", "memory_level=9", "level=1"],
)


def options_of(parameters):
    return ["--deflate"] + [argument for parameter in parameters for argument in ("--deflate-option", parameter)]


async def exchange(socket):
    for content in CONTENTS:
        await socket.send(content)
        expect(await socket.recv(), content, "echo")


def agreed(socket):
    return [str(extension) for extension in socket.extensions]


async def every_offer(hawser):
    """serve: every offer that the client can make carries messages both ways, whatever the server is set to"""
    for parameters in SETS:
        async with Serve(hawser, *options_of(parameters)) as serve:
            for alone_there, alone_here, there, here in itertools.product(FLAGS, FLAGS, WINDOWS, (*WINDOWS, True)):
                offer = ClientPerMessageDeflateFactory(alone_there, alone_here, there, here)
                async with websockets.legacy.client.connect(serve.uri, compression=None, extensions=[offer], max_size=None) as socket:
                    expect(len(agreed(socket)), 1, f"extensions for {offer.get_request_params()} and {parameters}")
                    await exchange(socket)


async def window_of_8(hawser):
    """serve: an offer of a server's window of 8 bits is declined"""
    async with Serve(hawser, "--deflate") as serve:
        offer = ClientPerMessageDeflateFactory(server_max_window_bits=8)
        async with websockets.legacy.client.connect(serve.uri, compression=None, extensions=[offer]) as socket:
            expect(agreed(socket), [], "extensions")
            await socket.send("x" * 1000)
            expect(await socket.recv(), "x" * 1000, "echo")


async def not_wanted(hawser):
    """serve: without --deflate nothing is agreed on"""
    async with Serve(hawser) as serve, websockets.legacy.client.connect(serve.uri) as socket:
        expect(agreed(socket), [], "extensions")


async def bomb(hawser):
    """serve: a message that inflates to more than the bound is closed with 1009"""
    async with Serve(hawser, "--deflate", "--max-message", "1M") as serve, websockets.legacy.client.connect(serve.uri) as socket:
        await socket.send(b"\0" * (1 << 20))
        await socket.recv()
        await socket.send(b"\0" * (100 << 20))
        await socket.wait_closed()
        expect(socket.close_code, 1009, "close status")


async def every_answer(hawser):
    """echo: every answer that the server can give carries messages both ways, whatever the client is set to"""
    for parameters in SETS:
        for alone_here, alone_there, here, there in itertools.product(FLAGS, FLAGS, (None, 9, 15), (None, 10, 15)):
            done = asyncio.get_running_loop().create_future()

            async def handler(socket, done=done):
                try:
                    await exchange(socket)
                    done.set_result(agreed(socket))
                except Exception as error:  # belongs to the case, not to the server
                    done.set_exception(error)

            answer = ServerPerMessageDeflateFactory(alone_here, alone_there, here, there)
            serving = websockets.legacy.server.serve(handler, "127.0.0.1", 0, compression=None, extensions=[answer], max_size=None)
            async with serving as server:
                uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
                status, _, err = await command(hawser, "echo", uri, *options_of(parameters))
                what = f"for {(alone_here, alone_there, here, there)} and {parameters}"
                expect(len(await done), 1, f"extensions {what}")
                expect(status, 0, f"exit status {what} ({err.strip()})")


CASES = [every_offer, window_of_8, not_wanted, bomb, every_answer]

if __name__ == "__main__":
    sys.exit(asyncio.run(run(CASES, *sys.argv[1:])))
