"""The PDF's charts that lie: bars with a name each, win rates with whiskers, scenarios from P10 to P90."""

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing

from analytics.report import figures, palette
from analytics.report.charts import Bars, Ranges, Whiskers
from analytics.report.pages.fonts import Typesetter
from analytics.report.pages.plot import SMALL, Sketch
from analytics.report.pages.upright import WRITTEN
from analytics.report.scale import Scale, ticks

NAMES = 140.0  # points at most for the names on the left
FOOT = 14.0
ROW = 17.0
HEAD = 14.0  # above the rows, for a legend or the name of the reference line


def _names(sketch: Sketch, names: Sequence[str], rows: Sequence[float]) -> float:
    """Write the names, right-aligned before the plot; where the plot begins."""
    left = min(NAMES, sketch.widest(names)) + 8
    for name, y in zip(names, rows, strict=True):
        fitted = sketch.fit(name, NAMES)
        sketch.text(left - 8, y - SMALL * 0.35, fitted, anchor="end", colour=palette.TEXT)
    return left


def _rows(count: int, height: float, step: float) -> list[float]:
    """The middles of the rows, from the top."""
    return [height - HEAD - (n + 0.5) * step for n in range(count)]


def _grid(sketch: Sketch, across: Scale, marks: Sequence[float], labels: Sequence[str]) -> None:
    top = sketch.height - HEAD
    for mark, label in zip(marks, labels, strict=True):
        x = across(mark)
        sketch.line((x, FOOT), (x, top), palette.QUIET if mark == 0 else palette.LINE)
        sketch.text(x, 3, label, anchor="middle")


def _reference(sketch: Sketch, across: Scale, value: float | None, name: str) -> None:
    if value is None or not across.low <= value <= across.high:
        return
    x, top = across(value), sketch.height - HEAD
    sketch.line((x, FOOT), (x, top + 2), palette.WARM, 1.2, (3, 2))
    half = sketch.widest([name], bold=True) / 2
    at = min(max(x, half), sketch.width - half)
    sketch.text(at, top + 4.5, name, anchor="middle", colour=palette.TEXT, bold=True)


def bars(chart: Bars, typesetter: Typesetter, width: float) -> Drawing:
    """One bar a name and series, with its value behind it."""
    many = len(chart.series)
    step = ROW if many == 1 else 9.0 * many + 6
    sketch = Sketch(typesetter, width, HEAD + FOOT + step * len(chart.categories))
    rows = _rows(len(chart.categories), sketch.height, step)
    left = _names(sketch, chart.categories, rows)
    written = WRITTEN[chart.kind]
    values = [value for series in chart.series for value in series.values]
    marks = ticks(min([0.0, *values]), max([0.0, *values]))
    room = sketch.widest([written(value) for value in values]) + 6
    across = Scale(marks[0], marks[-1], left, width - max(room, 12))
    share = chart.kind == "share"
    labels = [figures.share_tick(mark) if share else figures.compact(mark) for mark in marks]
    _grid(sketch, across, marks, labels)
    thick = 9.5 if many == 1 else 8.0
    for place, series in enumerate(chart.series):
        for value, middle in zip(series.values, rows, strict=True):
            y = middle + ((many - 1) / 2 - place) * 9.0
            start, end = sorted((across(0), across(value)))
            sketch.box(start, y - thick / 2, end - start, thick, palette.SERIES[place % len(palette.SERIES)])
            sketch.text(end + 4, y - SMALL * 0.35, written(value), colour=palette.TEXT, on_white=True)
    if many > 1:
        _legend(sketch, [series.name for series in chart.series], left)
    return sketch.drawing


def _legend(sketch: Sketch, names: Sequence[str], x: float) -> None:
    y = sketch.height - 8
    for place, name in enumerate(names):
        sketch.box(x, y - 1, 7, 7, palette.SERIES[place % len(palette.SERIES)])
        sketch.text(x + 10, y, name, colour=palette.TEXT)
        x += 10 + sketch.widest([name]) + 14


def whiskers(chart: Whiskers, typesetter: Typesetter, width: float) -> Drawing:
    """A dot for each share, a whisker for its interval, the note at the right edge."""
    sketch = Sketch(typesetter, width, HEAD + FOOT + ROW * len(chart.rows))
    rows = _rows(len(chart.rows), sketch.height, ROW)
    left = _names(sketch, [row.label for row in chart.rows], rows)
    known = [] if chart.reference is None else [chart.reference]
    marks = ticks(min([row.low for row in chart.rows] + known), max([row.high for row in chart.rows] + known))
    marks = [mark for mark in marks if -1e-9 <= mark <= 1 + 1e-9]
    across = Scale(marks[0], marks[-1], left + 8, width - sketch.widest([row.note for row in chart.rows]) - 16)
    _grid(sketch, across, marks, [figures.share_tick(mark) for mark in marks])
    _reference(sketch, across, chart.reference, chart.reference_name)
    for (_, low, value, high, note), y in zip(chart.rows, rows, strict=True):
        sketch.line((across(low), y), (across(high), y), palette.ACCENT, 1.6)
        for end in (low, high):
            sketch.line((across(end), y - 3), (across(end), y + 3), palette.ACCENT, 1.0)
        sketch.dot(across(value), y, 3.4, palette.INK)
        sketch.text(width, y - SMALL * 0.35, note, anchor="end", colour=palette.TEXT)
    return sketch.drawing


def ranges(chart: Ranges, typesetter: Typesetter, width: float) -> Drawing:
    """A bar from P10 to P90 a row, its median marked and written at the right edge."""
    sketch = Sketch(typesetter, width, HEAD + FOOT + (ROW + 3) * len(chart.rows))
    rows = _rows(len(chart.rows), sketch.height, ROW + 3)
    left = _names(sketch, [row.label for row in chart.rows], rows)
    notes = [f"P50 {figures.amount(row.value)}" for row in chart.rows]
    known = [] if chart.reference is None else [chart.reference]
    marks = ticks(min([row.low for row in chart.rows] + known), max([row.high for row in chart.rows] + known))
    across = Scale(marks[0], marks[-1], left + 8, width - sketch.widest(notes) - 16)
    _grid(sketch, across, marks, [figures.compact(mark) for mark in marks])
    for (_, low, middle, high, _), y, note in zip(chart.rows, rows, notes, strict=True):
        sketch.box(across(low), y - 5, max(0.5, across(high) - across(low)), 10, palette.ACCENT)
        sketch.box(across(middle) - 1.2, y - 7, 2.4, 14, palette.INK)
        sketch.text(width, y - SMALL * 0.35, note, anchor="end", colour=palette.TEXT)
    _reference(sketch, across, chart.reference, chart.reference_name)
    return sketch.drawing
