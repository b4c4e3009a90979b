#!/usr/bin/env python3
"""`hawser check` against hawser itself, in both roles, and its reports: own_test.py HAWSER"""

import contextlib
import functools
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import PATIENCE, SECONDS, Checker, running  # noqa: E402
from tap import Tap  # noqa: E402

# Attempts at what takes too long only because the machine has other work.
ATTEMPTS = 3
# Its head is taken as a whole.
FAILS_LATE = "timing.continuation-head"
ALL_WINDOWS = "--deflate-option server_max_window_bits=15 --deflate-option client_max_window_bits=15"


def is_open(key, row):
    """Whether the RFC leaves it to an endpoint: when it fails, how it meets the end of a stream, and what it agrees on."""
    agreed = key.startswith("deflate.") and (row["detail"].startswith("not applicable") or row["detail"] == "declined")
    return row["verdict"] == "informational" and (agreed or key.startswith(("timing.", "close.fin-")))


def check_all_ok(result, least=1000, is_allowed=is_open):
    """At least so many cases, and each is ok or allowed to be otherwise."""
    status, rows = result
    problems = [f"exit status {status}, {len(rows)} cases"] if status != 0 or len(rows) < least else []
    return problems + [f"{key}: {row}" for key, row in rows.items() if row["verdict"] != "ok" and not is_allowed(key, row)]


def check_fails_fast(check):
    """Of a frame or a fragment that is wrong, the rest is not waited for."""
    late = ["timing.*"]
    for attempt in range(ATTEMPTS):
        rows = check(*(word for glob in late for word in ("--only", glob)), "--jobs", "4")[1]
        if attempt == 0 and len(rows) < 32:
            return [f"{len(rows)} cases"]
        late = [key for key, row in rows.items() if not row["detail"].startswith("fails fast: ") and key != FAILS_LATE]
        if not late:
            return []
    return [f"{key}: {rows[key]['detail']}" for key in late]


def check_all_windows(result):
    """With all windows no case of compression is left out, but for one that zlib does not have."""
    return check_all_ok(result, 190, lambda key, row: key == "deflate.offer-server-bits-8" and row["detail"] == "declined")


def check_reports(checker, url):
    """The files tell the same, and the page of two reports has both."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = {kind: pathlib.Path(folder) / kind for kind in ("json", "other", "junit", "html", "matrix")}
        files = ["--json", path["json"], "--junit", path["junit"], "--html", path["html"]]
        status, out, error = checker.call(url, "--only", "close.code-*", "--only", "control.ping-5", *files)
        if status != 0 or "close" not in out or "all" not in out or error:
            problems.append(f"exit status {status}, output {out}, {error}")
        report = json.loads(path["json"].read_text(encoding="utf-8"))
        ids = [row["id"] for row in report["cases"]]
        if report["subject"] != url or report["role"] != "server" or report["counts"]["ok"] != len(ids) or "control.ping-5" not in ids:
            problems.append(f"JSON: {report['subject']}, {report['role']}, {report['counts']}")
        suites = xml.etree.ElementTree.parse(path["junit"]).getroot()
        names = [case.get("name").split(":")[0] for case in suites.iter("testcase")]
        if sorted(names) != sorted(ids) or [suite.get("name") for suite in suites] != ["control", "close"]:
            problems.append(f"JUnit: {names}")
        page = path["html"].read_text(encoding="utf-8")
        problems += [f"HTML: no {key}" for key in ids if f"<code>{key}</code>" not in page]
        problems += [f"HTML: no table of {name}" for name in ("control", "close") if f'<h2 id="{name}">{name}</h2>\n<table>' not in page]
        problems += [f"HTML: not self-contained, {what}" for what in ("src=", "<link", "@import", "url(") if what in page]
        checker.call(url, "--only", "control.ping-?", "--json", path["other"])
        others = [row["id"] for row in json.loads(path["other"].read_text(encoding="utf-8"))["cases"]]
        status, _, error = checker.call("--report", path["json"], path["other"], "--html", path["matrix"])
        matrix = path["matrix"].read_text(encoding="utf-8").partition("<h2")[2]
        counts = [matrix.count(what) for what in ("<code>", '<td class="ok">', "<td></td>")]
        rows = len({*ids, *others})
        if status != 0 or counts != [rows, len(ids) + len(others), 2 * rows - len(ids) - len(others)]:
            problems.append(f"matrix: exit status {status}, {error}, {counts}")
    return problems


def check_foreign_report(checker):
    """Whatever a report's strings say, they are text on the page."""
    strings = {name: f'"><i title="{name}' for name in ("subject", "section", "id", "requirement", "source", "detail", "wire")}
    case = {name: strings[name] for name in ("requirement", "source", "detail")}
    case |= {"id": strings["section"] + "." + strings["id"], "verdict": "failed", "seconds": 0, "wire": [strings["wire"]]}
    with tempfile.TemporaryDirectory() as folder:
        report, page = pathlib.Path(folder) / "report.json", pathlib.Path(folder) / "report.html"
        report.write_text(json.dumps({"subject": strings["subject"], "role": "server", "cases": [case]}), encoding="utf-8")
        status, _, error = checker.call("--report", report, "--html", page)
        text = page.read_text(encoding="utf-8")
    problems = [f"exit status {status}, {error}"] if status != 0 else []
    problems += [f"{name} is missing" for name in strings if f"&quot;&gt;&lt;i title=&quot;{name}" not in text]
    return problems + [f"markup: {line}" for line in text.splitlines() if "<i" in line]


def check_failure(checker, hawser):
    """A wire log comes with what failed, in each report."""
    # A client that closes is no echo client.
    command = f"{hawser} send {{url}} hello"
    with tempfile.TemporaryDirectory() as folder:
        path = {kind: pathlib.Path(folder) / kind for kind in ("json", "junit", "html")}
        files = [word for kind in path for word in ("--" + kind, path[kind])]
        arguments = ["--listen", "0", "--spawn", command, "--only", "framing.text-1", "--timeout", str(PATIENCE), *files]
        status, out, error = checker.call(*arguments)
        texts = {"output": out, **{kind: file.read_text(encoding="utf-8") for kind, file in path.items()}}
    problems = [f"exit status {status}, {error}"] if status != 1 else []
    for kind, mark in {"output": "failed  framing.text-1:", "json": '"failed"', "junit": "<failure ", "html": '<td class="failed">'}.items():
        problems += [f"{kind}: no {wanted}" for wanted in (mark, "101 Switching") if wanted not in texts[kind]]
    return problems


def check_progress(checker, url):
    """On a terminal a bar shows how far it is, and what has failed; it is gone in the end."""
    user, screen = pty.openpty()
    command = [checker.hawser, "check", url, "--only", "control.ping-5", "--only", "control.ping-64"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=screen, timeout=SECONDS, check=False)
    os.close(screen)
    shown = b""
    with contextlib.suppress(OSError):  # is how a terminal ends
        while piece := os.read(user, 4096):
            shown += piece
    os.close(user)
    half, whole = "#" * 20 + "." * 20, "#" * 40
    erase = "\x1b[K"
    expected = f"\r[{half}] 1 of 2, 0 failed{erase}\r[{whole}] 2 of 2, 0 failed{erase}\r{erase}"
    is_gone = shown.decode().startswith(expected) and shown.decode().removeprefix(expected) in ("", f"\r{erase}")
    return [] if done.returncode == 0 and is_gone else [f"exit status {done.returncode}, {shown!r}"]


def check_usage(checker):
    """Wrong usage has exit status 2, and says why."""
    wrong = {
        "one of URL, --listen and --report is needed": [],
        "--listen and --report": ["ws://127.0.0.1/", "--listen", "0"],
        "needs --html": ["--report", "nothing.json"],
        "needs --listen": ["ws://127.0.0.1/", "--spawn", "client {url}"],
        "{url}": ["--listen", "0", "--spawn", "client"],
        "wss": ["wss://127.0.0.1/"],
        "scheme": ["http://127.0.0.1/"],
        "no case matches": ["--list", "--only", "nothing"],
    }
    problems = []
    for expected, arguments in wrong.items():
        status, _, error = checker.call(*arguments)
        if status != 2 or expected not in error:
            problems.append(f"{arguments}: exit status {status}, {error}")
    status, _, error = checker.call("--report", "/nonexistent.json", "--html", "/nonexistent.html")
    if status != 1 or "cannot read /nonexistent.json" not in error:
        problems.append(f"unreadable report: exit status {status}, {error}")
    status, _, error = checker.call("--report", __file__, "--html", os.devnull)
    if status != 1 or "is no report" not in error:
        problems.append(f"wrong report: exit status {status}, {error}")
    return problems


def check_list(checker):
    """Every id is there once, for both roles."""
    problems = []
    for role in ([], ["--listen", "0"]):
        status, out, _ = checker.call("--list", *role)
        ids = [line.split(":")[0] for line in out.splitlines()]
        if status != 0 or len(ids) < 500 or len(ids) != len(set(ids)):
            problems.append(f"{role}: exit status {status}, {len(ids)} cases, {len(set(ids))} different")
        problems += [f"no section of an RFC: {line}" for line in out.splitlines() if not line.endswith(")") or "RFC " not in line]
    return problems


def main(hawser):
    tap = Tap()
    checker = Checker(hawser)
    serve = [hawser, "serve", "--port", "0"]
    tap.report("wrong usage", check_usage(checker))
    tap.report("the list", check_list(checker))
    tap.report("our server", check_all_ok(checker.server(serve)))
    tap.report("our server fails fast", check_fails_fast(functools.partial(checker.server, serve)))
    tap.report("our server with compression", check_all_ok(checker.server([*serve, "--deflate"])))
    windows = checker.server([*serve, *ALL_WINDOWS.split()], "--only", "deflate.*")
    tap.report("our server with compression and all windows", check_all_windows(windows))
    tap.report("our client", check_all_ok(checker.spawned(f"{hawser} echo {{url}}")))
    tap.report("our client fails fast", check_fails_fast(functools.partial(checker.spawned, f"{hawser} echo {{url}}")))
    tap.report("our client with compression", check_all_ok(checker.spawned(f"{hawser} echo --deflate {{url}}")))
    windows = checker.spawned(f"{hawser} echo {ALL_WINDOWS} {{url}}", "--only", "deflate.*")
    tap.report("our client with compression and all windows", check_all_windows(windows))
    with running(serve) as (url, _):
        tap.report("the reports", check_reports(checker, url))
        tap.report("the bar", check_progress(checker, url))
    tap.report("a report with markup in it", check_foreign_report(checker))
    tap.report("a client that does not echo", check_failure(checker, hawser))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
