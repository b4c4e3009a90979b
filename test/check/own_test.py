#!/usr/bin/env python3
"""`hawser check` against hawser itself, in both roles, and its reports: own_test.py HAWSER"""

import json
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from checker import Checker, deviations, running  # noqa: E402
from tap import Tap  # noqa: E402

MOST_INFORMATIONAL = 60


def check_all_ok(result, plain):
    """No deviation; what is informational is what the RFC leaves open, and not a whole section."""
    status, rows = result
    problems = [f"exit status {status}"] if status != 0 else []
    problems += [f"{key}: {what}" for key, what in deviations(rows).items()]
    if len(rows) < 1000:
        problems.append(f"only {len(rows)} cases")
    informational = [key for key, row in rows.items() if row["verdict"] == "informational" and not (plain and key.startswith("deflate."))]
    if len(informational) > MOST_INFORMATIONAL:
        problems.append(f"{len(informational)} cases are informational: {informational}")
    # Nothing is lost: what came before a Close is answered.
    problems += [f"{key} is {row['verdict']}" for key, row in rows.items() if key.startswith("close.behind-") and row["verdict"] != "ok"]
    return problems


def check_reports(checker, url):
    """The three files tell the same, and the page of two reports has both."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = {kind: str(pathlib.Path(folder) / kind) for kind in ("json", "junit", "html", "matrix")}
        only = ["--only", "close.code-*", "--only", "control.ping-5"]
        status, out, _ = checker.call(url, *only, "--json", path["json"], "--junit", path["junit"], "--html", path["html"])
        if status != 0 or "close" not in out or "all" not in out:
            problems.append(f"exit status {status}, output {out}")
        report = json.loads(pathlib.Path(path["json"]).read_text(encoding="utf-8"))
        ids = [row["id"] for row in report["cases"]]
        if report["subject"] != url or report["role"] != "server" or report["counts"]["ok"] != len(ids) or "control.ping-5" not in ids:
            problems.append(f"JSON: {report['subject']}, {report['role']}, {report['counts']}")
        suites = xml.etree.ElementTree.parse(path["junit"]).getroot()
        names = [case.get("name").split(":")[0] for case in suites.iter("testcase")]
        if sorted(names) != sorted(ids) or [suite.get("name") for suite in suites] != ["control", "close"]:
            problems.append(f"JUnit: {names}")
        page = pathlib.Path(path["html"]).read_text(encoding="utf-8")
        problems += [f"HTML: no {key}" for key in ids if f"<code>{key}</code>" not in page]
        status, _, error = checker.call("--report", path["json"], path["json"], "--html", path["matrix"])
        matrix = pathlib.Path(path["matrix"]).read_text(encoding="utf-8")
        if status != 0 or matrix.count('<td class="ok">') != 2 * page.count('<td class="ok">'):
            problems.append(f"matrix: exit status {status}, {error}")
    return problems


def check_failure(checker, hawser):
    """A wire log comes with what failed."""
    # A client that closes is no echo client.
    command = f"{hawser} send {{url}} hello"
    status, rows = checker.spawned(command, "--only", "framing.text-1", "--timeout", "5")
    row = rows["framing.text-1"]
    fine = status == 1 and row["verdict"] == "failed" and any("101 Switching" in line for line in row["wire"])
    return [] if fine else [f"exit status {status}, {row}"]


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
    tap.report("our server", check_all_ok(checker.server(serve), True))
    tap.report("our server with compression", check_all_ok(checker.server([*serve, "--deflate"]), False))
    tap.report("our client", check_all_ok(checker.spawned(f"{hawser} echo {{url}}"), True))
    tap.report("our client with compression", check_all_ok(checker.spawned(f"{hawser} echo --deflate {{url}}"), False))
    with running(serve) as (url, _):
        tap.report("the reports", check_reports(checker, url))
    tap.report("a client that does not echo", check_failure(checker, hawser))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
