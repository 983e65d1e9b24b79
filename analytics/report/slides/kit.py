"""What the slides' native charts share: data with a safe workbook, axes, labels, legend, colours."""

from collections.abc import Sequence
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.util import Length, Pt

from analytics.report import charts, palette
from analytics.report.slides.books import SafeCategories
from analytics.report.slides.text import fit
from analytics.report.slides.theme import FACE, colour

LABELS = 14  # bars up to which each carries its value
NAME = 150.0  # points for a bar's name
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
NS = f'xmlns:c="{C[1:-1]}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
Box = tuple[Length, Length, Length, Length]  # left, top, width, height


def add(slide: Any, kind: Any, data: Any, block: charts.Chart, box: Box) -> Any:
    """A chart with the block's message as its alternative text, and our letters."""
    frame = slide.shapes.add_chart(kind, *box, data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{block.message} {block.caption}")
    made = frame.chart
    made.has_title = False
    made.has_legend = False
    made.font.size, made.font.name = Pt(12), FACE
    made.font.color.rgb = colour(palette.QUIET)
    return made


def data(names: Sequence[str], series: Sequence[charts.Series], number_format: str) -> CategoryChartData:
    """Values as they are, under names short enough for an axis."""
    made = SafeCategories(number_format=number_format)
    made.categories = [fit(name, 12, NAME) for name in names]
    for each in series:
        made.add_series(each.name, each.values)
    return made


def fill(target: Any, name: str) -> None:
    """Paint a series, a point or a marker."""
    target.format.fill.solid()
    target.format.fill.fore_color.rgb = colour(name)


def axes(made: Any, number_format: str, *, values: bool = True) -> None:
    """Quiet axes; `values=False` leaves the value axis out where the bars carry their values."""
    value, category = made.value_axis, made.category_axis
    value.visible = values
    value.has_major_gridlines = values
    if value.has_major_gridlines:
        value.major_gridlines.format.line.color.rgb = colour(palette.LINE)
        value.major_gridlines.format.line.width = Pt(0.5)
    value.format.line.fill.background()
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = number_format, False
    value.major_tick_mark = category.major_tick_mark = XL_TICK_MARK.NONE
    category.format.line.color.rgb = colour(palette.QUIET)
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category.has_major_gridlines = False


def label(plot: Any, number_format: str, position: Any, name: str = palette.TEXT) -> None:
    """Write each value beside its bar or point."""
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.show_value = True
    labels.number_format, labels.number_format_is_linked = number_format, False
    labels.position = position
    labels.font.size, labels.font.name = Pt(11), FACE
    labels.font.color.rgb = colour(name)


def from_the_top(made: Any) -> None:
    """Let lying bars begin with the first, above."""
    made.category_axis.reverse_order = True
    made.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH  # which is below, now


def legend(made: Any) -> None:
    """A legend above the plot."""
    made.has_legend = True
    made.legend.position, made.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    made.legend.font.size, made.legend.font.name = Pt(12), FACE
