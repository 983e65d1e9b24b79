"""The document as slides: 16:9, one message each, native charts and tables with the PDF's figures."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.util import Inches, Length, Pt

from analytics.report import charts, figures, model, palette
from analytics.report.slides import parts
from analytics.report.slides.charts import chart
from analytics.report.slides.plan import Slide, plan
from analytics.report.slides.tables import table
from analytics.report.slides.text import fit
from analytics.report.slides.theme import SIDE, TEXT_WIDTH, WIDTH, deck

BOTTOM = Inches(6.8)
CARE = 0.96  # of the width is taken to be there: no two programs set a line alike
_FIXED = (1980, 1, 1, 0, 0, 0)


def pptx(document: model.Document) -> model.Rendered:
    """The document as PPTX bytes, with its number of slides."""
    made = deck()
    planned, warnings = plan(document)
    _front(made, document)
    for slide in planned:
        _slide(made, slide, document)
    _describe(made, document)
    output = io.BytesIO()
    made.save(output)
    return model.Rendered(_without_clock(output.getvalue()), len(made.slides), warnings)


def _front(made: Any, document: model.Document) -> None:
    slide = made.slides.add_slide(made.slide_layouts[0])
    slide.shapes.title.text = document.title
    sizes = (38, 32, 27, 22, 18)
    size = next((s for s in sizes if fit(document.title, s, 780, True, 3) == document.title), sizes[-1])
    slide.shapes.title.text_frame.paragraphs[0].runs[0].font.size = Pt(size)
    subtitle = slide.placeholders[1]
    subtitle.text = fit(document.subtitle, 18, 780, most_lines=2) or document.printed_on
    mark = parts.box(slide, SIDE, Inches(0.62), Inches(4), Inches(0.3))
    parts.write(mark, "Callboard", 14, palette.WHITE, bold=True)
    parts.box(slide, Length(0), Inches(5.42), WIDTH, Inches(0.06), palette.WARM)
    facts = parts.box(slide, SIDE, Inches(5.72), TEXT_WIDTH, Inches(1.4))
    said = [("Date", document.printed_on), *document.facts]
    for n, (name, text) in enumerate(said):
        line = fit(f"{name}: {text}", 12, TEXT_WIDTH.pt * CARE)
        paragraph = parts.write(facts, line, 12, "#C9D6E3", fresh=n == 0)
        paragraph.space_after = Pt(3)


def _slide(made: Any, planned: Slide, document: model.Document) -> None:
    layout = made.slide_layouts[1]
    slide = made.slides.add_slide(layout)
    room = TEXT_WIDTH.pt * CARE
    size = next((s for s in (26, 22) if fit(planned.title, s, room, True) == planned.title), 20)
    title = fit(planned.title, size, room, True, 2)
    slide.shapes.title.text = title
    slide.shapes.title.text_frame.paragraphs[0].runs[0].font.size = Pt(size)
    kicker = parts.box(slide, SIDE, Inches(0.4), TEXT_WIDTH, Inches(0.26))
    parts.write(kicker, fit(planned.kicker, 12, room, True), 12, palette.ACCENT, bold=True)
    top = Length(Inches(1.22) if fit(title, size, room, True) == title else Inches(1.5))
    if planned.lead:
        lead = parts.box(slide, SIDE, top, TEXT_WIDTH, Inches(0.45))
        said = fit(planned.lead, 12, room, most_lines=2)
        parts.write(lead, said, 12, palette.QUIET)
        top = Length(top + (Inches(0.34) if fit(said, 12, room) == said else Inches(0.54)))
    _body(slide, planned, Length(top + Inches(0.12)))
    parts.footer(slide, layout, fit(f"{document.title} · {document.printed_on}", 10, 600))


def _body(slide: Any, planned: Slide, top: Length) -> None:
    if planned.figures:
        top = Length(parts.key_figures(slide, planned.figures, top) + Inches(0.1))
    for notice in planned.notices:
        top = parts.notice(slide, notice, top)
    if planned.points:
        parts.points(slide, planned.points, planned.size, top, BOTTOM)
    if planned.chart is not None:
        width = TEXT_WIDTH
        if isinstance(planned.chart, charts.Histogram) and planned.chart.marks:
            width = Length(TEXT_WIDTH - Inches(2.6))
            _marks(slide, planned.chart, top)
        chart(slide, planned.chart, (SIDE, top, width, Length(BOTTOM - top)))
    for each in planned.tables:
        if len(planned.tables) > 1:
            name = parts.box(slide, SIDE, top, TEXT_WIDTH, Inches(0.3))
            parts.write(name, fit(each.title, 14, 800, True), 14, palette.INK, bold=True)
            top = Length(top + Inches(0.32))
        top = Length(table(slide, each, top, BOTTOM) + Inches(0.22))


def _marks(slide: Any, block: charts.Histogram, top: Length) -> None:
    """The percentiles as cards beside the histogram: a native column chart cannot carry upright lines."""
    left = Length(SIDE + TEXT_WIDTH - Inches(2.4))
    for n, (name, value) in enumerate(block.marks[:4]):
        frame = parts.box(slide, left, Length(top + n * Inches(1.02)), Inches(2.4), Inches(0.9), palette.MIST)
        parts.write(frame, fit(figures.amount(value), 20, 150, True), 20, palette.INK, bold=True)
        parts.write(frame, name, 12, palette.TEXT, bold=True, fresh=False)


def _describe(made: Any, document: model.Document) -> None:
    about = made.core_properties
    about.title, about.subject, about.author = document.title[:250], document.subtitle[:250], "Callboard"
    about.last_modified_by, about.comments, about.keywords, about.language = "Callboard", "", "", "en-GB"
    about.created = about.modified = datetime(2000, 1, 1, tzinfo=UTC)
    about.revision = 1
    package = made.part.package
    for key, relation in list(package._rels.items()):
        if relation.reltype == RT.THUMBNAIL:  # a picture of the empty template
            package._rels.pop(key)


def _without_clock(data: bytes) -> bytes:
    """The same package with fixed times on its members: the same report gives the same bytes."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(output, "w") as new:
        for member in old.namelist():
            new.writestr(zipfile.ZipInfo(member, _FIXED), old.read(member), zipfile.ZIP_DEFLATED)
    return output.getvalue()
