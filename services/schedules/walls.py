"""What times on the wall mean in a zone: on most days one instant, on two days of the year none or two."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

Walls = Callable[[datetime], Iterator[datetime]]  # the times on the wall after one


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """What the wall shows at an instant."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def instant(shown: datetime, zone: ZoneInfo) -> datetime:
    """When the wall first shows this; where it never does, because clocks are put forward over it: right after."""
    at = shown.replace(tzinfo=zone).astimezone(UTC)
    if wall(at, zone) == shown:
        return at
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _turn(before - SECOND, at, offset(before - SECOND, zone), zone) or at


def offset(at: datetime, zone: ZoneInfo) -> timedelta:
    """How far the wall is ahead of UTC at an instant."""
    return at.astimezone(zone).utcoffset() or timedelta(0)


def every_showing(next_walls: Walls, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """All instants after this one at which the wall shows one of these times: twice where it shows them twice.

    In a stretch without a change of clocks a wall's time is an instant; so walk from stretch to stretch.
    """
    at, ahead = after.replace(microsecond=0), offset(after, zone)
    while True:
        shown = next(next_walls((at + ahead).replace(tzinfo=None)), None)
        if shown is None:
            return
        found = (shown - ahead).replace(tzinfo=UTC)
        sure = min(found, at + DAY)
        turn = _turn(at, sure, ahead, zone)
        if turn is not None:
            at, ahead = turn - SECOND, offset(turn, zone)
        elif found == sure:
            yield found
            at = found
        else:  # nothing before: clocks are put forward or back by less than a day
            at = max(sure, found - 2 * DAY)
            ahead = offset(at, zone)


def _turn(low: datetime, high: datetime, ahead: timedelta, zone: ZoneInfo) -> datetime | None:
    """The first instant after `low`, up to `high`, at which the wall is no longer so far ahead; None without one."""
    if offset(high, zone) == ahead:
        return None
    while high - low > SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if offset(middle, zone) == ahead else (low, middle)
    return high
