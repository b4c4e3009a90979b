"""Plots as SVG, readable on light and dark pages."""

import html
import math

STYLE = """
svg { font: 12px system-ui, sans-serif; }
.text, .note { paint-order: stroke; stroke: #fcfcfb; stroke-width: 3px; }
.page { fill: #fcfcfb; } .text { fill: #0b0b0b; } .note { fill: #52514e; } .title { fill: #0b0b0b; font-weight: 600; }
.grid { stroke: #e4e3df; } .limit { stroke: #52514e; stroke-dasharray: 4 3; } .peer { fill: #b9b7ae; } .own { fill: #2a78d6; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.s0 { stroke: #86b6ef; } .s1 { stroke: #3987e5; } .s2 { stroke: #1c5cab; } .s3 { stroke: #0d366b; }
.d0 { fill: #86b6ef; } .d1 { fill: #3987e5; } .d2 { fill: #1c5cab; } .d3 { fill: #0d366b; }
@media (prefers-color-scheme: dark) {
.text, .note { stroke: #1a1a19; }
.page { fill: #1a1a19; } .text, .title { fill: #f5f4f0; } .note { fill: #c3c2b7; }
.grid { stroke: #3a3a37; } .limit { stroke: #c3c2b7; } .peer { fill: #6b6a64; } .own { fill: #3987e5; }
.s0 { stroke: #256abf; } .s1 { stroke: #5598e7; } .s2 { stroke: #9ec5f4; } .s3 { stroke: #e6f0fd; }
.d0 { fill: #256abf; } .d1 { fill: #5598e7; } .d2 { fill: #9ec5f4; } .d3 { fill: #e6f0fd; }
}
"""


def text(x, y, content, css="text", anchor="start"):
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(content)}</text>'


def line(x1, y1, x2, y2, css="grid"):
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def document(width, height, description, elements):
    """The whole of an SVG file."""
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">\n'
            f"<title>{html.escape(description)}</title>\n<style>{STYLE}</style>\n"
            f'<rect class="page" width="{width}" height="{height}"/>\n')
    return head + "\n".join(elements) + "\n</svg>\n"


BAR_WIDTH, BAR_HEIGHT, BAR_STEP, NAME_WIDTH, PANEL_WIDTH = 240, 13, 19, 100, 410


def bar_panel(left, top, title, bars, limit=None, note=""):
    """One bar under the other: (name, length from 0 to 1, what is written behind it, whether it is ours). `limit` is the length at
    which a line goes across them."""
    elements = [text(left, top, title, "title"), text(left + PANEL_WIDTH - 20, top, note, "note", "end")]
    start = left + NAME_WIDTH
    if limit is not None:
        x = start + BAR_WIDTH * limit
        elements.append(line(x, top + 8, x, top + 12 + BAR_STEP * len(bars), "limit"))
    for number, (name, length, label, is_own) in enumerate(bars):
        y = top + 12 + BAR_STEP * number
        width = max(1, BAR_WIDTH * length)
        elements += [
            text(start - 8, y + 11, name, "text" if is_own else "note", "end"),
            f'<rect class="{"own" if is_own else "peer"}" x="{start}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>',
            text(start + width + 6, y + 11, label, "text" if is_own else "note"),
        ]
    return elements


def bars(description, caption, panels):
    """Panels of bars (arguments of bar_panel) in two columns, below the lines of the caption."""
    elements = [text(20, 26 + 16 * number, row, "note") for number, row in enumerate(caption)]
    top = 42 + 16 * len(caption)
    for first in range(0, len(panels), 2):
        for column, panel in enumerate(panels[first : first + 2]):
            elements += bar_panel(20 + column * (PANEL_WIDTH + 20), top, **panel)
        top += 44 + BAR_STEP * max(len(panel["bars"]) for panel in panels[first : first + 2])
    return document(2 * PANEL_WIDTH + 60, top - 20, description, elements)


PLOT_WIDTH, PLOT_HEIGHT = 300, 150


def decades(values):
    """The powers of ten between which the values lie."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def quarters(values):
    """Steps from 0 to above the values and 1."""
    return [step / 4 for step in range(max(5, math.ceil(4 * max(values))) + 1)]


def line_panel(left, top, title, names, series, form, is_linear=False):
    """Lines over equal steps, one for each of the series, whose values may be None; `names` are those of the steps. `form` writes a
    value of the y axis, which is logarithmic unless it `is_linear`."""
    values = [value for row in series for value in row if value]
    ticks = quarters(values) if is_linear else decades(values)

    def height(value):
        share = value / ticks[-1] if is_linear else math.log10(value / ticks[0]) / math.log10(ticks[-1] / ticks[0])
        return top + 14 + PLOT_HEIGHT * (1 - share)

    elements = [text(left, top, title, "title")]
    for tick in ticks:
        css = "limit" if is_linear and tick == 1 else "grid"
        elements += [line(left + 50, height(tick), left + 50 + PLOT_WIDTH, height(tick), css),
                     text(left + 44, height(tick) + 4, form(tick), "note", "end")]
    places = [left + 66 + (PLOT_WIDTH - 32) * step / max(1, len(names) - 1) for step in range(len(names))]
    elements += [text(place, top + PLOT_HEIGHT + 32, name, "note", "middle") for place, name in zip(places, names)]
    for number, row in enumerate(series):
        points = [(place, height(value)) for place, value in zip(places, row) if value]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        elements.append(f'<polyline class="line s{number}" points="{way}"/>')
        elements += [f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
    return elements


def lines(description, caption, legend, panels):
    """Panels of lines (arguments of line_panel) in two columns; the legend names the series."""
    elements = [text(20, 26, caption, "note")]
    x = 20
    for number, name in enumerate(legend):
        elements += [f'<rect class="d{number}" x="{x}" y="42" width="12" height="12" rx="2"/>', text(x + 18, 52, name)]
        x += 40 + 7 * len(name)
    step = PLOT_HEIGHT + 70
    for number, panel in enumerate(panels):
        elements += line_panel(20 + number % 2 * (PLOT_WIDTH + 90), 90 + number // 2 * step, **panel)
    return document(2 * PLOT_WIDTH + 190, 90 + (len(panels) + 1) // 2 * step - 20, description, elements)
