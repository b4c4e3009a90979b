#!/usr/bin/env python3
"""Debian's python3-websockets as an echo server or client for `hawser check`: python_echo.py serve|URL

As a client it connects again and again until that is refused.
"""

import asyncio
import logging
import sys

import websockets
import websockets.legacy.client
import websockets.legacy.server

# What goes wrong is the checker's to tell.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass


async def serve():
    async with websockets.legacy.server.serve(echo, "127.0.0.1", 0, ping_interval=None) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Future()


async def call(url):
    async def again_and_again():
        while True:
            try:
                async with websockets.legacy.client.connect(url, ping_interval=None, open_timeout=5) as socket:
                    await echo(socket)
            except ConnectionRefusedError:
                return
            except (OSError, EOFError, asyncio.TimeoutError, websockets.WebSocketException):
                pass

    await asyncio.gather(*(again_and_again() for _ in range(16)))


asyncio.run(serve() if sys.argv[1] == "serve" else call(sys.argv[1]))
