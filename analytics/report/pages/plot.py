"""Axes and marks on a ReportLab drawing: what the PDF's vector charts are made of."""

from collections.abc import Sequence
from typing import Literal

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import HexColor

from analytics.report import palette
from analytics.report.pages.fonts import BOLD, REGULAR, Typesetter

SMALL = 7.0  # points, of every label in a chart
BASELINE = 0.35  # of the size: how far below the middle of a letter its baseline lies


class Sketch:
    """A drawing with the house's lines and letters. Sizes in points, origin at the bottom left."""

    def __init__(self, typesetter: Typesetter, width: float, height: float) -> None:
        self.typesetter = typesetter
        self.width, self.height = width, height
        self.drawing = Drawing(width, height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: Literal["start", "middle", "end"] = "start",
        colour: str = palette.QUIET,
        bold: bool = False,
        on_white: bool = False,
    ) -> None:
        """Small letters on the baseline `y`, starting, centred or ending at `x`; `on_white` hides the grid behind."""
        font = BOLD if bold else REGULAR
        width = self.typesetter.width(text, SMALL, font)
        x -= {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        if on_white:
            self.box(x - 2, y - 2, width + 4, SMALL + 2, palette.WHITE)
        for face, piece in self.typesetter.runs(text, font):
            self.drawing.add(String(x, y, piece, fontName=face, fontSize=SMALL, fillColor=HexColor(colour)))
            x += self.typesetter.width(piece, SMALL, font)

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str = palette.LINE,
        width: float = 0.5,
        dash: Sequence[float] | None = None,
    ) -> None:
        self.drawing.add(Line(*start, *end, strokeColor=HexColor(colour), strokeWidth=width, strokeDashArray=dash))

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.drawing.add(Rect(x, y, width, height, fillColor=HexColor(colour), strokeColor=None, strokeWidth=0))

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        white = HexColor(palette.WHITE)
        self.drawing.add(Circle(x, y, radius, fillColor=HexColor(colour), strokeColor=white, strokeWidth=0.7))

    def path(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1.5) -> None:
        flat = [number for point in points for number in point]
        self.drawing.add(PolyLine(flat, strokeColor=HexColor(colour), strokeWidth=width, strokeLineJoin=1))

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        flat = [number for point in points for number in point]
        self.drawing.add(Polygon(flat, fillColor=HexColor(colour), strokeColor=None, strokeWidth=0))

    def fit(self, text: str, width: float) -> str:
        return self.typesetter.fit(text, width, SMALL)

    def widest(self, texts: Sequence[str], bold: bool = False) -> float:
        """Width of the widest of `texts` in points, 0 for none."""
        font = BOLD if bold else REGULAR
        return max((self.typesetter.width(text, SMALL, font) for text in texts), default=0.0)
