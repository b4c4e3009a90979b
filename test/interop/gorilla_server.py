#!/usr/bin/env python3
"""gorilla/websocket as a server for the hawser command: gorilla_server.py HAWSER SERVER"""

import asyncio
import sys

from harness import CASE_SECONDS, run, start
from server_cases import CASES


async def main(hawser, server):
    async with start(server) as process:
        uri = await asyncio.wait_for(process.stdout.readline(), CASE_SECONDS)
        return await run(CASES, hawser, uri.decode().strip())


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
