#!/usr/bin/env python3
"""An echo server of python3-websockets."""

import asyncio
import logging

import websockets


async def echo(connection, _path=None):
    async for message in connection:
        await connection.send(message)


async def main():
    logging.disable(logging.CRITICAL)
    options = {"compression": None, "max_size": None, "ping_interval": None, "write_limit": 4 * 1024 * 1024, "backlog": 4096}
    async with websockets.serve(echo, "127.0.0.1", 0, **options) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Future()


asyncio.run(main())
