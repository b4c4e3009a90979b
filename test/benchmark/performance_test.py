#!/usr/bin/env python3
"""What tools/performance makes of its runs: performance_test.py FOLDER_OF_THE_TOOL"""

import contextlib
import importlib.util
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, sys.argv[1])
import drawing  # noqa: E402
import figures  # noqa: E402
import measuring  # noqa: E402
import pages  # noqa: E402
from tap import Tap  # noqa: E402
from workloads import CONNECTIONS, LIMIT, OURS, ROOT, WHOLE, WORKLOADS, Workload, growth_cells  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
ECHO, HANDSHAKES, MEMORY = WORKLOADS[0], WORKLOADS[6], WORKLOADS[7]


def expect(actual, expected, what):
    return [] if actual == expected else [f"{what}: {actual!r} instead of {expected!r}"]


def entry(workload, server, number, *values):
    is_cost = workload.figure.startswith("server_us_")
    reports = [{workload.figure: 1e6 / value if is_cost else value} for value in values]
    return {"round": number, "workload": workload.title, "server": server, "figure": workload.figure, "reports": reports}


def peers():
    """Three rounds of a load, one of each other mode."""
    runs = [entry(ECHO, LIMIT, number, value) for number, value in enumerate((100, 200, 400))]
    runs += [entry(ECHO, OURS, number, value) for number, value in enumerate((90, 190, 400))]
    runs += [entry(ECHO, "Beast", number, value) for number, value in enumerate((80, 100, 200))]
    runs += [entry(HANDSHAKES, OURS, 0, 30), entry(HANDSHAKES, "Beast", 0, 20), entry(HANDSHAKES, "gorilla", 0, 24)]
    runs += [entry(MEMORY, OURS, 0, 1000), entry(MEMORY, "Beast", 0, 5000), entry(MEMORY, "gorilla", 0, 8000)]
    return figures.tabulate(runs)


def cell(server, connections, size, rate):
    reports = {"rate": {"messages_per_second": rate, "server_us_per_message": 1e6 / rate}}
    if server == OURS:
        reports["latency"] = {"latency_us": {"p50": 10, "p99": 20, "p99.9": 1000}}
        reports["memory"] = {"rss_bytes_per_connection": 2000}
    return {"round": 0, "connections": connections, "size": size, "server": server, "reports": reports}


def grid(share):
    """All cells at a share of the limit, but one at half of it."""
    cells = []
    for connections, size in growth_cells(10_000):
        cells.append(cell(LIMIT, connections, size, 1000))
        cells.append(cell(OURS, connections, size, 500 if (connections, size) == (100, 1024) else 1000 * share))
    return cells


def check_medians():
    """a round counts with its median, a ratio with the median of the rounds' ratios"""
    table = figures.tabulate([entry(MEMORY, OURS, 0, 1, 9, 2), entry(ECHO, OURS, 1, 8, 4, 2)])
    problems = expect(table, {MEMORY.title: {OURS: {0: 2}}, ECHO.title: {OURS: {1: 4}}}, "medians of rounds")
    servers = {"a": {0: 90, 1: 190, 2: 400}, "b": {0: 100, 1: 200, 2: 400}}
    problems += expect(figures.ratio(servers, "a", "b"), figures.Ratio(0.95, 0.9, 1), "ratio")
    problems += expect(str(figures.ratio(servers, "a", "b")), "0.95 (0.90 to 1.00)", "its text")
    problems += expect(figures.ratio(servers, "a", "c"), None, "ratio to a server that was not measured")
    # A round that one of them has not does not count.
    return problems + expect(figures.ratio({"a": {0: 1, 1: 5}, "b": {1: 5}}, "a", "b"), figures.Ratio(1, 1, 1), "common rounds")


def check_best():
    """the best peer is the one with most, or with least memory; ours and the limit are none"""
    table = peers()
    problems = expect(figures.best_peer(table[HANDSHAKES.title]), "gorilla", "most")
    problems += expect(figures.best_peer(table[MEMORY.title], is_less_better=True), "Beast", "least")
    problems += expect(figures.best_peer({OURS: {0: 1}, LIMIT: {0: 2}, WHOLE: {0: 3}}), None, "without peers")
    return problems + expect(figures.of_best({OURS: {0: 1}}), "–", "text without peers")


def check_tables():
    """the tables have a row a workload, and a cell a server"""
    problems = expect(figures.speed_table(peers()).splitlines(), [
        "| connections × payload | hawser | Beast | gorilla | hawser is |",
        "| --- | --- | --- | --- | --- |",
        "| 100 × 20 B | 0.95 (0.90 to 1.00) | 0.50 |  | 1.90 × Beast |",
    ], "rates")
    problems += expect(figures.rest_table(peers(), WORKLOADS).splitlines(), [
        "|  | hawser | Beast | gorilla | hawser is |",
        "| --- | --- | --- | --- | --- |",
        "| handshakes per second of processor time, hawser's = 1 | 1.00 | 0.67 | 0.80 | 1.25 × gorilla |",
        "| memory after a message of 20 B, bytes a connection | 1,000 | 5,000 | 8,000 | 0.20 × Beast |",
    ], "handshakes and memory")
    return problems + expect(figures.speed_table({}), "", "nothing measured")


def check_grid():
    """the grid has every pair but those with too many bytes in flight, or too many connections"""
    sizes = [10, 125, 1024, 16 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024]
    expected = [(connections, size) for connections, count in ((10, 7), (100, 6), (1000, 5), (10_000, 4)) for size in sizes[:count]]
    problems = expect(growth_cells(10_000), expected, "cells")
    for most, expected in ((9_999, 1000), (10_000, 10_000)):
        problems += expect(max(connections for connections, _ in growth_cells(most)), expected, f"most connections of {most}")
    return problems


def check_cliffs():
    """a cell below half of the limit is a cliff, and is named; one at half of it is none"""
    problems = expect(figures.cliffs(grid(0.9)), [], "at half")
    cells = grid(0.9) + [cell(LIMIT, 10, 77, 1000), cell(OURS, 10, 77, 499)]
    problems += expect(figures.cliffs(cells), ["10 connections × 77 B: 0.50 of raw_ev"], "below half")
    return problems + expect(figures.cell_values(cells, OURS, "latency", "latency_us", "p99.9")[10, 10], 1000, "latency")


def shapes(svg, kind):
    """Elements of a drawing that is well-formed and loads nothing."""
    root = xml.etree.ElementTree.fromstring(svg)
    if root.tag != SVG + "svg" or "href" in svg or "url(" in svg:
        raise ValueError("is no SVG of its own")
    return root.findall(SVG + kind)


def check_bars():
    """the plot of the peers has a bar for each server of each load, as long as its figure, and a line at the limit"""
    svg = pages.peers_plot(peers(), "<a & b>")
    bars = [shape for shape in shapes(svg, "rect") if shape.get("class") in ("own", "peer")]
    problems = expect(len(bars), 2 + 3 + 3, "bars")
    widths = [round(float(shape.get("width"))) for shape in bars]
    problems += expect(widths, [228, 120, 240, 160, 192, 30, 150, 240], "widths")
    problems += expect([shape.get("class") for shape in shapes(svg, "line")], ["limit"], "lines")
    texts = [shape.text or "" for shape in shapes(svg, "text")]
    problems += expect([text for text in texts if text.endswith(" = 1")], ["raw_ev = 1", "hawser = 1"], "what is 1")
    measured = "Messages (connections × payload) and handshakes per second of the server's processor time, and memory; medians."
    return problems + expect(texts[:2], ["Echo servers on <a & b>.", measured], "what was measured")


def check_lines():
    """the plot of growth has six panels with a line for each number of connections and a point for each cell"""
    svg = pages.growth_plot(grid(0.9), "a machine")
    problems = expect(len(shapes(svg, "polyline")), 6 * len(CONNECTIONS), "lines")
    problems += expect(len(shapes(svg, "circle")), 6 * len(growth_cells(10_000)), "points")
    titles = [shape.text for shape in shapes(svg, "text") if shape.get("class") == "title"]
    problems += expect(titles[:2], ["Messages per second", "Messages per second of processor time, raw_ev = 1"], "titles")
    points = shapes(svg, "polyline")[len(CONNECTIONS) + 1].get("points").split()
    low = [point for point in points if float(point.split(",")[1]) > float(points[0].split(",")[1])]
    return problems + expect(low, [points[2]], "the one that is lower, of 100 connections relative to the limit")


def check_axes():
    """an axis has the powers of ten around its values, two at least; numbers are short"""
    problems = expect(drawing.decades([20, 999]), [10, 100, 1000], "around")
    problems += expect(drawing.decades([100]), [100, 1000], "one value")
    problems += expect(drawing.quarters([0.3]), [0, 0.25, 0.5, 0.75, 1, 1.25], "quarters")
    problems += expect(drawing.quarters([1.26])[-1], 1.5, "quarters above 1")
    problems += expect([pages.count_text(value) for value in (10, 1000, 1e6, 1e9)], ["10", "1 k", "1 M", "1 G"], "counts")
    return problems + expect([pages.time_text(value) for value in (10, 1000, 1e6)], ["10 µs", "1 ms", "1 s"], "times")


def check_marks():
    """what is between the marks of a page is replaced; a page that has not one of each is refused"""
    problems = expect(figures.put_between("a\n[\nold\n]\nb\n", "[", "]", "\nnew\n\n"), "a\n[\nnew\n]\nb\n", "page")
    for page in ("a ]", "[ a", "] [", "[ [ ]", "[ ] ]"):
        try:
            problems.append(f"taken: {page!r}: {figures.put_between(page, '[', ']', 'new')!r}")
        except ValueError:
            pass
    for path in (ROOT / "README.md", pages.GUIDE / "performance.md"):
        text = path.read_text(encoding="utf-8")
        problems += expect("new\n" in figures.put_between(text, pages.BEGIN, pages.END, "new"), True, f"marks of {path.name}")
    return problems


def check_sections():
    """the sections hold tables, plots and cliffs"""
    section = pages.peers_section(peers(), 3, "a machine")
    wanted = ("a machine", "3 rounds", "| 1.90 × Beast |", "performance.svg")
    problems = [f"README: no {part!r}" for part in wanted if part not in section]
    section = " ".join(pages.growth_section(grid(0.4), 1, "a machine").split())
    wanted = ("growth.svg", "per second of the server's processor time are 0.40 at least", "10 connections × 10 B: 0.40 of raw_ev")
    return problems + [f"guide: no {part!r}" for part in wanted if part not in section]


def check_width():
    """the words of a section have lines as long as the page's others, whatever the machine's name"""
    problems = []
    for count in (1, 4, 40):
        machine = " ".join(["machine"] * count)
        for section in (pages.peers_section(peers(), 3, machine), pages.growth_section(grid(0.4), 1, machine)):
            words = [line for line in section.splitlines() if line[:1] not in ("|", "<", "!")]
            problems += [f"{len(line)} columns: {line}" for line in words if len(line) > pages.COLUMNS]
            problems += expect(machine in " ".join(words), True, "the machine's name")
    return problems


def check_loads():
    """a load has the arguments of its mode, and a name of its own"""
    problems = expect(Workload(text=True, depth=16).arguments(),
                      ["--mode", "echo", "--connections", "100", "--size", "20", "--depth", "16", "--text"], "arguments")
    problems += expect(Workload(rate=99.9).arguments()[-2:], ["--rate", "100"], "a rate")
    problems += expect(len({workload.title for workload in WORKLOADS}), len(WORKLOADS), "names")
    problems += expect([LIMIT in workload.servers() for workload in (ECHO, HANDSHAKES, MEMORY)], [True, False, False], "what has a limit")
    problems += expect(WHOLE in Workload(size=4096).servers(), False, "whole frames where they are no longer")
    return problems + expect(WHOLE in Workload(size=4097).servers(), True, "whole frames where they are longer")


def call(*arguments):
    """Exit status, output and error of the tool."""
    done = subprocess.run([sys.executable, sys.argv[1], *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check_command():
    """the runs of a file are told, with exit status 1 for a cliff; what cannot be used is an error in one line"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "runs.json"
        error = f"tools/performance: [Errno 2] No such file or directory: '{path}'\n"
        problems = expect(call("--from", str(path)), (1, "", error), "no file")
        path.write_text("{", encoding="utf-8")
        status, out, error = call("--from", str(path))
        problems += expect((status, out, error.count("\n"), error[:18]), (1, "", 1, "tools/performance:"), "no JSON")
        for share, expected in ((0.5, 0), (0.49, 1)):
            path.write_text(json.dumps({"machine": "a machine", "growth": grid(share)}), encoding="utf-8")
            status, out, error = call("--from", str(path))
            problems += expect((status, error, "fell off a cliff: 10 connections × 10 B" in out), (expected, "", bool(expected)), "end")
            problems += expect(f"10 connections × 10 B: {share:.2f} of raw_ev" in out, bool(expected), "cliff") if expected else []
    for arguments, expected in (
        (("--rounds", "0"), "--rounds takes a number above 0"),
        (("--short", "--pages"), "--pages writes whole tables, for which --short measures too little"),
    ):
        status, out, error = call(*arguments)
        problems += expect((status, out, expected in error), (2, "", True), f"end of {arguments}")
    return problems


class FailingBench:
    """Measures so many times, then fails."""

    pace = {"count": 1}

    def __init__(self, times):
        self.left = times

    def measure(self, name, workload, count):
        self.left -= 1
        if self.left < 0:
            raise measuring.Failure(f"{name} failed")
        return [{"messages_per_second": 1000, workload.figure: 10}] * count


def check_failure():
    """what was measured before a server failed is in the file of the runs"""
    spec = importlib.util.spec_from_file_location("performance", pathlib.Path(sys.argv[1]) / "__main__.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.build = lambda folder: None
    tool.startable = lambda bench: [OURS, LIMIT]
    problems = []
    # The loads of the peers make seven runs. A cell of growth takes three measurements of ours, and one of the limit.
    for times, expected in ((1, (1, 0)), (7, (7, 0)), (7 + 3, (7, 1)), (7 + 4 + 2, (7, 2))):
        tool.Bench = lambda *_, times=times: FailingBench(times)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "runs.json"
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    tool.measure(tool.options(["--short", "--runs", str(path)]))
                problems.append(f"failure {times + 1} was passed over")
            except measuring.Failure:
                runs = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
                problems += expect(tuple(len(runs.get(suite, [])) for suite in ("peers", "growth")), expected, f"runs of {times}")
    return problems


def check_start():
    """a server that does not start is named, with what it said last"""
    problems = []
    bench = measuring.Bench("build")
    for command, expected in (
        (["sh", "-c", "echo first >&2; echo why >&2"], "broken does not start: why"),
        (["sh", "-c", "echo hello"], "broken does not start: hello"),
        (["true"], "broken does not start: it says nothing"),
        (["{build}/none/such"], "broken: No such file or directory: build/none/such"),
    ):
        measuring.SERVERS["broken"] = command
        try:
            with measuring.Server(bench, "broken", Workload()) as server:
                problems.append(f"{command} has started: {server.url}")
        except measuring.Failure as failure:
            problems += expect(str(failure), expected, "error")
    measuring.SERVERS["good"] = ["echo", "listening on ws://127.0.0.1:{size}/"]
    with measuring.Server(bench, "good", Workload(size=77)) as server:
        return problems + expect(server.url, "ws://127.0.0.1:77/", "URL")


def main():
    tap = Tap()
    for check in (check_medians, check_best, check_tables, check_grid, check_cliffs, check_bars, check_lines, check_axes, check_marks,
                  check_sections, check_width, check_loads, check_command, check_failure, check_start):
        tap.report("performance: " + check.__doc__, check())
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
