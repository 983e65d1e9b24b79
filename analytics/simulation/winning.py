"""How likely a deal is won: Beta posteriors that lean on the overall rate where a group is small.

Overall: Beta(wins + 1, losses + 1). Below it, twice the same step: Beta(k·parent + wins, k·(1 − parent) +
losses), where k, the number of deals the parent is worth, is the one that makes the history most probable
(empirical Bayes on the beta-binomial likelihood: Gelman et al., Bayesian Data Analysis, 3rd ed., chapter 5).
The steps are overall → stage → segment; a deal whose stage has no history goes overall → segment.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_STAGE = ""
USUAL_PULL = 20.0  # deals a parent is worth where the history is too small to tell
PULLS = np.geomspace(2, 2_000, 80)
ENOUGH = 3  # wins, and losses, that a stage needs before its history is believed
EDGE = 1e-6


@dataclass(frozen=True)
class Step:
    """One level of groups: the parent each leans on, how strongly, and its own record."""

    parent: Ints
    pull: float
    wins: Floats
    losses: Floats
    apart: NDArray[np.bool_]  # False: the group is its parent under another name

    def sample(self, rng: np.random.Generator, above: Floats) -> Floats:
        parents = np.clip(above[:, self.parent], EDGE, 1 - EDGE)
        drawn = rng.beta(self.pull * parents + self.wins, self.pull * (1 - parents) + self.losses)
        return np.where(self.apart, drawn, parents)

    def mean(self, above: Floats) -> Floats:
        parents = above[self.parent]
        own = (self.pull * parents + self.wins) / (self.pull + self.wins + self.losses)
        return np.where(self.apart, own, parents)


@dataclass(frozen=True)
class WinRates:
    """Chances by cell (stage and segment); `cell[i]` is where deal i belongs."""

    wins: int
    losses: int
    steps: tuple[Step, Step]
    cell: Ints
    stages: list[str]  # those whose history is used

    def sample(self, rng: np.random.Generator, times: int) -> Floats:
        """(times, cells): each row is one set of rates that the history allows for."""
        rates = rng.beta(self.wins + 1, self.losses + 1, (times, 1))
        for step in self.steps:
            rates = step.sample(rng, rates)
        return rates

    def mean(self) -> Floats:
        """(cells): the expectation of `sample`."""
        rates = np.array([(self.wins + 1) / (self.wins + self.losses + 2)])
        for step in self.steps:
            rates = step.mean(rates)
        return rates


def fit(closed: pd.DataFrame, deals: pd.DataFrame) -> WinRates:
    """Rates for `deals` (segment, stage) from `closed` ones (segment, stage, won)."""
    stages = _stages_with_history(closed, deals)
    stage = deals["stage"].astype(object).where(deals["stage"].isin(stages), NO_STAGE)
    groups = pd.MultiIndex.from_arrays([stage, deals["segment"]])
    cells = groups.unique().sort_values()
    tops = pd.Index(cells.get_level_values(0)).unique()

    by_stage, by_segment = _record(closed, ["stage"]), _record(closed, ["segment"])
    of_stage = by_stage.reindex(tops, fill_value=0.0).to_numpy()
    of_segment = by_segment.reindex(cells.get_level_values(1), fill_value=0.0)
    of_both = _record(closed, ["stage", "segment"]).reindex(cells, fill_value=0.0)
    staged = np.asarray(cells.get_level_values(0) != NO_STAGE)
    own = np.where(staged[:, None], of_both, of_segment)
    first = Step(
        parent=np.zeros(len(tops), np.int64),
        pull=pull(by_stage.loc[stages]),
        wins=of_stage[:, 0],
        losses=of_stage[:, 1],
        apart=np.asarray(tops != NO_STAGE),
    )
    second = Step(
        parent=tops.get_indexer(cells.get_level_values(0)),
        pull=pull(by_segment),
        wins=own[:, 0],
        losses=own[:, 1],
        apart=np.ones(len(cells), bool),
    )
    wins = int(closed["won"].sum())
    return WinRates(wins, len(closed) - wins, (first, second), cells.get_indexer(groups), stages)


def pull(record: pd.DataFrame) -> float:
    """How many deals the parent's rate is worth to its groups (wins, losses): few where they truly differ."""
    wins, losses = record["wins"].to_numpy(), record["losses"].to_numpy()
    if len(record) < 3 or wins.sum() + losses.sum() < 30:
        return USUAL_PULL
    parent = (wins.sum() + 1) / (wins.sum() + losses.sum() + 2)
    a, b = PULLS[:, None] * parent, PULLS[:, None] * (1 - parent)
    likelihood = (betaln(a + wins, b + losses) - betaln(a, b)).sum(axis=1)
    return float(PULLS[likelihood.argmax()])


def _record(closed: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    won = closed["won"].astype(float)
    counted = closed[by].assign(wins=won, losses=1 - won)
    return counted.groupby(by, observed=True)[["wins", "losses"]].sum()


def _stages_with_history(closed: pd.DataFrame, deals: pd.DataFrame) -> list[str]:
    """Stages of these deals in which closed ones were both won and lost.

    Many systems move a won deal to "Won" and leave a lost one where it was: such a stage knows losses only,
    and to believe it would make every open deal in it hopeless.
    """
    record = _record(closed[closed["stage"].isin(deals["stage"].dropna().unique())], ["stage"])
    return sorted(record.index[record[["wins", "losses"]].min(axis=1).ge(ENOUGH)])
