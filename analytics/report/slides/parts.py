"""What stands on a slide: words, key figures, notices, tables and the footer, each in a box of its own."""

from collections.abc import Sequence
from typing import Any

from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.util import Inches, Length, Pt

from analytics.report import model, palette
from analytics.report.slides.plan import AFTER, HEADING, MOST_LINES, POINT_WIDTH, Point
from analytics.report.slides.text import fit
from analytics.report.slides.theme import FACE, SIDE, TEXT_WIDTH, colour
from analytics.report.widths import cards

_NS = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
_QUIET = (  # spelt out, for not every program lets a footer inherit
    f'<a:rPr lang="en-GB" sz="1000"><a:solidFill><a:srgbClr val="{palette.QUIET.lstrip("#")}"/></a:solidFill>'
    f'<a:latin typeface="{FACE}"/></a:rPr>'
)


def box(slide: Any, left: Length, top: Length, width: Length, height: Length, fill: str | None = None) -> Any:
    """A text box without margins, or with a filled ground and some air; its text frame wraps."""
    if fill is None:
        shape = slide.shapes.add_textbox(left, top, width, height)
    else:
        shape = _rectangle(slide, left, top, width, height, fill)
    frame = shape.text_frame
    frame.word_wrap = True
    margin = Pt(0) if fill is None else Pt(9)
    frame.margin_left = frame.margin_right = margin
    frame.margin_top = frame.margin_bottom = Pt(0) if fill is None else Pt(7)
    frame.vertical_anchor = MSO_ANCHOR.TOP
    return frame


def _rectangle(slide: Any, left: Length, top: Length, width: Length, height: Length, fill: str) -> Any:
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, left, top, width, height)
    shape.fill.solid()
    shape.fill.fore_color.rgb = colour(fill)
    shape.line.fill.background()
    style = shape._element.find("{http://schemas.openxmlformats.org/presentationml/2006/main}style")
    shape._element.remove(style)  # the theme's shadow and letters
    return shape


def write(frame: Any, text: str, size: float, name: str, *, bold: bool = False, fresh: bool = True) -> Any:
    """One paragraph of `text`; the first of a frame, or with `fresh=False` another below."""
    paragraph = frame.paragraphs[0] if fresh else frame.add_paragraph()
    paragraph.alignment = PP_ALIGN.LEFT
    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, FACE
    run.font.color.rgb = colour(name)
    return paragraph


def key_figures(slide: Any, figures: Sequence[model.Figure], top: Length) -> Length:
    """Cards in rows of at most five; where the next thing may begin."""
    many = len(figures)
    across = cards(many)
    gap, height = Inches(0.12), Inches(1.0)
    width = Length((TEXT_WIDTH - (across - 1) * gap) // across)
    for n, figure in enumerate(figures):
        row, column = divmod(n, across)
        left, y = SIDE + column * (width + gap), top + row * (height + gap)
        frame = box(slide, Length(left), Length(y), width, height, palette.MIST)
        room = width.pt - 20
        sizes = (26.0, 23.0, 20.0, 17.0, 14.0)
        size = next((s for s in sizes if fit(figure.value, s, room, True) == figure.value), sizes[-1])
        write(frame, fit(figure.value, size, room, True), size, palette.INK, bold=True)
        write(frame, fit(figure.label, 12, room, True), 12, palette.TEXT, bold=True, fresh=False)
        if figure.note:
            write(frame, fit(figure.note, 10.5, room), 10.5, palette.QUIET, fresh=False)
    return Length(top + -(-many // across) * (height + gap))


def points(slide: Any, found: Sequence[Point], size: float, top: Length, bottom: Length) -> None:
    """Bulleted lines, headings without bullet."""
    frame = box(slide, SIDE, top, TEXT_WIDTH, Length(bottom - top))
    for n, point in enumerate(found):
        text = fit(point.text, size, POINT_WIDTH, most_lines=MOST_LINES)
        if point.heading:
            paragraph = write(frame, text, size - 2, palette.INK, bold=True, fresh=n == 0)
            paragraph.space_before = Pt(HEADING if n else 0)
        else:
            paragraph = write(frame, text, size, palette.TEXT, fresh=n == 0)
            _bullet(paragraph)
        paragraph.space_after = Pt(AFTER)


def _bullet(paragraph: Any) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", "228600")
    properties.set("indent", "-228600")
    for xml in (
        f'<a:buClr {_NS}><a:srgbClr val="{palette.WARM.lstrip("#")}"/></a:buClr>',
        f'<a:buFont {_NS} typeface="Arial"/>',
        f'<a:buChar {_NS} char="•"/>',
    ):
        properties.append(parse_xml(xml))


def notice(slide: Any, found: model.Notice, top: Length) -> Length:
    """A box across the slide; where the next thing may begin."""
    height = Inches(1.0)
    warning = found.kind == "warning"
    _rectangle(slide, SIDE, top, Inches(0.06), height, palette.WARM if warning else palette.ACCENT)
    left, width = Length(SIDE + Inches(0.06)), Length(TEXT_WIDTH - Inches(0.06))
    frame = box(slide, left, top, width, height, palette.WASH if warning else palette.MIST)
    write(frame, fit(found.title, 15, width.pt - 20, True), 15, palette.TEXT, bold=True)
    write(frame, fit(found.text, 13, width.pt - 20, most_lines=2), 13, palette.TEXT, fresh=False)
    return Length(top + height + Inches(0.15))


def footer(slide: Any, layout: Any, text: str) -> None:
    """The layout's footer and slide number, as placeholders that follow the layout."""
    for shape in layout.placeholders:
        kind = shape.placeholder_format.type.name
        if kind not in ("FOOTER", "SLIDE_NUMBER"):
            continue
        index, size = shape.placeholder_format.idx, len(slide.shapes) + 2
        field = '<a:fld id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}" type="slidenum"><a:t>‹#›</a:t></a:fld>'
        said = "" if kind == "SLIDE_NUMBER" else f'<a:pPr algn="l"/><a:r>{_QUIET}<a:t/></a:r>'
        name, role = ("Slide number", "sldNum") if kind == "SLIDE_NUMBER" else ("Footer", "ftr")
        element = parse_xml(
            f'<p:sp {_NS}><p:nvSpPr><p:cNvPr id="{size}" name="{name}"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr>'
            f'<p:nvPr><p:ph type="{role}" sz="quarter" idx="{index}"/></p:nvPr></p:nvSpPr><p:spPr/>'
            f"<p:txBody><a:bodyPr/><a:lstStyle/><a:p>{said or field}</a:p></p:txBody></p:sp>"
        )
        slide.shapes._spTree.append(element)
        if said:
            element.txBody.p_lst[0].r_lst[0].text = text
