"""Native charts of intervals: win rates with error bars, scenarios from P10 to P90."""

from collections.abc import Sequence
from typing import Any

from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_MARKER_STYLE
from pptx.oxml import parse_xml

from analytics.report import charts, figures, palette
from analytics.report.scale import ticks
from analytics.report.slides import kit
from analytics.report.slides.kit import Box


def whiskers(slide: Any, block: charts.Whiskers, box: Box) -> Any:
    """Bars from zero with an error bar each, for their 95% intervals."""
    names = [row.label for row in block.rows]
    data = kit.data(names, [charts.Series("Win rate", [row.value for row in block.rows])], "0.0%")
    made = kit.add(slide, XL_CHART_TYPE.BAR_CLUSTERED, data, block, box)
    kit.axes(made, "0%")
    kit.from_the_top(made)
    made.value_axis.minimum_scale = 0
    plot = made.plots[0]
    plot.gap_width = 45
    kit.fill(plot.series[0], palette.ACCENT)
    kit.label(plot, "0.0%", XL_LABEL_POSITION.INSIDE_BASE, palette.WHITE)
    _add_error_bars(plot.series[0], block.rows)
    return made


def ranges(slide: Any, block: charts.Ranges, box: Box) -> Any:
    """P10, P50 and P90 as marks above each other, joined by an error bar."""
    names = [row.label for row in block.rows]
    series = [charts.Series(name, [getattr(row, bound) for row in block.rows]) for name, bound in _BOUNDS]
    every = [value for each in series for value in each.values]
    number_format = figures.cell_format("amount", every)
    data = kit.data(names, series, number_format)
    made = kit.add(slide, XL_CHART_TYPE.LINE_MARKERS, data, block, box)
    kit.axes(made, number_format)
    for drawn, (style, name) in zip(made.plots[0].series, _MARKS, strict=True):
        drawn.smooth = False
        drawn.format.line.fill.background()
        drawn.marker.style, drawn.marker.size = style, 14
        kit.fill(drawn.marker, name)
        drawn.marker.format.line.fill.background()
    _add_error_bars(made.plots[0].series[1], block.rows, "y")
    if len(block.rows) <= kit.LABELS // 2:
        kit.label(made.plots[0], number_format, XL_LABEL_POSITION.RIGHT)
    made.value_axis.minimum_scale = ticks(min(every), max(every))[0]
    kit.legend(made)
    return made


_BOUNDS = (("P10", "low"), ("P50", "value"), ("P90", "high"))
_MARKS = (
    (XL_MARKER_STYLE.DASH, palette.ACCENT),
    (XL_MARKER_STYLE.DIAMOND, palette.INK),
    (XL_MARKER_STYLE.DASH, palette.WARM),
)


def _add_error_bars(series: Any, rows: Sequence[charts.Interval], direction: str = "") -> None:
    """From low to high around the value.

    python-pptx has no error bars; this is what PowerPoint writes for custom ones. A bar chart knows their direction,
    a line chart wants to be told: `y`.
    """
    directed = f'<c:errDir val="{direction}"/>' if direction else ""
    plus = _literal([row.high - row.value for row in rows])
    minus = _literal([row.value - row.low for row in rows])
    line = f'<a:ln w="19050"><a:solidFill><a:srgbClr val="{palette.WARM.lstrip("#")}"/></a:solidFill></a:ln>'
    element = parse_xml(
        f'<c:errBars {kit.NS}>{directed}<c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>'
        f"<c:plus>{plus}</c:plus><c:minus>{minus}</c:minus><c:spPr>{line}</c:spPr></c:errBars>"
    )
    series._element.find(f"{kit.C}cat").addprevious(element)


def _literal(values: Sequence[float]) -> str:
    points = "".join(f'<c:pt idx="{n}"><c:v>{value!r}</c:v></c:pt>' for n, value in enumerate(values))
    return f'<c:numLit><c:formatCode>General</c:formatCode><c:ptCount val="{len(values)}"/>{points}</c:numLit>'
