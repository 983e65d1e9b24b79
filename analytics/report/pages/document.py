"""The document as a PDF: A4, a cover, running heads, `3 of 9`, bookmarks, embedded fonts.

Set twice: the first pass counts the pages and finds where the chapters begin, the second prints both. ReportLab's
invariant mode leaves out clocks and random identifiers, so the same document gives the same bytes.
"""

import io
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageBreak, PageTemplate

from analytics.report import palette
from analytics.report.model import Document, Rendered, Section
from analytics.report.pages.blocks import Mark, Setter
from analytics.report.pages.cover import COVER_HEIGHT, cover_story, draw_cover
from analytics.report.pages.fonts import BOLD, REGULAR, Typesetter

PAGE_WIDTH, PAGE_HEIGHT = A4
SIDE = 20 * mm
TEXT_WIDTH = PAGE_WIDTH - 2 * SIDE
TOP, BOTTOM = 25 * mm, 20 * mm


def pdf(document: Document) -> Rendered:
    """The document as PDF bytes, with its number of pages."""
    first = _Pass(document, pages=0, starts={})
    last = _Pass(document, pages=first.pages, starts=first.starts)
    if (last.pages, last.starts) != (first.pages, first.starts):  # the numbers' own width moved a line
        last = _Pass(document, pages=last.pages, starts=last.starts)
    return Rendered(last.data, last.pages, last.typesetter.warnings)


class _Pass:
    """One setting of the whole document."""

    def __init__(self, document: Document, pages: int, starts: dict[int, int]) -> None:
        self.document = document
        self.typesetter = Typesetter()
        self.of = pages
        self.starts: dict[int, int] = {}  # chapter's place in the document -> page
        self._chapter = ""  # the one that is being set
        self._head = ""  # the one that a page's head names
        output = io.BytesIO()
        template = _Template(self, output)
        template.build(self._story(starts), canvasmaker=Canvas)
        self.pages: int = template.page
        self.data = output.getvalue()

    def _story(self, starts: dict[int, int]) -> list[Any]:
        setter = Setter(self.typesetter, TEXT_WIDTH, PAGE_HEIGHT - TOP - BOTTOM)
        story = cover_story(self.document, setter, starts)
        story += [NextPageTemplate("text"), PageBreak()]
        for place, section in enumerate(self.document.sections):
            story += self._section(setter, place, section)
        return story

    def _section(self, setter: Setter, place: int, section: Section) -> list[Any]:
        mark = Mark(
            f"section-{place}", section.title, section.level, lambda page, y: self._begin(place, section, page, y)
        )
        return setter.section(section, mark)

    def _begin(self, place: int, section: Section, page: int, y: float) -> None:
        if section.level == 1:
            self.starts[place] = page
            self._chapter = section.title
            if y > PAGE_HEIGHT - TOP - 60 or not self._head:
                self._head = section.title

    def draw_text_page(self, canvas: Canvas, template: BaseDocTemplate) -> None:
        """Running head and foot; drawn when the page is full, for only then it is known whether a chapter began it."""
        width = TEXT_WIDTH * 0.62
        canvas.saveState()
        canvas.setStrokeColor(HexColor(palette.LINE))
        canvas.setLineWidth(0.5)
        canvas.line(SIDE, PAGE_HEIGHT - 17 * mm, PAGE_WIDTH - SIDE, PAGE_HEIGHT - 17 * mm)
        head = PAGE_HEIGHT - 14.5 * mm
        self._write(canvas, SIDE, head, self.typesetter.fit(self.document.title, width, 7.5), palette.QUIET)
        chapter = self.typesetter.fit(self._head, TEXT_WIDTH * 0.34, 7.5)
        self._write(canvas, PAGE_WIDTH - SIDE, head, chapter, palette.QUIET, end=True)
        self._write(canvas, SIDE, 11 * mm, f"Callboard · {self.document.printed_on}", palette.QUIET)
        number = f"{template.page} of {self.of}"
        self._write(canvas, PAGE_WIDTH - SIDE, 11 * mm, number, palette.INK, end=True, font=BOLD)
        canvas.restoreState()
        self._head = self._chapter

    def draw_cover_page(self, canvas: Canvas, template: BaseDocTemplate) -> None:
        draw_cover(canvas, self.document, self.typesetter, PAGE_WIDTH, PAGE_HEIGHT, SIDE)

    def _write(
        self, canvas: Canvas, x: float, y: float, text: str, colour: str, *, end: bool = False, font: str = REGULAR
    ) -> None:
        if end:
            x -= self.typesetter.width(text, 7.5, font)
        canvas.setFillColor(HexColor(colour))
        for face, piece in self.typesetter.runs(text, font):
            canvas.setFont(face, 7.5)
            canvas.drawString(x, y, piece)
            x += self.typesetter.width(piece, 7.5, font)


class _Template(BaseDocTemplate):
    """Cover and text pages, and the document's own description."""

    def __init__(self, setting: _Pass, output: io.BytesIO) -> None:
        document = setting.document
        super().__init__(
            output,
            pagesize=A4,
            invariant=1,
            title=document.title,
            author="Callboard",
            subject=document.subtitle or "Report",
            creator="Callboard",
            producer="Callboard",
            lang="en-GB",
            pageCompression=1,
        )
        bare = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
        height = PAGE_HEIGHT - TOP - BOTTOM
        under = PAGE_HEIGHT - COVER_HEIGHT - BOTTOM - 10 * mm
        text = Frame(SIDE, BOTTOM, TEXT_WIDTH, height, id="text", **bare)
        below = Frame(SIDE, BOTTOM, TEXT_WIDTH, under, id="below", **bare)
        self.addPageTemplates(
            [
                PageTemplate("cover", [below], onPage=setting.draw_cover_page, autoNextPageTemplate="text"),
                PageTemplate("text", [text], onPageEnd=setting.draw_text_page),
            ]
        )
