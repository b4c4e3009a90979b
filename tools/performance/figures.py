"""What the runs say: medians, ratios, tables."""

import dataclasses
import statistics

from workloads import LIMIT, OURS, PEERS, SERVERS, WHOLE, size_text

# A cell of the grid with less than this of the limit has fallen off a cliff.
CLIFF = 0.5


@dataclasses.dataclass(frozen=True)
class Ratio:
    """The median of the rounds' ratios, and the least and the greatest."""

    median: float
    least: float
    greatest: float

    def __str__(self):
        return f"{self.median:.2f} ({self.least:.2f} to {self.greatest:.2f})"


def figure(reports, name):
    """The median of a figure over the runs of a round. Of what a message or a handshake costs the server it is how many there are in
    a second of its processor's time: that does not depend on the load, which for a fast server may be the slower of the two."""
    value = statistics.median(report[name] for report in reports)
    return 1e6 / value if name.startswith("server_us_") else value


def tabulate(rounds):
    """Figures of each round by workload and server: {workload: {server: {round: figure}}}."""
    table = {}
    for entry in rounds:
        value = figure(entry["reports"], entry["figure"])
        table.setdefault(entry["workload"], {}).setdefault(entry["server"], {})[entry["round"]] = value
    return table


def ratio(servers, name, base):
    """Of one server's figures to another's, round by round; None if either has none."""
    values = [value / servers[base][number] for number, value in servers.get(name, {}).items() if number in servers.get(base, {})]
    return Ratio(statistics.median(values), min(values), max(values)) if values else None


def shown_figure(servers, name):
    """What a table has of a server: the median of its ratios to the limit, or of its figures where there is none."""
    of_limit = ratio(servers, name, LIMIT)
    return of_limit.median if of_limit else statistics.median(servers[name].values())


def best_peer(servers, is_less_better=False):
    """The name of the packaged library that is shown as the best; None if there is none."""
    shown = {name: shown_figure(servers, name) for name in PEERS if name in servers}
    return (min if is_less_better else max)(shown, key=shown.get) if shown else None


def markdown(head, rows):
    """A table of text cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def of_best(servers, name=OURS, is_less_better=False):
    best = best_peer(servers, is_less_better)
    return f"{shown_figure(servers, name) / shown_figure(servers, best):.2f} × {best}" if best and name in servers else "–"


def columns(table):
    """The servers that were measured, in order."""
    measured = {name for servers in table.values() for name in servers}
    return [name for name in SERVERS if name in measured]


def speed_table(table):
    """Messages per second of processor time, relative to bare reads and writes, with the spread of ours."""
    names = [name for name in columns(table) if name != LIMIT]
    rows = []
    for workload, servers in table.items():
        if LIMIT not in servers:
            continue
        cells = []
        for name in names:
            quotient = ratio(servers, name, LIMIT)
            cells.append("" if quotient is None else str(quotient) if name == OURS else f"{quotient.median:.2f}")
        rows.append([workload, *cells, of_best(servers)])
    return markdown(["connections × payload", *names, "hawser is"], rows) if rows else ""


def rest_table(table, workloads):
    """What has no limit to compare with: handshakes relative to ours, memory in bytes."""
    names = [name for name in columns(table) if name not in (LIMIT, WHOLE)]
    rows = []
    for workload in workloads:
        servers = table.get(workload.title)
        if not servers or workload.mode == "echo":
            continue
        is_memory = workload.mode == "idle"
        cells = []
        for name in names:
            if name not in servers:
                cells.append("")
            elif is_memory:
                cells.append(f"{statistics.median(servers[name].values()):,.0f}")
            else:
                cells.append(f"{ratio(servers, name, OURS).median:.2f}")
        title = workload.title + (", bytes a connection" if is_memory else " per second of processor time, hawser's = 1")
        rows.append([title, *cells, of_best(servers, is_less_better=is_memory)])
    return markdown(["", *names, "hawser is"], rows) if rows else ""


def cell_values(cells, name, *path):
    """{(connections, size): figure} of a server in the grid: the median over the rounds of what lies at `path`."""
    found = {}
    for entry in cells:
        value = entry["reports"].get(path[0]) if entry["server"] == name else None
        for key in path[1:]:
            value = value[key] if value else None
        if value is not None:
            found.setdefault((entry["connections"], entry["size"]), []).append(value)
    return {cell: statistics.median(values) for cell, values in found.items()}


def cell_ratios(cells):
    """{(connections, size): messages per second of the server's processor time, relative to the limit}."""
    ours, limit = (cell_values(cells, name, "rate", "server_us_per_message") for name in (OURS, LIMIT))
    return {cell: limit[cell] / ours[cell] for cell in ours if cell in limit}


def cliffs(cells):
    """The cells of the grid that have fallen off a cliff, as sentences."""
    return [f"{connections:,} connections × {size_text(size)}: {share:.2f} of {LIMIT}"
            for (connections, size), share in sorted(cell_ratios(cells).items()) if share < CLIFF]


def put_between(page, begin, end, content):
    """The page with what is between two lines of it replaced."""
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"the page has not one line {begin!r} and behind it one {end!r}")
    head, rest = page.split(begin)
    return head + begin + "\n" + content.strip("\n") + "\n" + end + rest.split(end)[1]
