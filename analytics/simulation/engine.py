"""Batches of iterations: every scenario on the same luck, memory bounded by the batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.errors import BadData
from analytics.simulation.model import Model
from analytics.simulation.scenario import Scenario

Floats = NDArray[np.float64]
Step = Callable[[int, int, str], None]  # done, total, note; raises to stop the run

BATCH_CELLS = 400_000  # deals × iterations at once: about 3 MB an array, a few hundredths of a second
BATCH_ITERATIONS = 4_000
MOST_CELLS = 2_000_000_000  # deals × iterations × scenarios: about three minutes
MOST_TOTALS = 10_000_000  # iterations × scenarios, all kept for the percentiles: 80 MB


@dataclass(frozen=True)
class Totals:
    """`amounts` (scenarios, iterations); `won` (scenarios), on average; `drivers` of the first scenario."""

    amounts: Floats
    won: Floats
    drivers: "Moments"


class Moments:
    """Means of the segments and their covariances with the total, batch by batch.

    Chan, Golub and LeVeque (1983). Without BLAS (`@`), whose last bits depend on the number of threads.
    """

    def __init__(self, segments: int) -> None:
        self.count = 0
        self.mean = np.zeros(segments)
        self._products = np.zeros(segments)

    def add(self, amounts: Floats) -> None:
        """`amounts` (iterations, segments)."""
        mean = amounts.mean(axis=0)
        apart = amounts - mean
        count = self.count + len(amounts)
        shift = mean - self.mean
        self._products += (apart * apart.sum(axis=1, keepdims=True)).sum(axis=0)
        self._products += shift * shift.sum() * self.count * len(amounts) / count
        self.mean = self.mean + shift * len(amounts) / count
        self.count = count

    @property
    def covariance(self) -> Floats:
        """(segments): with the total; they add up to its variance."""
        return self._products / (self.count - 1)


def run(model: Model, scenarios: list[Scenario], iterations: int, seed: int, step: Step) -> Totals:
    """Play `iterations` of every scenario. The same arguments give the same bits, on one machine and numpy.

    Batches have seeds of their own and a size that depends on the model alone: a further scenario changes
    nothing for the others. `step` is called before each batch of each scenario. Raises BadData where the work
    is too much.
    """
    _refuse_too_much(model.deals, len(scenarios), iterations)
    amounts = np.empty((len(scenarios), iterations))
    drivers = Moments(len(model.segments))
    won = np.zeros(len(scenarios), np.int64)
    rules = [model.rules(scenario) for scenario in scenarios]
    sizes = list(batches(iterations, model.deals))
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    total, done, start = len(sizes) * len(scenarios), 0, 0
    for size, own_seed in zip(sizes, seeds, strict=True):
        step(done, total, f"{scenarios[0].name}: {start:,} of {iterations:,} iterations")
        luck = model.draw(own_seed, size)
        for position, scenario in enumerate(scenarios):
            if position:
                step(done, total, f"{scenario.name}: {start:,} of {iterations:,} iterations")
            outcome = model.play(luck, rules[position])
            amounts[position, start : start + size] = outcome.amounts.sum(axis=1)
            won[position] += outcome.won.sum()
            if position == 0:
                drivers.add(outcome.amounts)
            done += 1
        start += size
    step(total, total, f"{iterations:,} iterations of {len(scenarios)} scenarios")
    return Totals(amounts, won / iterations, drivers)


def batches(iterations: int, deals: int) -> Iterator[int]:
    """How many iterations each batch does."""
    size = max(1, min(BATCH_ITERATIONS, BATCH_CELLS // max(deals, 1)))
    for start in range(0, iterations, size):
        yield min(size, iterations - start)


def _refuse_too_much(deals: int, scenarios: int, iterations: int) -> None:
    most = min(MOST_CELLS // (max(deals, 1) * scenarios), MOST_TOTALS // scenarios)
    if iterations > most:
        advice = f"lower iterations to {most:,}" if most >= 100 else "simulate fewer deals"
        raise BadData(
            f"iterations is {iterations:,}: with {deals:,} deals and {scenarios} scenarios that is too much "
            f"for one task; {advice}, or spread the scenarios over several tasks."
        )
