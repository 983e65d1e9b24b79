"""What the engine asks of a model: random numbers once, then each scenario played on them."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.simulation.scenario import Scenario

Floats = NDArray[np.float64]

CEILING = 0.99  # no multiplier lifts a chance above this; one that the history puts higher stays where it is


@dataclass(frozen=True)
class Outcome:
    """`amounts` (iterations, segments): what came in; `won` (iterations): how many deals brought it."""

    amounts: Floats
    won: NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """A scenario as a model reads it; `in_time` (deals or segments) is P(closing within the horizon), 0 if dropped."""

    win_rate_mult: float
    amount_mult: float
    in_time: Floats


class Model(Protocol):
    basis: str
    segments: list[str]

    @property
    def deals(self) -> int:
        """Deals in an average iteration."""

    def draw(self, seed: np.random.SeedSequence, times: int) -> Any:
        """All the luck of `times` iterations. It knows no scenario: these differ by what they change only."""

    def rules(self, scenario: Scenario) -> Rules:
        """A scenario read once, before many batches."""

    def play(self, luck: Any, rules: Rules) -> Outcome:
        """What that luck comes to under a scenario."""


def chances(base: Floats, multiplier: float) -> Floats:
    """`base` times `multiplier`, held at `CEILING`."""
    return np.minimum(base * multiplier, np.maximum(base, CEILING))


def generators(seed: np.random.SeedSequence, number: int) -> list[np.random.Generator]:
    """Independent streams: one purpose drawing more numbers leaves the others as they were."""
    # Built from the key and not by seed.spawn(), which counts: the same seed always gives the same streams.
    return [
        np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, i))))
        for i in range(number)
    ]
