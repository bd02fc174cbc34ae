"""Plots as SVG, written by hand: bars (one panel for each workload) and lines (one panel for each
question). White ground, colours that colour-blind eyes tell apart, every line labelled at its end."""

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

COLOURS = {"floor": "#777777", "sluice": "#d55e00", "unbound": "#0072b2", "dnsdist": "#009e73",
           "kresd": "#cc79a7", "recursor": "#8c6d00", "bind": "#56b4e9", "smartdns": "#7b5ea7",
           "dnsmasq": "#a0522d"}
FONT = "DejaVu Sans, Verdana, sans-serif"
INK, FAINT = "#222222", "#dddddd"


def colour(label):
    return COLOURS.get(label.split()[0], "#444444")


class Canvas:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []
        self.rect(0, 0, width, height, "#ffffff")

    def rect(self, x, y, width, height, fill):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>' % (
            x, y, max(width, 0), max(height, 0), fill))

    def line(self, x1, y1, x2, y2, stroke=FAINT, width=1.0, opacity=1.0):
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" '
                          'stroke-width="%.1f" stroke-opacity="%.2f"/>' % (
                              x1, y1, x2, y2, stroke, width, opacity))

    def path(self, points, stroke, dashed=False):
        self.parts.append(
            '<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>' % (
                " ".join("%.1f,%.1f" % p for p in points), stroke,
                ' stroke-dasharray="5 4"' if dashed else ""))

    def dot(self, x, y, fill):
        self.parts.append('<circle cx="%.1f" cy="%.1f" r="2.6" fill="%s"/>' % (x, y, fill))

    def text(self, x, y, text, size=12, anchor="start", fill=INK, bold=False):
        self.parts.append(
            '<text x="%.1f" y="%.1f" font-family="%s" font-size="%d" text-anchor="%s" fill="%s"'
            '%s>%s</text>' % (x, y, FONT, size, anchor, fill,
                              ' font-weight="bold"' if bold else "", escape(text)))

    def save(self, path):
        path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                        'viewBox="0 0 %d %d">\n%s\n</svg>\n' % (
                            self.width, self.height, self.width, self.height,
                            "\n".join(self.parts)))


def short(number):
    """12 -> 12, 25000 -> 25k, 1500000 -> 1.5M"""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= limit:
            return "%g%s" % (round(number / limit, 2), unit)
    return "%g" % round(number, 2)


def bars(path, title, panels, unit):
    """panels: (title, [(label, median, low, high)]). Two columns of panels."""
    panels = [(name, rows) for name, rows in panels if rows]
    if not panels:
        return
    row_height, panel_width, top = 20, 470, 60
    grid = [panels[i:i + 2] for i in range(0, len(panels), 2)]
    heights = [max(len(rows) for _, rows in line) * row_height + 46 for line in grid]
    canvas = Canvas(2 * panel_width + 20, top + sum(heights) + 10)
    canvas.text(20, 32, title, 18, bold=True)
    y = top
    for line, height in zip(grid, heights):
        for column, (name, rows) in enumerate(line):
            bar_panel(canvas, 20 + column * panel_width, y, panel_width - 30, name, rows, unit,
                      row_height)
        y += height
    canvas.save(path)


def bar_panel(canvas, x, y, width, name, rows, unit, row_height):
    names, values = 78, 92
    room = width - names - values
    most = max(high for _, _, _, high in rows) or 1
    canvas.text(x, y + 4, name, 13, bold=True)
    for i, (label, median, low, high) in enumerate(rows):
        at = y + 16 + i * row_height
        canvas.text(x + names - 8, at + 12, label, 12, "end", bold=label == "sluice")
        canvas.rect(x + names, at + 2, room * median / most, row_height - 6, colour(label))
        middle = at + row_height / 2 - 1
        if high > low:
            canvas.line(x + names + room * low / most, middle, x + names + room * high / most,
                        middle, INK, 1.2)
        canvas.text(x + names + room * max(high, median) / most + 6, at + 12,
                    "%s %s" % ("%.3g" % median, unit), 12)


@dataclass
class Panel:
    title: str
    x_title: str
    y_title: str
    series: list = field(default_factory=list)  # (label, [(x, y)], dashed)
    log_x: bool = False
    log_y: bool = False
    y_low: float = None
    y_high: float = None
    x_ticks: list = None  # instead of even ones


class Axis:
    """From values to places between two ends, evenly or by powers of ten."""

    def __init__(self, low, high, start, end, log):
        self.log, self.start, self.end = log, start, end
        if log:
            low, high = math.log10(max(low, 1e-9)), math.log10(max(high, 1e-9))
        if high <= low:
            high = low + 1
        self.low, self.high = low, high

    def at(self, value):
        value = math.log10(max(value, 1e-9)) if self.log else value
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self):
        if self.log:
            powers = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
            marks = [10.0 ** p for p in powers]
            if len(marks) < 3:  # too short a span for powers of ten alone
                marks = [m * 10.0 ** p for p in range(math.floor(self.low), math.ceil(self.high))
                         for m in (1, 2, 5)]
            return [m for m in marks if self.low - 1e-9 <= math.log10(m) <= self.high + 1e-9]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 3))
        step *= next(f for f in (1, 2, 5, 10) if (self.high - self.low) / (step * f) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def lines(path, title, panels, note=""):
    """Two panels to a row; three if their number is a multiple of three."""
    panels = [panel for panel in panels if any(points for _, points, _ in panel.series)]
    if not panels:
        return
    width, height = 480, 360
    columns = 2 if len(panels) % 3 else 3
    rows = -(-len(panels) // columns)
    canvas = Canvas(20 + width * min(columns, len(panels)), 60 + height * rows)
    canvas.text(20, 32, title, 18, bold=True)
    if note:
        canvas.text(20, 52, note, 12, fill="#555555")
    for i, panel in enumerate(panels):
        line_panel(canvas, panel, 80 + i % columns * width, 90 + i // columns * height,
                   width - 170, height - 100)
    canvas.save(path)


def line_panel(canvas, panel, left, top, width, height):
    points = [p for _, line, _ in panel.series for p in line]
    ys = [y for _, y in points]
    low = panel.y_low if panel.y_low is not None else min(ys) * (0.8 if panel.log_y else 0.95)
    high = panel.y_high if panel.y_high is not None else max(ys) * (1.25 if panel.log_y else 1.05)
    xs = [x for x, _ in points]
    x_axis = Axis(min(xs) if panel.log_x else 0, max(xs), left, left + width, panel.log_x)
    y_axis = Axis(low, high, top + height, top, panel.log_y)
    canvas.text(left, top - 12, panel.title, 13, bold=True)
    canvas.text(left + width, top + height + 36, panel.x_title, 12, "end")
    canvas.text(left - 54, top + 4 - 12, panel.y_title, 12)
    for tick in y_axis.ticks():
        canvas.line(left, y_axis.at(tick), left + width, y_axis.at(tick))
        canvas.text(left - 8, y_axis.at(tick) + 4, short(tick), 11, "end")
    for tick in panel.x_ticks or x_axis.ticks():
        canvas.line(x_axis.at(tick), top + height, x_axis.at(tick), top + height + 4, INK)
        canvas.text(x_axis.at(tick), top + height + 18, short(tick), 11, "middle")
    canvas.line(left, top + height, left + width, top + height, INK)
    ends = []
    for label, line, dashed in panel.series:
        if not line:
            continue
        places = [(x_axis.at(x), y_axis.at(min(max(y, low), high))) for x, y in line]
        canvas.path(places, colour(label), dashed)
        for place in places:
            canvas.dot(*place, colour(label))
        ends.append([places[-1][1], places[-1][0], label, places[-1][1]])
    label_ends(canvas, ends, top, top + height)


def label_ends(canvas, ends, top, bottom):
    """Labels at the right of the lines' ends, moved apart where they would overlap."""
    ends.sort()
    for before, end in zip(ends, ends[1:]):
        end[0] = max(end[0], before[0] + 13)
    over = ends[-1][0] - bottom if ends else 0
    for end in reversed(ends):
        if over > 0:
            end[0] -= over
            over = min(over, top - end[0]) if end[0] < top else over
    right = max(end[1] for end in ends) if ends else 0
    for y, x, label, end_y in ends:
        if x < right - 1:
            canvas.line(x + 4, end_y, right + 4, y, colour(label), 0.8, 0.4)
        canvas.text(right + 8, y + 4, label, 11, fill=colour(label))
