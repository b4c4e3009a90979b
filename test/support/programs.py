"""Programs of the pages, run as their reader would."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from peer import TEXT, Process, connect, expect  # noqa: E402


async def expect_stops(process):
    """It runs until a signal ends it, and has nothing to complain of."""
    expect(process.process.returncode, None, "exit status before it was to end")
    process.signal(signal.SIGTERM)
    errors = await process.stderr.read()
    expect((await process.process.wait(), errors.decode()), (-signal.SIGTERM, ""), "how it ends")


async def expect_relays(program, **streams):
    """README's program with a loop of its own: says where it listens, and sends what one says to all."""
    async with Process(program, **streams) as process:
        uri = "ws://" + (await process.stdout.readline()).decode().removeprefix("listening on ").rstrip("\n")
        async with connect(uri) as one, connect(uri) as other:
            await one.send(TEXT, "hello")
            for peer in (one, other):
                await peer.expect(TEXT, "hello")
        await expect_stops(process)
