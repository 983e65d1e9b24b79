"""How wide words are on a slide. Arial and its metric twins are as wide as Helvetica, which ReportLab knows."""

import math
import unicodedata

from reportlab.pdfbase.pdfmetrics import stringWidth

from analytics.report.text import ELLIPSIS


def width(text: str, size: float, bold: bool = False) -> float:
    """Points that `text` takes at `size`; letters that Helvetica lacks are counted generously."""
    font = "Helvetica-Bold" if bold else "Helvetica"
    known = text.encode("cp1252", "ignore").decode("cp1252")
    if known == text:
        return stringWidth(text, font, size)
    other = (c for c in text if not c.encode("cp1252", "ignore"))
    return stringWidth(known, font, size) + size * sum(map(_em, other))


def _em(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.75


def lines(text: str, size: float, room: float, bold: bool = False) -> int:
    """Lines that `text` takes in a column `room` points wide, words unbroken where they fit."""
    total, used = 1, 0.0
    gap = width(" ", size, bold)
    for word in text.split():
        wide = width(word, size, bold)
        if used and used + gap + wide <= room:
            used += gap + wide
            continue
        total += bool(used) + max(0, math.ceil(wide / room) - 1)
        used = wide if wide <= room else wide % room
    return total


def fit(text: str, size: float, room: float, bold: bool = False, most_lines: int = 1) -> str:
    """`text`, or as much of it as fits into `most_lines` lines before an ellipsis."""

    def fits(candidate: str) -> bool:
        if most_lines == 1:
            return width(candidate, size, bold) <= room
        return lines(candidate, size, room, bold) <= most_lines

    if fits(text):
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle].rstrip() + ELLIPSIS) else (low, middle - 1)
    return text[:low].rstrip() + ELLIPSIS
