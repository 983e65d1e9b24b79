"""Which fault strikes when: worked out from the seed alone, before anything starts, so that it can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

LEASE_S = 3.0
FIRST_S, LEAST_S, MOST_S = 3.0, 1.0, 3.0  # the first fault, and from one to the next


@dataclass(frozen=True)
class Fault:
    """One stroke: when, which, at whom (modulo how many there are), and how long it lasts."""

    at_s: float
    kind: str
    victim: int
    lasts_s: float

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.kind:<20} victim {self.victim}, {self.lasts_s:.1f} s"


OF_ALL = {  # how often each is drawn, and how long it lasts at least and at most
    "kill worker": (6, 0, 0), "ask worker to stop": (2, 0, 0), "freeze worker": (5, 0.3 * LEASE_S, 2.5 * LEASE_S),
    "kill supervisor": (1, 0.2, 2.0), "kill scheduler": (3, 0.2, 3.0), "freeze scheduler": (2, 0.5, 2 * LEASE_S),
}  # fmt: skip
OF_BELL = {"kill bell": (3, 0.3, 4.0), "empty bell": (2, 0, 0), "freeze bell": (2, 0.3, 3.0)}
OF_DATABASE = {
    "sqlite": {"hold the write lock": (3, 0.3, 1.5 * LEASE_S)},
    "postgresql": {"restart database": (2, 0.2, 2.0), "cut connections": (3, 0, 0), "freeze database": (1, 0.3, 3.0)},
}


def plan(seed: int, seconds: float, database: str, bell: bool) -> Sequence[Fault]:
    """The faults of one run, in order."""
    chance = random.Random(f"{seed} {database} {bell}")
    known = OF_ALL | OF_DATABASE[database] | (OF_BELL if bell else {})
    kinds, weights = list(known), [weight for weight, _, _ in known.values()]
    faults, at = [], FIRST_S
    while at < seconds:
        (kind,) = chance.choices(kinds, weights)
        _, least, most = known[kind]
        faults.append(Fault(at, kind, chance.randrange(1000), chance.uniform(least, most)))
        at += chance.uniform(LEAST_S, MOST_S)
    return faults
