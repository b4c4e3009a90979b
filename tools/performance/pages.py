"""What goes into README and guide: tables, plots, and the words around them."""

import os
import pathlib
import platform
import statistics
import textwrap

import drawing
import figures
from workloads import CONNECTIONS, LIMIT, OURS, ROOT, SIZES, WHOLE, WORKLOADS, size_text

GUIDE = ROOT / "include" / "guide"
BEGIN, END = "<!-- made by tools/performance -->", "<!-- end of what tools/performance made -->"
COLUMNS = 138
PEERS_TITLE = "Messages and handshakes per second of the server's processor time, and memory: hawser and other libraries"


def machine():
    """What it was measured on, in words."""
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release().split('-')[0]}"


def speed_panel(title, servers):
    """Bars of the servers relative to the limit, or to ours where there is none."""
    base = LIMIT if LIMIT in servers else OURS
    quotients = {name: figures.ratio(servers, name, base) for name in servers if name != LIMIT}
    longest = max(1.0, *(quotient.median for quotient in quotients.values()))
    bars = [(name, quotient.median / longest, f"{quotient.median:.2f}", name in (OURS, WHOLE)) for name, quotient in quotients.items()]
    return {"title": title, "bars": bars, "limit": 1 / longest if base == LIMIT else None, "note": f"{base} = 1"}


def memory_panel(title, servers):
    medians = {name: statistics.median(values.values()) for name, values in servers.items()}
    longest = max(1.0, *medians.values())
    bars = [(name, max(0, value) / longest, f"{value:,.0f}", name == OURS) for name, value in medians.items()]
    return {"title": title, "bars": bars, "note": "bytes a connection"}


def peers_plot(table, about):
    memory = {workload.title for workload in WORKLOADS if workload.mode == "idle"}
    panels = [(memory_panel if title in memory else speed_panel)(title, servers) for title, servers in table.items()]
    caption = [
        f"Echo servers on {about}.",
        "Messages (connections × payload) and handshakes per second of the server's processor time, and memory; medians.",
    ]
    return drawing.bars(PEERS_TITLE, caption, panels)


def count_text(value):
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:g} {unit}"
    return f"{value:g}"


def time_text(microseconds):
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= factor:
            return f"{microseconds / factor:g} {unit}"
    return f"{microseconds:g} µs"


def growth_plot(cells, about):
    def series(values):
        return [[values.get((connections, size)) for size in SIZES] for connections in CONNECTIONS]

    def panel(title, values, form, is_linear=False):
        return {"title": title, "names": names, "series": series(values), "form": form, "is_linear": is_linear}

    names = [size_text(size).replace(" ", "\u00a0") for size in SIZES]
    memory = {cell: max(1.0, value) for cell, value in figures.cell_values(cells, OURS, "memory", "rss_bytes_per_connection").items()}
    panels = [
        panel("Messages per second", figures.cell_values(cells, OURS, "rate", "messages_per_second"), count_text),
        panel(f"Messages per second of processor time, {LIMIT} = 1", figures.cell_ratios(cells), "{:g}".format, is_linear=True),
    ]
    for percentile in ("p50", "p99", "p99.9"):
        values = figures.cell_values(cells, OURS, "latency", "latency_us", percentile)
        panels.append(panel(f"Latency at ¼ of the messages per second, {percentile}", values, time_text))
    panels.append(panel("Memory of an idle connection, bytes", memory, count_text))
    legend = [f"{connections:,} connections" for connections in CONNECTIONS]
    caption = f"hawser serve on {about}. By payload; medians. Processor time is the server's."
    return drawing.lines("Growth with connections and payload", caption, legend, panels)


def rounds_text(rounds):
    return "One round" if rounds == 1 else f"Medians of {rounds} rounds"


def paragraph(text):
    """Its words in lines as long as the page's others."""
    return textwrap.fill(" ".join(text.split()), COLUMNS, break_long_words=False, break_on_hyphens=False)


def peers_section(table, rounds, about):
    """The README's."""
    words = paragraph(f"""
        Echo servers on one processor, loaded by `hawser bench` on another, over the loopback ({about}). {rounds_text(rounds)}, in which
        the servers took turns. Figures are messages per second of the server's processor time, relative to `{LIMIT}`, which makes the
        reads and writes of an echo server and nothing else; hawser's have their least and greatest round behind them. "{WHOLE}" sends
        frames as long as the messages, where these are longer than its default of 4 KiB. The last column is relative to the best of the
        other libraries. What lies above 1 is the scatter.""")
    return f"""
{words}

{figures.speed_table(table)}
{figures.rest_table(table, WORKLOADS)}
<img src="include/guide/performance.svg" alt="{PEERS_TITLE}">
"""


def growth_section(cells, rounds, about):
    """The guide's."""
    lost = figures.cliffs(cells)
    cliffs = "; ".join(lost) if lost else "none"
    least = min(figures.cell_ratios(cells).values())
    words = paragraph(f"""
        Measured on {about}. {rounds_text(rounds)}. A latency counts from when a message was due. Payloads of which the connections would
        have more than 256 MiB in flight are left out. Relative to `{LIMIT}` in the same cell, messages per second of the
        server's processor time are {least:.2f} at least; cells below {figures.CLIFF}: {cliffs}. Values above 1 show how much a
        measurement scatters.""")
    return f"""
![Growth with connections and payload](growth.svg)

{words}
"""


def write(path, content):
    path.write_text(content, encoding="utf-8")
    print(f"wrote {os.path.relpath(path)}")


def write_pages(runs, about):
    """README, guide and plots, of those suites that were run."""
    for suite, page, plot, make in (
        ("peers", ROOT / "README.md", "performance.svg", peers_page),
        ("growth", GUIDE / "performance.md", "growth.svg", growth_page),
    ):
        if runs.get(suite):
            rounds = 1 + max(entry["round"] for entry in runs[suite])
            section, drawn = make(runs[suite], rounds, about)
            write(page, figures.put_between(page.read_text(encoding="utf-8"), BEGIN, END, section))
            write(GUIDE / plot, drawn)


def peers_page(entries, rounds, about):
    table = figures.tabulate(entries)
    return peers_section(table, rounds, about), peers_plot(table, about)


def growth_page(cells, rounds, about):
    return growth_section(cells, rounds, about), growth_plot(cells, about)
