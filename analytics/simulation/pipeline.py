"""The open deals, each won or not, in time or not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from analytics.simulation import amounts, timing, winning
from analytics.simulation.model import Outcome, Rules, chances, generators
from analytics.simulation.scenario import Scenario
from analytics.simulation.snapshot import Snapshot

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Luck:
    """Each (iterations, deals): the chance of each deal, the uniforms that decide, and what it is worth."""

    chance: Floats
    to_win: Floats
    to_close: Floats
    amount: Floats


class Pipeline:
    """Deal d is won where Φ(√ρ·F + √(1 − ρ)·ε_d) < p_d: one factor F an iteration, so that deals share good
    and bad times (a Gaussian copula: Vasicek, 1987; Li, 2000). It closes in time where a second uniform is
    below P(T ≤ age + horizon | T > age): the same as drawing the time from the conditioned Gamma curve and
    comparing it with the horizon, without the inverse.
    """

    basis = "open pipeline"

    def __init__(self, snapshot: Snapshot, horizon_days: float, correlation: float) -> None:
        number, names = pd.factorize(snapshot.open["segment"], sort=True)
        order = np.argsort(number, kind="stable")
        deals = snapshot.open.iloc[order].reset_index(drop=True)
        self.snapshot, self.frame = snapshot, deals
        self.segments = [str(name) for name in names]
        self.starts = np.searchsorted(number[order], np.arange(len(names)))
        self.age = deals["age"].to_numpy(float)
        self.horizon, self.correlation = horizon_days, correlation
        self.rates = winning.fit(snapshot.closed, deals)
        self.curve = timing.fit_by_segment(snapshot.closed, deals["segment"])
        self.amount = deals["amount"].to_numpy(float)
        self.unknown = np.flatnonzero(np.isnan(self.amount))
        self.pools = self._pools() if len(self.unknown) else None

    @property
    def deals(self) -> int:
        return len(self.frame)

    def draw(self, seed: np.random.SeedSequence, times: int) -> Luck:
        of_rates, of_factor, of_deals, of_closing, of_amounts = generators(seed, 5)
        shape = (times, self.deals)
        chance = self.rates.sample(of_rates, times)[:, self.rates.cell]
        factor = np.sqrt(self.correlation) * of_factor.standard_normal((times, 1))
        own = np.sqrt(1 - self.correlation) * of_deals.standard_normal(shape)
        amount = np.broadcast_to(self.amount, shape)
        if self.pools is not None:
            amount = amount.copy()
            luck = of_amounts.random((times, len(self.unknown)))
            amount[:, self.unknown] = self.pools.at(luck, np.arange(len(self.unknown)))
        return Luck(chance, ndtr(factor + own), of_closing.random(shape), amount)

    def rules(self, scenario: Scenario) -> Rules:
        # To multiply the days from now to the close is to divide the days there are.
        in_time = self.curve.closes_within(self.horizon / scenario.cycle_mult, self.age)
        kept = ~self.frame["segment"].isin(scenario.drop_segments).to_numpy()
        return Rules(scenario.win_rate_mult, scenario.amount_mult, in_time * kept)

    def play(self, luck: Luck, rules: Rules) -> Outcome:
        won = luck.to_win < chances(luck.chance, rules.win_rate_mult)
        won &= luck.to_close < rules.in_time
        brought = np.add.reduceat(np.where(won, luck.amount, 0.0), self.starts, axis=1)
        return Outcome(brought * rules.amount_mult, won.sum(axis=1))

    def chance(self) -> Floats:
        """(deals): how likely each is won."""
        return self.rates.mean()[self.rates.cell]

    def _pools(self) -> amounts.Pools:
        won = self.snapshot.closed[self.snapshot.closed["won"]]
        # Hopes stand in for hopes where nothing was ever won.
        known = won if won["amount"].notna().any() else self.frame
        return amounts.pools(known, self.frame.iloc[self.unknown])
