"""Blocks as ReportLab flowables: headings, key figures, bullets, notices, charts. Tables have `tables`."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Spacer, Table, TableStyle

from analytics.report import charts, model, palette
from analytics.report.pages import lying, upright
from analytics.report.pages.fonts import BOLD, REGULAR, Typesetter
from analytics.report.pages.tables import table_flowable
from analytics.report.widths import cards

CHARTS: dict[type, Callable[..., Any]] = {
    charts.Columns: upright.columns,
    charts.Histogram: upright.histogram,
    charts.Curve: upright.curve,
    charts.Bars: lying.bars,
    charts.Whiskers: lying.whiskers,
    charts.Ranges: lying.ranges,
}


class Mark(Flowable):
    """No ink: a bookmark, an entry in the outline, and a word to whoever collects page numbers."""

    def __init__(self, key: str, title: str, level: int, begin: Callable[[int, float], None]) -> None:
        super().__init__()
        self.key, self.title, self.level, self.begin = key, title, level, begin
        self.width = self.height = 0

    def draw(self) -> None:
        self.canv.bookmarkHorizontal(self.key, 0, 40)
        self.canv.addOutlineEntry(self.title, self.key, self.level - 1, closed=self.level == 1 or None)
        self.begin(self.canv.getPageNumber(), self.canv.absolutePosition(0, 0)[1])


class Setter:
    """Turns blocks into flowables of one width, for pages with `page` points of height."""

    def __init__(self, typesetter: Typesetter, width: float, page: float) -> None:
        self.typesetter, self.width, self.page = typesetter, width, page
        self._waiting: list[Any] = []  # headings that nothing has followed yet
        ink, text, quiet = HexColor(palette.INK), HexColor(palette.TEXT), HexColor(palette.QUIET)
        self.body = ParagraphStyle("body", fontName=REGULAR, fontSize=9, leading=13, textColor=text)
        self.h1 = ParagraphStyle(
            "h1", fontName=BOLD, fontSize=19, leading=24, textColor=ink, spaceBefore=22, spaceAfter=8
        )
        self.h2 = ParagraphStyle(
            "h2", fontName=BOLD, fontSize=12.5, leading=16, textColor=ink, spaceBefore=12, spaceAfter=4
        )
        self.h3 = ParagraphStyle(
            "h3", fontName=BOLD, fontSize=9.5, leading=13, textColor=ink, spaceBefore=8, spaceAfter=4
        )
        self.caption = ParagraphStyle(
            "caption", fontName=REGULAR, fontSize=7.5, leading=10, textColor=quiet, spaceAfter=8
        )

    def markup(self, text: str, font: str = REGULAR) -> str:
        return self.typesetter.markup(text, font)

    def text(self, text: str, raw: bool = False) -> Paragraph:
        """A paragraph of running text; `raw` where the markup is ours already."""
        return Paragraph(text if raw else self.markup(text), self.body)

    def small(self, text: str, colour: str, font: str = REGULAR, size: float = 7.0) -> Paragraph:
        style = ParagraphStyle("small", fontName=font, fontSize=size, leading=size * 1.35, textColor=HexColor(colour))
        return Paragraph(self.markup(text, font), style)

    def title(self, text: str) -> Paragraph:
        return Paragraph(self.markup(text, BOLD), self.h3)

    def section(self, section: model.Section, mark: Mark) -> list[Any]:
        """Heading and blocks; a heading stays with what follows it, be it in the next section."""
        style = self.h1 if section.level == 1 else self.h2
        self._waiting += [Paragraph(self.markup(section.title, BOLD), style), mark]
        story: list[Any] = []
        for block, following in pairwise([*section.blocks, None]):
            titled = isinstance(block, model.Table) and block.title.lower() != section.title.lower()
            group = self.block(block, titled)
            if isinstance(block, model.Heading) or (
                isinstance(block, model.Prose) and isinstance(following, model.Table)
            ):
                self._waiting += group
                continue
            story += [CondPageBreak(self._needed(self._waiting + group)), *self._waiting, *group]
            self._waiting = []
        return story

    def _needed(self, group: list[Any]) -> float:
        """Points that must be left on the page: all of the group, or the beginning of a long one."""
        total, bullets = 0.0, 0
        for item in group:
            bullets += isinstance(item, Paragraph) and item.style.name == "bullet"
            if bullets > 3:
                break
            tall = item.wrap(self.width, self.page)[1]
            long = isinstance(item, Table) and tall > self.page / 3
            total += item.getSpaceBefore() + (110.0 if long else tall) + item.getSpaceAfter()
        return min(total, self.page)

    def block(self, block: Any, titled: bool = True) -> list[Any]:
        """The flowables of one block."""
        match block:
            case model.KeyFigures():
                return [self._key_figures(block), Spacer(1, 8)]
            case model.Heading():
                return [self.title(block.text)]
            case model.Bullets():
                return self._bullets(block)
            case model.Notice():
                return [self._notice(block), Spacer(1, 8)]
            case model.Table():
                return self._table(block, titled)
            case charts.Chart():
                return self._chart(block)
            case _:
                return [self.text(block.text), Spacer(1, 6)]

    def _key_figures(self, block: model.KeyFigures) -> Table:
        many = len(block.figures)
        across = cards(many)
        cells: list[Any] = [self._figure(figure, self.width / across - 14) for figure in block.figures]
        cells += [""] * (-len(cells) % across)
        rows = [cells[n : n + across] for n in range(0, len(cells), across)]
        mist = HexColor(palette.MIST)
        style = [
            *(("BACKGROUND", (n % across, n // across), (n % across, n // across), mist) for n in range(many)),
            ("LINEAFTER", (0, 0), (-2, -1), 3, HexColor(palette.WHITE)),
            ("LINEBELOW", (0, 0), (-1, -2), 3, HexColor(palette.WHITE)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 8),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ]
        return Table(rows, [self.width / across] * across, style=TableStyle(style))

    def _figure(self, figure: model.Figure, room: float) -> list[Any]:
        sizes = (17.0, 15.0, 13.0, 11.0, 9.0)
        size = next((s for s in sizes if self.typesetter.width(figure.value, s, BOLD) <= room), sizes[-1])
        value = self.typesetter.fit(figure.value, room, size, BOLD)
        style = ParagraphStyle("value", fontName=BOLD, fontSize=size, leading=21, textColor=HexColor(palette.INK))
        label = self.typesetter.fit(figure.label, room, 8, BOLD)
        said: list[Any] = [Paragraph(self.markup(value, BOLD), style), self.small(label, palette.TEXT, BOLD, 8)]
        return [*said, self.small(figure.note, palette.QUIET)] if figure.note else said

    def _bullets(self, block: model.Bullets) -> list[Any]:
        style = ParagraphStyle(
            "bullet", parent=self.body, leftIndent=11, bulletIndent=0, bulletFontName=BOLD, spaceAfter=3,
            bulletColor=HexColor(palette.WARM),
        )  # fmt: skip
        items = [Paragraph(self.markup(item), style, bulletText="•") for item in block.items]
        for item in items[-2:-1]:
            item.keepWithNext = 1  # no page begins with a lone last one
        title = [self.title(block.title)] if block.title else []
        return [*title, *items, Spacer(1, 6)]

    def _notice(self, block: model.Notice) -> Table:
        warning = block.kind == "warning"
        style = [
            ("BACKGROUND", (0, 0), (-1, -1), HexColor(palette.WASH if warning else palette.MIST)),
            ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(palette.WARM if warning else palette.ACCENT)),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 7),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
        said = [Paragraph(self.markup(block.title, BOLD), ParagraphStyle("t", parent=self.body, fontName=BOLD))]
        return Table([[[*said, self.text(block.text)]]], [self.width], style=TableStyle(style))

    def _table(self, block: model.Table, titled: bool) -> list[Any]:
        table = table_flowable(block, self.typesetter, self.width)
        note = [Spacer(1, 3), Paragraph(self.markup(block.note), self.caption)] if block.note else [Spacer(1, 8)]
        return [*([self.title(block.title)] if titled else []), table, *note]

    def _chart(self, block: charts.Chart) -> list[Any]:
        bold = ParagraphStyle("message", parent=self.body, fontName=BOLD, fontSize=9.5, spaceAfter=1)
        drawing = CHARTS[type(block)](block, self.typesetter, self.width)
        message = Paragraph(self.markup(block.message, BOLD), bold)
        return [message, Paragraph(self.markup(block.caption), self.caption), drawing, Spacer(1, 8)]
