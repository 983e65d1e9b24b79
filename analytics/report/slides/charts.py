"""Native charts for the slides: editable in PowerPoint, with the results' own values behind them."""

from collections.abc import Callable
from typing import Any

from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION
from pptx.oxml import parse_xml
from pptx.util import Pt

from analytics.report import charts, figures, palette
from analytics.report.slides import intervals, kit
from analytics.report.slides.books import SafePoints
from analytics.report.slides.kit import Box
from analytics.report.slides.theme import colour


def _columns(slide: Any, block: charts.Columns, box: Box) -> Any:
    number_format = figures.cell_format(block.kind, block.series.values)
    data = kit.data(block.categories, [block.series], number_format)
    made = kit.add(slide, XL_CHART_TYPE.COLUMN_CLUSTERED, data, block, box)
    labelled = len(block.categories) <= kit.LABELS
    kit.axes(made, number_format, values=not labelled)
    plot = made.plots[0]
    plot.gap_width = 55
    kit.fill(plot.series[0], palette.INK)
    if block.series.values:
        best = max(range(len(block.series.values)), key=block.series.values.__getitem__)
        kit.fill(plot.series[0].points[best], palette.WARM)
    if labelled:
        kit.label(plot, number_format, XL_LABEL_POSITION.OUTSIDE_END)
    return made


def _bars(slide: Any, block: charts.Bars, box: Box) -> Any:
    values = [value for series in block.series for value in series.values]
    number_format = figures.cell_format(block.kind, values)
    data = kit.data(block.categories, block.series, number_format)
    made = kit.add(slide, XL_CHART_TYPE.BAR_CLUSTERED, data, block, box)
    kit.axes(made, number_format, values=False)
    kit.from_the_top(made)
    plot = made.plots[0]
    plot.gap_width, plot.overlap = 45 if len(block.categories) > 6 else 110, 0
    for n, series in enumerate(plot.series):
        kit.fill(series, palette.SERIES[n % len(palette.SERIES)])
    kit.label(plot, number_format, XL_LABEL_POSITION.OUTSIDE_END)
    if len(block.series) > 1:
        kit.legend(made)
    return made


def _histogram(slide: Any, block: charts.Histogram, box: Box) -> Any:
    middles = [(low + high) / 2 for low, high in zip(block.edges, block.edges[1:], strict=False)]
    names = [figures.compact(float(f"{middle:.3g}")).replace(" ", "") for middle in middles]
    data = kit.data(names, [charts.Series("Runs", block.counts)], "#,##0")
    made = kit.add(slide, XL_CHART_TYPE.COLUMN_CLUSTERED, data, block, box)
    kit.axes(made, "#,##0")
    plot = made.plots[0]
    plot.gap_width = 6
    marks = dict(block.marks)
    skip = parse_xml(f'<c:tickLblSkip {kit.NS} val="{-(-len(names) // 9)}"/>')
    made.category_axis._element.find(f"{kit.C}noMultiLvlLbl").addprevious(skip)
    made.category_axis.tick_labels.font.size = Pt(11)
    low, high = marks.get("P10", block.edges[0]), marks.get("P90", block.edges[-1])
    kit.fill(plot.series[0], palette.ACCENT)
    for n, middle in enumerate(middles):
        if not low <= middle <= high:
            kit.fill(plot.series[0].points[n], palette.LINE)
    return made


def _curve(slide: Any, block: charts.Curve, box: Box) -> Any:
    data = SafePoints(number_format="0.0%")
    held = data.add_series("Held together")
    held.add_data_point(0, 0)
    for rank, share in enumerate(block.values, 1):
        held.add_data_point(rank, share)
    equal = data.add_series("If all were equal")
    equal.add_data_point(0, 0)
    equal.add_data_point(len(block.values), block.values[-1])
    made = kit.add(slide, XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS, data, block, box)
    kit.axes(made, "0%")
    made.value_axis.minimum_scale, made.value_axis.maximum_scale, made.value_axis.major_unit = 0, 1, 0.2
    made.category_axis.minimum_scale, made.category_axis.maximum_scale = 0, len(block.values)
    made.category_axis.has_title = True
    made.category_axis.axis_title.text_frame.text = block.x_name
    for series, name, width in zip(made.plots[0].series, (palette.INK, palette.WARM), (2.5, 1.5), strict=True):
        series.format.line.color.rgb, series.format.line.width = colour(name), Pt(width)
        series.smooth = False
    kit.legend(made)
    return made


_KINDS: dict[type, Callable[[Any, Any, Box], Any]] = {
    charts.Columns: _columns,
    charts.Bars: _bars,
    charts.Whiskers: intervals.whiskers,
    charts.Ranges: intervals.ranges,
    charts.Histogram: _histogram,
    charts.Curve: _curve,
}


def chart(slide: Any, block: charts.Chart, box: Box) -> Any:
    """Draw `block` into `box` and return python-pptx's chart."""
    return _KINDS[type(block)](slide, block, box)
