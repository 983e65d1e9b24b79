"""What people mean by a time on the wall of a place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.errors import InvalidInput


def instant(said: datetime, zone: ZoneInfo, field: str) -> datetime:
    """The moment at which clocks in `zone` show this; where they show it twice, the first.

    Raises `InvalidInput` where they never show it, because they go forward over it.
    """
    at, other = (said.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    try:
        shown = [each.astimezone(UTC).astimezone(zone) for each in (at, other)]
    except OverflowError:  # at either end of time, where no clock changes
        return at
    if shown[0].replace(tzinfo=None, fold=0) == said.replace(tzinfo=None, fold=0):
        return at
    before, after = sorted(shown)
    raise InvalidInput(
        field, f"clocks in {zone.key} never show {said:%Y-%m-%d %H:%M}: they go forward over it; "
        f"give {before:%Y-%m-%d %H:%M} or {after:%Y-%m-%d %H:%M}"
    )  # fmt: skip
