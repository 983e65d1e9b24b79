"""Compact tables for the PDF: numbers as wide as they need, texts share the rest, the header on every page."""

from functools import partial
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import LongTable, Paragraph, TableStyle

from analytics.report import palette, widths
from analytics.report.model import Column, Table
from analytics.report.pages.fonts import BOLD, REGULAR, Typesetter

SIZES = (7.5, 7.0, 6.5, 6.0)
PAD = 4.0
AIR = 48.0  # points that a number column gets at most beyond its widest number
NARROWEST = 46.0  # points that a text column keeps, whatever the numbers ask for


def table_flowable(block: Table, typesetter: Typesetter, width: float) -> LongTable:
    """The table, exactly `width` points wide."""
    for size in SIZES:
        wanted = widths.natural(block, partial(_width, typesetter, size), PAD + 0.5)
        if widths.numbers_leave(block, wanted, width) >= NARROWEST:
            break
    across = widths.columns(block, wanted, width, NARROWEST, AIR)
    rows: list[list[Any]] = [[_head(column, typesetter, size) for column in block.columns]]
    for row in block.rows:
        cells = zip(row, block.columns, across, strict=True)
        rows.append([_cell(text, column, typesetter, size, w) for text, column, w in cells])
    return LongTable(rows, across, repeatRows=1, style=_style(len(block.rows)))


def _width(typesetter: Typesetter, size: float, text: str, bold: bool) -> float:
    return typesetter.width(text, size, BOLD if bold else REGULAR)


def _head(column: Column, typesetter: Typesetter, size: float) -> Any:
    style = ParagraphStyle(
        "head", fontName=BOLD, fontSize=size, leading=size * 1.25, textColor=HexColor(palette.INK),
        alignment=2 if column.kind == "number" else 0,
    )  # fmt: skip
    return Paragraph(typesetter.markup(column.title, BOLD), style)


def _cell(text: str, column: Column, typesetter: Typesetter, size: float, width: float) -> Any:
    style = ParagraphStyle(
        "cell", fontName=REGULAR, fontSize=size, leading=size * 1.35, textColor=HexColor(palette.TEXT),
        alignment=2 if column.kind == "number" else 0,
    )  # fmt: skip
    if column.kind != "wrap":
        text = typesetter.fit(text, width - 2 * PAD, size)
    return Paragraph(typesetter.markup(text), style)


def _style(rows: int) -> TableStyle:
    return TableStyle(
        [
            ("NOSPLIT", (0, 0), (-1, min(3, rows))),  # a page ends or begins with three rows, never with one
            ("NOSPLIT", (0, max(0, rows - 2)), (-1, rows)),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 1.0, HexColor(palette.INK)),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor(palette.LINE)),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [HexColor(palette.WHITE), HexColor(palette.MIST)]),
            ("LEFTPADDING", (0, 0), (-1, -1), PAD),
            ("RIGHTPADDING", (0, 0), (-1, -1), PAD),
            ("TOPPADDING", (0, 0), (-1, -1), 2.0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.0),
        ]
    )
