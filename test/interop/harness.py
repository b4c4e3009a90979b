"""What the Python scripts share: cases that run in order and are reported in TAP, and the hawser command as a process."""

import asyncio
import contextlib
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))  # has certificates too
from tap import Tap  # noqa: E402

CASE_SECONDS = 60
ALL_SECONDS = 240


def expect(actual, expected, what):
    """Fails the case unless both are equal; long values are shortened."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r:.200} instead of {expected!r:.200}")


async def run(cases, *arguments):
    """Runs each case, an async function whose docstring names it; returns the exit status."""
    tap = Tap()
    end = time.monotonic() + ALL_SECONDS
    for case in cases:
        try:
            await asyncio.wait_for(case(*arguments), min(CASE_SECONDS, end - time.monotonic()))
            tap.report(case.__doc__)
        except Exception as error:  # whatever went wrong is the case's result
            tap.report(case.__doc__, [f"{type(error).__name__}: {error}"])
    return tap.finish()


class Serve:
    """`hawser serve` on a free port, for the time of an `async with`."""

    def __init__(self, hawser, *options):
        self.hawser = hawser
        self.options = options
        self.process = None
        self.uri = None
        self.tls = None  # a client's context of Python's ssl

    async def __aenter__(self):
        options = ["serve", "--port", "0", "--commands", "--subprotocol", "chat", "--subprotocol", "superchat", *self.options]
        self.process = await asyncio.create_subprocess_exec(self.hawser, *options, stdout=asyncio.subprocess.PIPE)
        line = await asyncio.wait_for(self.process.stdout.readline(), CASE_SECONDS)
        prefix = b"listening on "
        if not line.startswith(prefix):
            raise RuntimeError(f"hawser serve printed {line!r} instead of its address")
        self.uri = line.removeprefix(prefix).decode().strip()
        return self

    async def stop(self):
        """Asks it to end; returns its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), CASE_SECONDS)

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@contextlib.asynccontextmanager
async def start(hawser, *arguments):
    """The command as a process with pipes; it does not outlive the `async with`."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(hawser, *arguments, **pipes)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def command(hawser, *arguments):
    """Runs the command, without input, to its end; returns exit status, standard output and standard error."""
    async with start(hawser, *arguments) as process:
        out, err = await process.communicate(b"")
        return process.returncode, out.decode(), err.decode()
