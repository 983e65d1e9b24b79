"""When a schedule fires: its slots, in order, from any point on. Pure: no ledger, no clock."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from services.schedules import cron, zones
from services.schedules.walls import SECOND, every_showing, instant, wall

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Slot:
    """One due moment. Its name is what makes it the same slot for every scheduler, whatever their clocks."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Rule:
    """Either `cron`, or `every_s` seconds counted from `anchor_at`; in a zone, between two instants."""

    cron: str | None = None
    every_s: int | None = None
    anchor_at: datetime | None = None
    zone: str = "UTC"
    start_at: datetime | None = None
    end_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> "Rule":
        """The rule of a schedule's row."""
        return cls(row.cron, row.every_s, row.anchor_at, row.zone, row.start_at, row.end_at)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return zones.zone(self.zone)

    @cached_property
    def by_the_wall(self) -> bool:
        """Whether it speaks of times on the wall: they come once a day, also on days of 23 and 25 hours."""
        return cron.by_the_wall(self.cron) if self.cron else (self.every_s or 0) % DAY_S == 0

    def after(self, position: Slot | datetime) -> Iterator[Slot]:
        """The slots after a slot, or after an instant: never that one again, never one before it."""
        slots = self._by_the_wall(position) if self.by_the_wall else self._by_the_clock(position)
        for slot in slots:
            if self.end_at is not None and slot.at > self.end_at:
                return
            if self.start_at is None or slot.at >= self.start_at:
                yield slot

    def first(self, position: Slot | datetime) -> Slot | None:
        """The slot that comes next; None where there is none."""
        return next(self.after(position), None)

    def upcoming(self, after: datetime, limit: int) -> list[Slot]:
        """The next ones, at most so many."""
        return list(islice(self.after(after), limit))

    def between(self, since: datetime, until: datetime) -> Iterator[Slot]:
        """Those from one instant to another, both included."""
        for slot in self.after(since - SECOND):
            if slot.at > until:
                return
            if slot.at >= since:
                yield slot

    def _by_the_wall(self, position: Slot | datetime) -> Iterator[Slot]:
        since: datetime | None = None
        if isinstance(position, Slot):
            shown = datetime.fromisoformat(position.name)
        else:
            since = self._from(position)
            shown = wall(since, self._zone)
        for each in self._walls(shown):
            at = instant(each, self._zone)
            if since is None or at > since:
                yield Slot(self._name(each), at)

    def _by_the_clock(self, position: Slot | datetime) -> Iterator[Slot]:
        since = self._from(position.at if isinstance(position, Slot) else position)
        if self.cron is not None:
            instants = every_showing(partial(cron.walls, self.cron), since, self._zone)
        else:
            instants = self._steps(since)
        for at in instants:
            yield Slot(self._name(at.replace(tzinfo=None)) + "Z", at)

    def _from(self, position: datetime) -> datetime:
        """Nothing before the start needs to be looked at."""
        at = position.astimezone(UTC)
        return at if self.start_at is None else max(at, self.start_at.astimezone(UTC) - SECOND)

    def _walls(self, shown: datetime) -> Iterator[datetime]:
        if self.cron is not None:
            yield from cron.walls(self.cron, shown)
            return
        step, anchor = self._every()
        first = wall(anchor, self._zone)
        n = max(0, (shown - first) // step + 1)
        while True:
            yield first + n * step
            n += 1

    def _steps(self, since: datetime) -> Iterator[datetime]:
        step, first = self._every()
        n = max(0, (since - first) // step + 1)
        while True:
            yield first + n * step
            n += 1

    def _every(self) -> tuple[timedelta, datetime]:
        if self.every_s is None or self.anchor_at is None:
            raise ValueError("a rule needs either cron, or every_s and anchor_at")
        return timedelta(seconds=self.every_s), self.anchor_at.astimezone(UTC)

    def _name(self, shown: datetime) -> str:
        return shown.isoformat(timespec="seconds" if self.cron and cron.has_seconds(self.cron) else "minutes")

    def in_words(self) -> str:
        """`At 06:00, Monday through Friday (Europe/Berlin)`."""
        told = cron.in_words(self.cron) if self.cron else _every(self.every_s or 0)
        return f"{told} ({self.zone})"


def _every(seconds: int) -> str:
    for name, size in (("day", DAY_S), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            n = seconds // size
            return f"Every {name}" if n == 1 else f"Every {n:,} {name}s"
    return f"Every {seconds:,} seconds"


def jitter(schedule_id: int, slot: str, most_s: int) -> timedelta:
    """How much later a slot fires: always the same for the slot, whoever asks."""
    if not most_s:
        return timedelta(0)
    drawn = int.from_bytes(hashlib.sha256(f"{schedule_id}:{slot}".encode()).digest()[:8], "big")
    return timedelta(milliseconds=drawn % (most_s * 1000))
