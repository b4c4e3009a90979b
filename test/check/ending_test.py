#!/usr/bin/env python3
"""`hawser check` when its run ends before all cases are judged: ending_test.py HAWSER"""

import base64
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import SECONDS, Checker, running  # noqa: E402
from tap import Tap  # noqa: E402


def dial(url):
    port = int(url.rstrip("/").rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def refuse_response(url):
    """A client that takes no response, until its case has come to its end."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = "GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    with dial(url) as client:
        client.sendall(f"{request}Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        client.recv(1)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


def check_files(checker, folder):
    """Each report says why the run ended, and has what was judged by then: one case, or two."""
    reason = "interrupted"
    path = {kind: folder / kind for kind in ("json", "junit", "html", "matrix")}
    report = json.loads(path["json"].read_text(encoding="utf-8"))
    problems = [f"JSON: {report}"] if report["interruption"] != reason or len(report["cases"]) not in (1, 2) else []
    problems += [f"judged as {row['verdict']}: {row['id']}: {row['detail']}" for row in report["cases"] if row["verdict"] != "ok"]
    errors = [error.get("message") for error in xml.etree.ElementTree.parse(path["junit"]).getroot().iter("error")]
    problems += [f"JUnit: {errors}"] if errors != [reason] else []
    checker.call("--report", path["json"], "--html", path["matrix"])
    for kind in ("html", "matrix"):
        problems += [f"{kind}: no reason"] if f"ended early: {reason}" not in path[kind].read_text(encoding="utf-8") else []
    return problems


def listen(checker, folder, *options):
    """Checks a client that comes by itself, with all reports."""
    files = [word for kind in ("json", "junit", "html") for word in ("--" + kind, str(folder / kind))]
    return [checker.hawser, "check", "--listen", "0", "--timeout", str(SECONDS), *files, *options]


def check_interrupt(checker):
    """What has been judged when a signal comes is reported."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with running(listen(checker, folder, "--only", "response.status-*")) as (url, process):
            # When the second has come to its end, the first has been judged.
            for _ in range(2):
                refuse_response(url)
            process.terminate()
            out = process.communicate(timeout=SECONDS)[0]
        problems = [f"exit status {process.returncode}"] if process.returncode != 1 else []
        problems += [f"output: {out}"] if not out.endswith(", ended early: interrupted\n") else []
        return problems + check_files(checker, folder)


def check_interrupt_at_once(checker):
    """A signal before any case is judged ends the clients, too."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = pathlib.Path(folder) / "pipe"
        os.mkfifo(pipe)
        # A client that never connects.
        client = f"echo $$ >{pipe}; exec cat {pipe} {{url}}"
        command = [checker.hawser, "check", "--listen", "0", "--jobs", "1", "--timeout", str(SECONDS), "--spawn", client]
        checking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        process = int(pipe.read_text(encoding="utf-8"))
        checking.terminate()
        error = checking.communicate(timeout=SECONDS)[1]
    problems = [] if (checking.returncode, error) == (1, "hawser: interrupted\n") else [f"exit status {checking.returncode}, {error}"]
    try:
        os.kill(process, signal.SIGKILL)
        problems.append("the client is still there")
    except ProcessLookupError:
        pass
    return problems


def main(hawser):
    tap = Tap()
    checker = Checker(hawser)
    tap.report("a run that is interrupted", check_interrupt(checker))
    tap.report("a run that is interrupted at once", check_interrupt_at_once(checker))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
