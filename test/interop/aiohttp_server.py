#!/usr/bin/env python3
"""Debian's python3-aiohttp as a server for the hawser command: aiohttp_server.py HAWSER"""

import asyncio
import sys

from aiohttp import WSMsgType, web
from harness import run
from server_cases import CASES


def echo(**options):
    async def handler(request):
        socket = web.WebSocketResponse(**options)
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    return handler


async def moved(request):
    raise web.HTTPFound("/chat")


async def refused(request):
    response = web.StreamResponse(status=403)
    response.enable_chunked_encoding()
    await response.prepare(request)
    for part in (b"no to", b"ken"):
        await response.write(part)
    await response.write_eof()
    return response


async def main(hawser):
    application = web.Application()
    application.add_routes(
        [
            web.get("/chat", echo(protocols=["v2.chat"], compress=False)),
            web.get("/deflate", echo(compress=True)),
            web.get("/moved", moved),
            web.get("/refused", refused),
        ]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    try:
        return await run(CASES, hawser, f"ws://{host}:{port}/")
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
