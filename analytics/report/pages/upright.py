"""The PDF's charts that stand: columns by month, a histogram with its percentiles, a concentration curve."""

from collections.abc import Callable, Sequence

from reportlab.graphics.shapes import Drawing

from analytics.report import figures, palette
from analytics.report.charts import Columns, Curve, Histogram
from analytics.report.pages.fonts import Typesetter
from analytics.report.pages.plot import SMALL, Sketch
from analytics.report.scale import Scale, ticks

HEIGHT = 175.0
WRITTEN: dict[str, Callable[[object], str]] = {
    "amount": figures.amount,
    "count": figures.count,
    "share": figures.percent,
}
FOOT = 16.0  # below the plot, for the labels of the x axis


def _upright_axis(
    sketch: Sketch, values: Sequence[float], head: float, share: bool = False, foot: float = FOOT
) -> tuple[Scale, float]:
    """Grid and labels of the y axis; its scale and where the plot begins."""
    marks = ticks(min([0.0, *values]), max([0.0, *values]))
    labels = [figures.share_tick(mark) if share else figures.compact(mark) for mark in marks]
    left = sketch.widest(labels) + 6
    scale = Scale(marks[0], marks[-1], foot, sketch.height - head)
    for mark, label in zip(marks, labels, strict=True):
        y = scale(mark)
        sketch.line((left, y), (sketch.width, y), palette.QUIET if mark == 0 else palette.LINE)
        sketch.text(left - 5, y - SMALL * 0.35, label, anchor="end")
    return scale, left


def columns(chart: Columns, typesetter: Typesetter, width: float) -> Drawing:
    """One bar a category; the highest carries its value."""
    sketch = Sketch(typesetter, width, HEIGHT)
    values = chart.series.values
    scale, left = _upright_axis(sketch, values, head=14, share=chart.kind == "share")
    slot = (width - left) / max(1, len(values))
    every = max(1, -(-int(sketch.widest(chart.categories) + 8) // max(1, int(slot))))
    bar = min(36.0, slot * 0.68)
    best = max(range(len(values)), key=values.__getitem__, default=-1)
    for n, (name, value) in enumerate(zip(chart.categories, values, strict=True)):
        middle = left + (n + 0.5) * slot
        bottom, top = sorted((scale(0), scale(value)))
        sketch.box(middle - bar / 2, bottom, bar, top - bottom, palette.WARM if n == best else palette.INK)
        if n == best:
            label = WRITTEN[chart.kind](value)
            half = sketch.widest([label], bold=True) / 2
            at = min(max(middle, left + half), width - half)
            sketch.text(at, top + 4, label, anchor="middle", colour=palette.TEXT, bold=True)
        if (len(values) - 1 - n) % every == 0:
            label = sketch.fit(name, slot * every)
            half = sketch.widest([label]) / 2
            sketch.text(min(middle, width - half), 3, label, anchor="middle")
    return sketch.drawing


def histogram(chart: Histogram, typesetter: Typesetter, width: float) -> Drawing:
    """Counts between edges; the outer tenths are pale, percentiles and target are named above."""
    sketch = Sketch(typesetter, width, HEIGHT + 20)
    rows = _levels(sketch, chart, width)
    head = 8 + 11 * (1 + max((level for _, _, _, level in rows), default=0))
    tall, left = _upright_axis(sketch, chart.counts, head)
    across = Scale(chart.edges[0], chart.edges[-1], left, width)
    marks = dict(chart.marks)
    inner = marks.get("P10", chart.edges[0]), marks.get("P90", chart.edges[-1])
    for low, high, height in zip(chart.edges, chart.edges[1:], chart.counts, strict=False):
        inside = inner[0] <= (low + high) / 2 <= inner[1]
        x = across(low)
        gap = min(0.8, (across(high) - x) * 0.15)
        sketch.box(x + gap / 2, tall(0), max(0.1, across(high) - x - gap), tall(height) - tall(0), _shade(inside))
    _amount_axis(sketch, across)
    for name, value, label, level in rows:
        x, top = across(value), sketch.height - head + 5 + 11 * level
        colour = palette.INK if name != "Target" else palette.WARM
        sketch.line((x, tall(0)), (x, top), colour, 1.1, None if name == "P50" else (3, 2))
        half = sketch.widest([label], bold=True) / 2
        at = min(max(x, half), width - half)
        sketch.text(at, top + 2.5, label, anchor="middle", colour=palette.TEXT, bold=True)
    return sketch.drawing


def _shade(inside: bool) -> str:
    return palette.ACCENT if inside else palette.LINE


def _levels(sketch: Sketch, chart: Histogram, width: float) -> list[tuple[str, float, str, int]]:
    """Each mark with its label and the row it stands in, so that no label covers another."""
    across = Scale(chart.edges[0], chart.edges[-1], 30, width)
    taken: list[float] = []  # where the last label of each row ends
    placed = []
    shown = [(name, value) for name, value in chart.marks if chart.edges[0] <= value <= chart.edges[-1]]
    for name, value in sorted(shown, key=lambda mark: mark[1]):
        label = f"{name} {figures.amount(value)}"
        half = sketch.widest([label], bold=True) / 2
        start = min(max(across(value), half), width - half) - half
        level = next((n for n, end in enumerate(taken) if end + 8 < start), len(taken))
        taken[level:] = [start + 2 * half, *taken[level + 1 :]]
        placed.append((name, value, label, level))
    return placed


def _amount_axis(sketch: Sketch, across: Scale) -> None:
    for mark in ticks(across.low, across.high, 6):
        if across.low <= mark <= across.high:
            label = figures.compact(mark)
            half = sketch.widest([label]) / 2
            x = min(max(across(mark), across.start + half), across.end - half)
            sketch.line((across(mark), FOOT), (across(mark), FOOT - 3))
            sketch.text(x, 3, label, anchor="middle")


def curve(chart: Curve, typesetter: Typesetter, width: float) -> Drawing:
    """The cumulative share over the ranks, above the straight line of equal parts."""
    sketch = Sketch(typesetter, width, HEIGHT + 10)
    name_of_axis = 11
    tall, left = _upright_axis(sketch, [0.0, 1.0], head=6, share=True, foot=FOOT + name_of_axis)
    across = Scale(0, len(chart.values), left, width - 8)
    points = [(across(0), tall(0)), *((across(n), tall(share)) for n, share in enumerate(chart.values, 1))]
    sketch.area([*points, (across(len(chart.values)), tall(0))], palette.MIST)
    sketch.line((across(0), tall(0)), points[-1], palette.QUIET, 0.7, (3, 2))
    sketch.path(points, palette.INK)
    for n in sorted({int(mark) for mark in ticks(0, len(chart.values), 6, whole=True) if mark <= len(chart.values)}):
        sketch.text(across(n), 3 + name_of_axis, figures.count(n), anchor="middle")
    sketch.text((left + width) / 2, 2, chart.x_name, anchor="middle")
    for rank, label in chart.marks:
        if rank <= len(chart.values):
            x, y = points[rank]
            sketch.dot(x, y, 3.4, palette.WARM)
            if x - 7 - sketch.widest([label], bold=True) > left:  # above the curve, or else below it
                sketch.text(x - 7, y + 6, label, anchor="end", colour=palette.TEXT, bold=True)
            else:
                sketch.text(x + 9, y - 9, label, colour=palette.TEXT, bold=True)
    return sketch.drawing
