"""When schedules fire, against an independent oracle that looks at every minute of the days around a change of clocks.

All zones, both changes of a year: `ALL_ZONES=1 pytest tests/services/schedules/test_slots.py`; otherwise a sample.
"""

import os
import random
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import schedules
from services.schedules import cron, zones
from services.schedules.rule import Rule, jitter
from tests.support import examples

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ODD = [  # half an hour, at midnight, twice a year for Ramadan, 45 minutes off, across the date line, Sunday nights
    "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo", "America/Havana", "Asia/Beirut", "America/Santiago",
    "Pacific/Chatham", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/Berlin", "America/New_York", "Europe/Dublin",
    "America/Asuncion", "Antarctica/Troll", "UTC", "Atlantic/Azores", "America/Scoresbysund", "Asia/Gaza",
]  # fmt: skip
ALL = sorted(zones.names())
SOME = ALL if os.environ.get("ALL_ZONES") else sorted({*ODD, *random.Random(18).sample(ALL, 8)})
YEAR = 2026


@cache
def changes(zone: str) -> list[datetime]:
    """The instants of the year at which clocks are changed: found by looking at each quarter of an hour."""
    tz, at, found = ZoneInfo(zone), datetime(YEAR, 1, 1, tzinfo=UTC), []
    known = at.astimezone(tz).utcoffset()
    while at.year == YEAR:
        day = (at + DAY).astimezone(tz).utcoffset()
        if day != known:
            each = at
            while each.astimezone(tz).utcoffset() == known:
                each += timedelta(minutes=15)
            found.append(each)
        known, at = day, at + DAY
    return found


def numbers(text: str, least: int, most: int) -> set[int]:
    """A field of digits, lists, ranges and steps."""
    found: set[int] = set()
    for term in text.split(","):
        base, _, step = term.partition("/")
        low, _, high = (str(least), "", str(most)) if base == "*" else base.partition("-")
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return found


class Oracle:
    """What a cron line means, said as simply as can be."""

    def __init__(self, text: str) -> None:
        minute, hour, day, month, weekday = text.split()
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.days, self.months = numbers(day, 1, 31), numbers(month, 1, 12)
        self.weekdays = {n % 7 for n in numbers(weekday, 0, 7)}
        self.both = day.startswith("*") or weekday.startswith("*")
        self.by_the_wall = not minute.startswith("*") and not hour.startswith("*")

    def shows(self, wall: datetime) -> bool:
        day, weekday = wall.day in self.days, (wall.weekday() + 1) % 7 in self.weekdays
        fits = (day and weekday) if self.both else (day or weekday)
        return fits and wall.month in self.months and wall.hour in self.hours and wall.minute in self.minutes

    def fires(self, zone: str, since: datetime, until: datetime) -> list[tuple[str, datetime]]:
        """All (slot, instant) after `since`, up to `until`; by looking at every minute."""
        shown, minutes = what_the_wall_shows(zone, since, until)
        if not self.by_the_wall:
            return [(f"{at:%Y-%m-%dT%H:%M}Z", at) for at, wall in minutes if since < at <= until and self.shows(wall)]
        found = []
        wall, last = min(shown), max(shown)
        while wall <= last:
            if self.shows(wall):  # a wall that is never shown: at the first minute after it that is
                real = wall
                while real not in shown and real <= last:
                    real += MINUTE
                if real in shown and since < shown[real] <= until:
                    found.append((f"{wall:%Y-%m-%dT%H:%M}", shown[real]))
            wall += MINUTE
        return found


@lru_cache(4)
def what_the_wall_shows(zone: str, since: datetime, until: datetime):
    """When each wall's time is first shown, and what is shown at each minute, from 5 hours before to 5 hours after."""
    tz, at = ZoneInfo(zone), since - timedelta(hours=5)
    shown: dict[datetime, datetime] = {}
    minutes = []
    while at <= until + timedelta(hours=5):
        wall = at.astimezone(tz).replace(tzinfo=None, fold=0)
        shown.setdefault(wall, at)
        minutes.append((at, wall))
        at += MINUTE
    return shown, minutes


LINES = [
    "30 1 * * *", "30 2 * * *", "0 0 * * *", "*/30 * * * *", "0 * * * *", "15 */2 * * *", "*/20 0-3 * * *",
    "0,30 0-4 * * *", "59 23 * * *", "7 3 * * 0", "0 12 1 * 1", "* 2 * * *",
]  # fmt: skip


def told(rule: Rule, since: datetime, until: datetime) -> list[tuple[str, datetime]]:
    found = []
    for slot in rule.after(since):
        if slot.at > until:
            break
        found.append((slot.name, slot.at))
    return found


@pytest.mark.parametrize("zone", SOME)
def test_slots_around_each_change_of_clocks_are_those_of_the_oracle(zone):
    lines = random.Random(zone).sample(LINES, 3) if len(SOME) < len(ALL) else LINES
    for change in changes(zone) or [datetime(YEAR, 3, 29, 1, tzinfo=UTC)]:
        for line in lines:
            since, until = change - timedelta(hours=14), change + timedelta(hours=26)
            assert told(Rule(cron=line, zone=zone), since, until) == Oracle(line).fires(zone, since, until), line


def field(least: int, most: int):
    """One field of a cron line."""
    one = st.integers(least, most)
    span = st.tuples(one, one).map(lambda pair: f"{min(pair)}-{max(pair)}")
    wide = st.tuples(one, one).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: f"{min(pair)}-{max(pair)}")
    several = st.lists(one, min_size=2, max_size=3).map(lambda many: ",".join(map(str, many)))
    return st.one_of(
        st.just("*"), one.map(str), span, several,
        st.integers(2, max(2, (most - least) // 2)).map(lambda n: f"*/{n}"),
        st.tuples(wide, st.integers(1, 7)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    )  # fmt: skip


lines = st.tuples(
    field(0, 59), field(0, 23), st.just("*") | field(1, 31), st.just("*") | field(1, 12), st.just("*") | field(0, 7)
).map(" ".join)


@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
@given(line=lines, zone=st.sampled_from(SOME), data=st.data())
def test_any_line_in_any_zone_fires_when_the_oracle_says(line, zone, data):
    if not cron.fires(line):
        return
    centre = data.draw(st.sampled_from(changes(zone) or [datetime(YEAR, 7, 1, tzinfo=UTC)]))
    since = centre - data.draw(st.integers(0, 36 * 60)) * MINUTE
    until = since + timedelta(hours=40)
    assert told(Rule(cron=line, zone=zone), since, until) == Oracle(line).fires(zone, since, until)


@settings(max_examples=examples(60))
@given(line=lines, zone=st.sampled_from(SOME), data=st.data())
def test_going_on_from_a_slot_is_going_on_from_the_beginning(line, zone, data):
    if not cron.fires(line):
        return
    rule = Rule(cron=line, zone=zone)
    start = data.draw(st.sampled_from(changes(zone) or [datetime(YEAR, 7, 1, tzinfo=UTC)])) - timedelta(hours=4)
    slots = rule.upcoming(start, 30)
    n = data.draw(st.integers(0, len(slots) - 1))
    later = [slot for _, slot in zip(range(29 - n), rule.after(slots[n]), strict=False)]
    assert slots[n + 1 :] == later
    assert len({slot.name for slot in slots}) == len(slots)
    assert [slot.at for slot in slots] == sorted(slot.at for slot in slots)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_sunday_is_day_0_and_day_7():
    zero, seven = (schedules.preview(cron=f"0 6 * * {day}").slots for day in (0, 7))
    assert [slot.at for slot in zero] == [slot.at for slot in seven]
    assert {slot.at.isoweekday() for slot in seven} == {7}


def test_half_past_one_fires_once_on_the_day_of_25_hours():
    slots = told(Rule(cron="30 1 * * *", zone="America/New_York"), at("2026-10-31T12:00Z"), at("2026-11-02T12:00Z"))
    assert slots == [("2026-11-01T01:30", at("2026-11-01T05:30Z")), ("2026-11-02T01:30", at("2026-11-02T06:30Z"))]


def test_half_past_two_fires_once_right_after_the_gap():
    slots = told(Rule(cron="30 2 * * *", zone="Europe/Berlin"), at("2026-03-28T12:00Z"), at("2026-03-30T12:00Z"))
    assert slots == [("2026-03-29T02:30", at("2026-03-29T01:00Z")), ("2026-03-30T02:30", at("2026-03-30T00:30Z"))]


def test_with_seconds_it_is_the_same():
    rule = Rule(cron="15 30 1 * * *", zone="Europe/Berlin")
    slots = told(rule, at("2026-10-24T00:00Z"), at("2026-10-26T00:00Z"))
    assert [name for name, _ in slots] == ["2026-10-25T01:30:15", "2026-10-26T01:30:15"][: len(slots)]
    assert len(told(Rule(cron="*/10 * * * * *"), at("2026-10-24T00:00Z"), at("2026-10-24T00:01Z"))) == 6


def test_what_comes_every_few_minutes_takes_no_notice_of_the_wall():
    for zone in ("Europe/Berlin", "Australia/Lord_Howe"):
        for change in changes(zone):
            slots = told(Rule(cron="*/15 * * * *", zone=zone), change - timedelta(hours=3), change + timedelta(hours=3))
            assert [b - a for (_, a), (_, b) in pairwise(slots)] == [timedelta(minutes=15)] * 23


@settings(max_examples=examples(50))
@given(minutes=st.integers(1, 3000), ahead=st.integers(0, 500_000), seconds=st.integers(0, 59))
def test_intervals_never_drift(minutes, ahead, seconds):
    anchor = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    rule = Rule(every_s=minutes * 60, anchor_at=anchor, zone="Europe/Berlin")
    since = anchor + timedelta(minutes=ahead, seconds=seconds)
    for slot in rule.upcoming(since, 5):
        if minutes % 1440:
            assert (slot.at - anchor) % timedelta(minutes=minutes) == timedelta(0)
        assert since < slot.at


def test_days_are_days_of_the_wall():
    rule = Rule(every_s=86_400, anchor_at=at("2026-03-27T08:00Z"), zone="Europe/Berlin")
    slots = rule.upcoming(at("2026-03-27T08:00Z"), 3)
    assert [slot.at.astimezone(ZoneInfo("Europe/Berlin")).hour for slot in slots] == [9, 9, 9]
    assert slots[1].at - slots[0].at == timedelta(hours=23)


def test_start_and_end_are_kept():
    rule = Rule(cron="0 * * * *", start_at=at("2026-05-01T10:30Z"), end_at=at("2026-05-01T13:00Z"))
    names = [slot.name for slot in rule.upcoming(at("2026-01-01T00:00Z"), 10)]
    assert names == ["2026-05-01T11:00Z", "2026-05-01T12:00Z", "2026-05-01T13:00Z"]
    assert rule.first(at("2026-05-01T13:00Z")) is None


def test_jitter_is_the_same_for_everybody_and_spreads():
    drawn = [jitter(n, "2026-05-01T11:00Z", 60) for n in range(500)]
    assert drawn == [jitter(n, "2026-05-01T11:00Z", 60) for n in range(500)]
    assert min(drawn) < timedelta(seconds=5) < timedelta(seconds=55) < max(drawn) < timedelta(seconds=60)
    assert jitter(1, "x", 0) == timedelta(0)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(cron="0 6 * * 1-5", zone="Europe/Berlin"), "At 06:00, Monday through Friday (Europe/Berlin)"),
        (Rule(cron="@daily"), "At 00:00 (UTC)"),
        (Rule(cron="*/15 * * * *"), "Every 15 minutes (UTC)"),
        (Rule(cron="0 0 * * 5#2"), "At 00:00, on the second Friday of the month (UTC)"),
        (Rule(every_s=7200, anchor_at=at("2026-01-01T00:00Z")), "Every 2 hours (UTC)"),
        (Rule(every_s=86_400, anchor_at=at("2026-01-01T00:00Z")), "Every day (UTC)"),
    ],
)
def test_a_rule_is_told_in_words(rule, words):
    assert rule.in_words() == words
