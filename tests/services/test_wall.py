"""A time on the wall is a moment, unless clocks never show it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services import wall
from services.errors import InvalidInput

GAPS = [
    ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28 01:30 or 2027-03-28 03:30"),
    ("America/New_York", "2027-03-14T02:00", "2027-03-14 01:00 or 2027-03-14 03:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04 01:45 or 2026-10-04 02:45"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-29 12:00 or 2011-12-31 12:00"),  # a whole day was left out
]


@pytest.mark.parametrize(("zone", "said", "neighbours"), GAPS)
def test_a_time_that_clocks_go_forward_over_is_refused_with_its_neighbours(zone, said, neighbours):
    with pytest.raises(InvalidInput, match=f"run_at: clocks in {zone} never show .*; give {neighbours}"):
        wall.instant(datetime.fromisoformat(said), ZoneInfo(zone), "run_at")


def test_a_time_that_comes_twice_is_the_first():
    at = wall.instant(datetime(2026, 10, 25, 2, 30), ZoneInfo("Europe/Berlin"), "run_at")  # noqa: DTZ001
    assert at.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_the_ends_of_time_are_times(zone):
    for said in (datetime.min, datetime.max):  # noqa: DTZ901
        at = wall.instant(said, ZoneInfo(zone), "run_at")
        assert at.replace(tzinfo=None) - said == timedelta(0)
