"""The spans of time that charts show, and the sums that are kept for each: as its charts draw them, and no finer."""

from dataclasses import dataclass
from datetime import UTC, datetime

from models import now
from services.errors import InvalidInput

EVER = "ever"  # the span of the sums since statistics are kept


@dataclass(frozen=True, slots=True)
class Span:
    """So many minutes back from now, in columns of `step` minutes; durations are taken over `slow` minutes."""

    name: str
    minutes: int
    step: int
    slow: int
    fine: bool  # lengths of lines come from the sums by the minute

    @property
    def since(self) -> datetime:
        """When the first column of its charts begins: what they count ended then or later."""
        return moment(self.starts(self.step)[0])

    def starts(self, step: int) -> list[int]:
        """The first minute (since 1970) of each column, the present one last."""
        last = minute() // step * step
        return list(range(last - self.minutes + step, last + 1, step))


SPANS = {
    span.name: span
    for span in (
        Span("1h", 60, 1, 5, fine=True),
        Span("6h", 360, 5, 15, fine=True),
        Span("24h", 24 * 60, 60, 60, fine=False),
        Span("7d", 7 * 24 * 60, 180, 360, fine=False),
    )
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is summed of one measure in one span."""

    span: str
    measure: str  # `run`, `wait`, or `outcome` for each of the outcomes
    width: int  # minutes of a slot; 0: one slot for all time
    by_type: bool  # or all types together, as type ""


KEPT = [
    *(Kept(span.name, "outcome", span.step, True) for span in SPANS.values()),
    *(Kept(span.name, "run", span.slow, by_type) for span in SPANS.values() for by_type in (True, False)),
    *(Kept(span.name, "wait", span.slow, False) for span in SPANS.values()),
    *(Kept(EVER, measure, 0, True) for measure in ("outcome", "run", "wait")),
]


def minute() -> int:
    """Minutes since 1970."""
    return int(now().timestamp()) // 60


def moment(minute: int) -> datetime:
    """The instant at which this minute since 1970 begins."""
    return datetime.fromtimestamp(minute * 60, UTC)


def span(name: str) -> Span:
    """One of `SPANS`. Raises `InvalidInput`."""
    if name not in SPANS:
        raise InvalidInput("span", f"{name!r} is none of {', '.join(SPANS)}")
    return SPANS[name]
