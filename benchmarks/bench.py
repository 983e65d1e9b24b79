"""A run: its servers, its sizes, its report; and how a section of it is measured."""

import sys
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import Contender, surroundings
from benchmarks.launch import one
from benchmarks.plan import Section
from benchmarks.report import Report
from benchmarks.stores import Server


@dataclass(frozen=True)
class Bench:
    """What all measures of a run share."""

    report: Report
    valkey: Server
    postgresql: Server
    scale: float  # of the sizes
    rounds: int  # 0: as each section says

    def rounds_of(self, section: Section) -> int:
        """How many times each contender has its turn, at most."""
        return self.rounds or section.rounds

    def measure(
        self, contender: Contender, measure: str, sizes: dict[str, Any], database: str = ""
    ) -> dict[str, Any] | None:
        """One measure, on empty stores or on the `database` that is given."""
        with surroundings(contender, self.valkey, self.postgresql, database) as environ:
            return one(contender, measure, sizes, environ)

    def section(self, name: str, section: Section, who: dict[str, Contender], share_s: float | None) -> None:
        """All contenders, one after the other, some rounds; a further one only where there is time."""
        began = time.monotonic()
        for round_ in range(self.rounds_of(section)):
            if share_s and round_ and (time.monotonic() - began) * (round_ + 1) / round_ > share_s:
                break
            for key, contender in who.items():
                sizes = section.sizes(contender, self.scale)
                figures = self.measure(contender, section.measure, sizes)
                self.report.add(name, key, figures, sizes)
                say(f"{name}, round {round_ + 1}, {contender.name}", figures)


def say(what: str, figures: dict[str, Any] | None) -> None:
    """Progress, for the one who waits."""
    told = ", ".join(f"{name} {value}" for name, value in (figures or {}).items() if name != "delays_ms")
    print(f"{time.strftime('%H:%M:%S')} {what}: {told or 'it has no such thing'}", file=sys.stderr, flush=True)
