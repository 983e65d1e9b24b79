"""Typefaces of the PDF: Roboto (Latin, Greek, Cyrillic) where its package is installed, else ReportLab's own Vera.

Both are embedded. Chinese, Japanese and Korean are set in Adobe's CID fonts, which a PDF names and the reader's
machine supplies; what no face has is printed as a replacement mark and reported, never dropped in silence.
"""

from collections.abc import Iterator
from functools import cache
from xml.sax.saxutils import escape

from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from analytics.report.text import ELLIPSIS

REGULAR, BOLD = "Report", "Report-Bold"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_SYMBOL, _SYMBOLS = "Symbol", frozenset("←↑→↓↔⇐⇒⇔≅∼∴∈⊂⊃∩∪")  # one of the fourteen faces every reader has
_HANGUL, _KANA, _HAN = "HYGothic-Medium", "HeiseiKakuGo-W5", "STSong-Light"


@cache
def register() -> None:
    """Make the faces known to ReportLab; once a process is enough."""
    regular, bold = files()
    registerFont(TTFont(REGULAR, regular))
    registerFont(TTFont(BOLD, bold))
    registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    for name in (_HANGUL, _KANA, _HAN):
        registerFont(UnicodeCIDFont(name))


def files() -> tuple[str, str]:
    """The regular and the bold face: paths, or names that ReportLab finds."""
    try:
        from font_roboto import Roboto, RobotoBold
    except ImportError:
        return "Vera.ttf", "VeraBd.ttf"
    return Roboto, RobotoBold


@cache
def _has(font: str, character: str) -> bool:
    return ord(character) in getFont(font).face.charToGlyph


def _borrowed(character: str) -> str | None:
    """The CID face for a character of East Asia, None for any other."""
    code = ord(character)
    if 0x1100 <= code <= 0x11FF or 0x3130 <= code <= 0x318F or 0xAC00 <= code <= 0xD7A3:
        return _HANGUL
    if 0x3040 <= code <= 0x30FF or 0xFF61 <= code <= 0xFF9F:
        return _KANA
    if 0x3000 <= code <= 0x303F or 0x3400 <= code <= 0x9FFF or 0xFF01 <= code <= 0xFF5E:
        return _HAN
    return None


class Typesetter:
    """Measures and marks up text for one PDF, and remembers what it could not set as it was."""

    def __init__(self) -> None:
        register()
        self._missing: dict[str, None] = {}
        self._borrows = False

    def runs(self, text: str, font: str = REGULAR) -> Iterator[tuple[str, str]]:
        """(face, piece) pairs in reading order; together the pieces are the text as it will be printed."""
        face, piece = font, ""
        japanese = any(_borrowed(character) == _KANA for character in text)
        for character in text:
            wanted, character = self._set(character, font, japanese)
            if wanted != face and piece:
                yield face, piece
                piece = ""
            face, piece = wanted, piece + character
        if piece:
            yield face, piece

    def _set(self, character: str, font: str, japanese: bool) -> tuple[str, str]:
        if _has(font, character):
            return font, character
        if character in _SYMBOLS:
            return _SYMBOL, character
        borrowed = _borrowed(character)
        if borrowed is None:
            self._missing[character] = None
            return font, UNKNOWN if _has(font, UNKNOWN) else "?"
        self._borrows = True
        return (_KANA if borrowed == _HAN and japanese else borrowed), character

    def markup(self, text: str, font: str = REGULAR) -> str:
        """`text` for a ReportLab paragraph: escaped, with the face named wherever it changes."""
        return "".join(
            escape(piece) if face == font else f'<font name="{face}">{escape(piece)}</font>'
            for face, piece in self.runs(text, font)
        )

    def width(self, text: str, size: float, font: str = REGULAR) -> float:
        """Width of `text` in points."""
        return sum(stringWidth(piece, face, size) for face, piece in self.runs(text, font))

    def fit(self, text: str, width: float, size: float, font: str = REGULAR) -> str:
        """`text`, or as much of it as fits into `width` points before an ellipsis."""
        if self.width(text, size, font) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + ELLIPSIS, size, font) <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + ELLIPSIS

    @property
    def warnings(self) -> list[str]:
        """Sentences about the text that could not be set as it was."""
        said = []
        if self._borrows:
            said.append(
                "Chinese, Japanese and Korean text in the PDF uses the reader's own fonts; they are not embedded."
            )
        if self._missing:
            points = ", ".join(f"U+{ord(character):04X}" for character in list(self._missing)[:10])
            said.append(
                f"{len(self._missing)} different characters have no glyph in the PDF's typeface and show "
                f"as a replacement mark there: {points}. The slides keep them."
            )
        return said
