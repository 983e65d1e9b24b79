"""python-pptx's own template, made ours: 16:9, the house's colours and one face, two layouts, a quiet footer."""

import re
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.oxml import parse_xml
from pptx.presentation import Presentation as Deck
from pptx.util import Emu, Inches, Length, Pt

from analytics.report import palette

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
SIDE = Inches(0.62)
TEXT_WIDTH = Length(WIDTH - 2 * SIDE)
FACE = "Arial"  # on every machine, or its metric twin Liberation Sans
TITLE_SLIDE, TITLE_ONLY = 0, 5  # in python-pptx's default template
_COLOURS = {
    "dk1": palette.TEXT, "lt1": palette.WHITE, "dk2": palette.INK, "lt2": palette.MIST,
    "accent1": palette.INK, "accent2": palette.WARM, "accent3": palette.ACCENT,
    "accent4": palette.QUIET, "accent5": palette.LINE, "accent6": palette.MIST,
    "hlink": palette.ACCENT, "folHlink": palette.QUIET,
}  # fmt: skip


def colour(name: str) -> RGBColor:
    """A palette colour for python-pptx."""
    return RGBColor.from_string(name.lstrip("#"))


def deck() -> Deck:
    """An empty presentation in the house's clothes, with the layouts `Title Slide` (0) and `Title Only` (1)."""
    made = Presentation()
    made.slide_width, made.slide_height = WIDTH, HEIGHT
    _retheme(made)
    kept = {made.slide_layouts[TITLE_SLIDE].name, made.slide_layouts[TITLE_ONLY].name}
    for layout in list(made.slide_layouts):
        if layout.name not in kept:
            made.slide_layouts.remove(layout)
    _place(made.slide_master)
    for layout in made.slide_layouts:
        _place(layout)
    _front(made.slide_layouts[0])
    return made


def _retheme(made: Deck) -> None:
    theme = made.slide_master.part.part_related_by(RT.THEME)
    xml = theme.blob.decode("utf-8")
    for name, value in _COLOURS.items():
        swatch = f'<a:{name}><a:srgbClr val="{value.lstrip("#")}"/></a:{name}>'
        xml = re.sub(rf"<a:{name}>.*?</a:{name}>", swatch, xml, flags=re.DOTALL)
    xml = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=")[^"]*"', rf'\g<1>{FACE}"', xml)
    theme._blob = xml.encode("utf-8")


def _place(page: Any) -> None:
    for shape in page.placeholders:
        kind = shape.placeholder_format.type
        box = _BOXES.get(kind.name if kind is not None else "")
        if box is None:
            continue
        shape.left, shape.top, shape.width, shape.height = (Emu(int(each)) for each in box)
        if kind.name == "TITLE":
            _letters(shape, 26, palette.INK, bold=True)
            shape.text_frame.vertical_anchor = MSO_ANCHOR.TOP
        elif kind.name in ("FOOTER", "SLIDE_NUMBER", "DATE"):
            _letters(shape, 10, palette.QUIET)


_BOXES = {
    "TITLE": (SIDE, Inches(0.72), TEXT_WIDTH, Inches(0.92)),
    "BODY": (SIDE, Inches(1.9), TEXT_WIDTH, Inches(4.8)),
    "FOOTER": (SIDE, Inches(6.98), Inches(8.5), Inches(0.3)),
    "DATE": (Inches(9.2), Inches(6.98), Inches(2.2), Inches(0.3)),
    "SLIDE_NUMBER": (Inches(11.5), Inches(6.98), WIDTH - SIDE - Inches(11.5), Inches(0.3)),
}


def _letters(shape: Any, size: float, name: str, bold: bool = False) -> None:
    """Size and colour as list style, so that every slide inherits it and an editor changes it in one place."""
    body = shape.text_frame._txBody
    style = body.find("{http://schemas.openxmlformats.org/drawingml/2006/main}lstStyle")
    align = {"FOOTER": "l", "SLIDE_NUMBER": "r", "DATE": "r"}.get(shape.placeholder_format.type.name, "l")
    fresh = parse_xml(
        '<a:lstStyle xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        f'<a:lvl1pPr marL="0" indent="0" algn="{align}"><a:buNone/>'
        f'<a:defRPr sz="{int(size * 100)}" b="{int(bold)}" baseline="0">'
        f'<a:solidFill><a:srgbClr val="{name.lstrip("#")}"/></a:solidFill></a:defRPr></a:lvl1pPr></a:lstStyle>'
    )
    body.replace(style, fresh)
    frame = shape.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Pt(0)


def _front(layout: Any) -> None:
    """The title slide's layout: dark, with the title low on the left."""
    layout.background.fill.solid()
    layout.background.fill.fore_color.rgb = colour(palette.INK)
    boxes = {
        "CENTER_TITLE": (Inches(2.35), Inches(1.75), 38, palette.WHITE, True),
        "SUBTITLE": (Inches(4.3), Inches(0.8), 18, "#C9D6E3", False),
    }
    for shape in layout.placeholders:
        box = boxes.get(shape.placeholder_format.type.name)
        if box is None:
            continue
        top, height, size, name, bold = box
        shape.left, shape.top, shape.width, shape.height = SIDE, top, Inches(11.2), height
        _letters(shape, size, name, bold)
        anchor = MSO_ANCHOR.BOTTOM if bold else MSO_ANCHOR.TOP
        shape.text_frame.vertical_anchor = anchor
