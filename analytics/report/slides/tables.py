"""Tables on slides: as many rows as stand on one, the rest counted below them."""

from functools import partial
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.util import Inches, Length, Pt

from analytics.report import model, palette, widths
from analytics.report.slides.parts import box, write
from analytics.report.slides.text import fit, lines, width
from analytics.report.slides.theme import SIDE, TEXT_WIDTH, colour

_PLAIN = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's "no style, no grid"
_NS = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
SIZES = (14.0, 13.0, 12.0, 11.0, 10.0)
NARROWEST, AIR = 70.0, 70.0  # points, as in `widths.columns`
PAD = 5.0
MOST_LINES = 2


def table(slide: Any, block: model.Table, top: Length, bottom: Length) -> Length:
    """Draw the table from `top`, with as many rows as find room above `bottom`; returns where it ends."""
    room = bottom.pt - top.pt
    for size in SIZES:
        across, heights, rows, fits = _laid_out(block, size, room)
        if fits and len(rows) == len(block.rows):
            break
    _draw(slide, block, rows, across, heights, top, size)
    if len(rows) < len(block.rows):
        _note(slide, f"{len(rows)} of {len(block.rows)} rows are shown.", bottom)
    return Length(top + Pt(sum(heights)))


def _laid_out(block: model.Table, size: float, room: float) -> tuple[list[float], list[float], list[list[str]], bool]:
    """Widths, heights (the header's first) and the texts of the rows that fit into `room`; do the widths suffice?"""
    full = TEXT_WIDTH / Pt(1)
    wanted = widths.natural(block, partial(_measure, size), PAD + 1)
    fits = widths.numbers_leave(block, wanted, full) >= NARROWEST
    across = widths.columns(block, wanted, full, NARROWEST, AIR)
    heads = [_lines(column.title, size, wide, True) for column, wide in zip(block.columns, across, strict=True)]
    heights, rows = [_height(max(heads, default=1), size)], []
    for row in block.rows:
        texts = [
            _fitted(text, column, size, wide) for text, column, wide in zip(row, block.columns, across, strict=True)
        ]
        tall = _height(max(_lines(text, size, wide) for text, wide in zip(texts, across, strict=True)), size)
        if sum(heights) + tall > room - 18:
            break
        heights.append(tall)
        rows.append(texts)
    return across, heights, rows, fits


def _measure(size: float, text: str, bold: bool) -> float:
    return width(text, size, bold)


def _lines(text: str, size: float, wide: float, bold: bool = False) -> int:
    return min(MOST_LINES, lines(text, size, wide - 2 * PAD, bold))


def _height(many: int, size: float) -> float:
    return many * size * 1.22 + 0.7 * size


def _fitted(text: str, column: model.Column, size: float, wide: float) -> str:
    return fit(text, size, wide - 2 * PAD, most_lines=MOST_LINES if column.kind == "wrap" else 1)


def _draw(
    slide: Any,
    block: model.Table,
    rows: list[list[str]],
    across: list[float],
    heights: list[float],
    top: Length,
    size: float,
) -> None:
    frame = slide.shapes.add_table(len(rows) + 1, len(across), SIDE, top, TEXT_WIDTH, Pt(sum(heights)))
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"Table: {block.title}")
    drawn = frame.table
    frame._element.graphic.graphicData.tbl.tblPr.find(f"{{{_NS.split(chr(34))[1]}}}tableStyleId").text = _PLAIN
    for n, wide in enumerate(across):
        drawn.columns[n].width = Pt(wide)
    for n, tall in enumerate(heights):
        drawn.rows[n].height = Pt(tall)
    titles = [
        fit(column.title, size, wide - 2 * PAD, True, MOST_LINES)
        for column, wide in zip(block.columns, across, strict=True)
    ]
    for y, texts in enumerate([titles, *rows]):
        for x, (text, column) in enumerate(zip(texts, block.columns, strict=True)):
            _cell(drawn.cell(y, x), text, column, size, y)


def _cell(cell: Any, text: str, column: model.Column, size: float, row: int) -> None:
    head = row == 0
    cell.margin_left = cell.margin_right = Pt(PAD)
    cell.margin_top = cell.margin_bottom = Pt(3)
    cell.vertical_anchor = MSO_ANCHOR.BOTTOM if head else MSO_ANCHOR.TOP
    cell.fill.solid()
    cell.fill.fore_color.rgb = colour(palette.WHITE if head or row % 2 else palette.MIST)
    cell.text_frame.word_wrap = True
    paragraph = write(cell.text_frame, text, size, palette.INK if head else palette.TEXT, bold=head)
    paragraph.alignment = PP_ALIGN.RIGHT if column.kind == "number" else PP_ALIGN.LEFT
    line, wide = (palette.INK, 12700) if head else (palette.LINE, 6350)
    border = f'<a:lnB {_NS} w="{wide}"><a:solidFill><a:srgbClr val="{line.lstrip("#")}"/></a:solidFill></a:lnB>'
    cell._tc.get_or_add_tcPr().insert(0, parse_xml(border))


def _note(slide: Any, text: str, bottom: Length) -> None:
    frame = box(slide, SIDE, Length(bottom - Pt(14)), TEXT_WIDTH, Inches(0.25))
    write(frame, text, 10.5, palette.QUIET)
