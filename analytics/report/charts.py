"""The charts of a report: what they show and what they say, before anybody draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from analytics.report.cleaning import Clean


class Interval(NamedTuple):
    """A value between two bounds, with its name and one more word about it."""

    label: str
    low: float
    value: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Series(Clean):
    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Chart(Clean):
    """What all charts have: the message (a sentence that the figures bear out), and what is drawn, with its unit."""

    title: str
    message: str
    caption: str


@dataclass(frozen=True)
class Columns(Chart):
    """Upright bars along a time or an order; `kind` says how values are written."""

    categories: Sequence[str]
    series: Series
    kind: Literal["amount", "count", "share"] = "amount"


@dataclass(frozen=True)
class Bars(Chart):
    """Lying bars with a label each; several series stand side by side."""

    categories: Sequence[str]
    series: Sequence[Series]
    kind: Literal["amount", "count", "share"] = "amount"


@dataclass(frozen=True)
class Whiskers(Chart):
    """Shares between 0 and 1 with their 95% intervals."""

    rows: Sequence[Interval]
    reference: float | None = None
    reference_name: str = ""


@dataclass(frozen=True)
class Ranges(Chart):
    """From P10 (`low`) to P90 (`high`) with P50 marked."""

    rows: Sequence[Interval]
    reference: float | None = None
    reference_name: str = ""


@dataclass(frozen=True)
class Curve(Chart):
    """A cumulative share (0 to 1) over ranks 1..n, against the straight line of equal parts."""

    values: Sequence[float]
    x_name: str = ""
    marks: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Histogram(Chart):
    """`counts[i]` outcomes between `edges[i]` and `edges[i + 1]`; marks are (name, value) on the x axis."""

    edges: Sequence[float]
    counts: Sequence[int]
    marks: Sequence[tuple[str, float]] = ()
