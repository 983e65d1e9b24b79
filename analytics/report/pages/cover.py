"""The first page: a dark block with the title, below it what the report stands on and what is inside."""

from itertools import zip_longest
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, Spacer, Table, TableStyle

from analytics.report import palette
from analytics.report.model import Document
from analytics.report.pages.blocks import Setter
from analytics.report.pages.fonts import BOLD, REGULAR, Typesetter

COVER_HEIGHT = 118 * mm
MOST_LINES = 4
ONE_COLUMN = 12  # chapters


def draw_cover(
    canvas: Canvas, document: Document, typesetter: Typesetter, width: float, height: float, side: float
) -> None:
    """The block with title, subtitle and date, from the page's upper edge."""
    canvas.saveState()
    foot = height - COVER_HEIGHT
    canvas.setFillColor(HexColor(palette.INK))
    canvas.rect(0, foot, width, COVER_HEIGHT, stroke=0, fill=1)
    canvas.setFillColor(HexColor(palette.WARM))
    canvas.rect(0, foot - 1.6 * mm, width, 1.6 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor(palette.WHITE))
    canvas.setFont(BOLD, 10.5)
    canvas.drawString(side, height - 22 * mm, "Callboard")
    room = width - 2 * side
    subtitle = _paragraph(typesetter, document.subtitle, REGULAR, 13, 18, "#C9D6E3")
    date = _paragraph(typesetter, document.printed_on, REGULAR, 10, 14, "#C9D6E3")
    y = foot + 14 * mm
    for paragraph, gap in ((date, 3 * mm), (subtitle, 5 * mm), (_title(typesetter, document.title, room), 0)):
        _, tall = paragraph.wrap(room, height)
        paragraph.drawOn(canvas, side, y)
        y += tall + gap
    canvas.restoreState()


def _paragraph(typesetter: Typesetter, text: str, font: str, size: float, leading: float, colour: str) -> Paragraph:
    style = ParagraphStyle("cover", fontName=font, fontSize=size, leading=leading, textColor=HexColor(colour))
    return Paragraph(typesetter.markup(text, font), style)


def _title(typesetter: Typesetter, title: str, room: float) -> Paragraph:
    """As large as four lines allow."""
    for size in (32, 28, 24, 20, 17):
        paragraph = _paragraph(typesetter, title, BOLD, size, size * 1.16, palette.WHITE)
        _, tall = paragraph.wrap(room, 10_000)
        if tall <= MOST_LINES * size * 1.16:
            break
    return paragraph


def cover_story(document: Document, setter: Setter, starts: dict[int, int]) -> list[Any]:
    """The facts, and the chapters with the pages they begin on."""
    facts = [[setter.small(name.upper(), palette.QUIET, BOLD), setter.text(said)] for name, said in document.facts]
    story: list[Any] = [_plain(facts, [26 * mm, setter.width - 26 * mm])]
    entries = [
        [
            setter.text(f'<a href="#section-{place}">{setter.markup(section.title)}</a>', raw=True),
            Paragraph(str(starts.get(place, "")), ParagraphStyle("right", parent=setter.body, alignment=TA_RIGHT)),
        ]
        for place, section in enumerate(document.sections)
        if section.level == 1
    ]
    return [*story, Spacer(1, 7 * mm), setter.title("Contents"), _contents(entries, setter.width)]


def _contents(entries: list[list[Any]], width: float) -> Table:
    """One column, or two side by side where one would not fit below the cover's block."""
    line = ("LINEBELOW", (0, 0), (1, -1), 0.4, HexColor(palette.LINE))
    if len(entries) <= ONE_COLUMN:
        return _plain(entries, [width - 20 * mm, 20 * mm], [line])
    half, gap = -(-len(entries) // 2), 8 * mm
    rows = [[*left, "", *right] for left, right in zip_longest(entries[:half], entries[half:], fillvalue=["", ""])]
    name = (width - gap) / 2 - 10 * mm
    lines = [line, ("LINEBELOW", (3, 0), (4, -1), 0.4, HexColor(palette.LINE))]
    return _plain(rows, [name, 10 * mm, gap, name, 10 * mm], lines)


def _plain(rows: list[list[Any]], widths: list[float], style: list[tuple[Any, ...]] | None = None) -> Table:
    base: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
    ]
    return Table(rows, widths, style=TableStyle(base + (style or [])), hAlign="LEFT")
