"""The deals that have yet to come: a period that opens with an empty pipeline, at the pace of the history."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from analytics.errors import BadData
from analytics.simulation import amounts, timing, winning
from analytics.simulation.model import Outcome, Rules, chances, generators
from analytics.simulation.scenario import Scenario
from analytics.simulation.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 10  # dated closed deals without which a pace is a guess
SLOWEST = 0.95  # deals slower than this share of the history's are let go when looking for complete days
SHORTEST_WINDOW = 30  # days


@dataclass(frozen=True)
class Pace:
    """`counts` (segments) arrivals in `days` days, `first` to `last`; `counted` names the date."""

    counts: Floats
    days: int
    first: pd.Timestamp
    last: pd.Timestamp
    counted: str


def pace(closed: pd.DataFrame, segments: list[str]) -> Pace:
    """Arrivals by segment over the days for which the history is complete.

    A file of closed deals lacks those still open when it was made, so its last months look empty; one chosen
    by closing date lacks those that had closed before, so its first months do. Counted is from the first
    closing to the last one less the 95th percentile of cycles. Where that leaves less than 30 days, closings
    are counted instead: in a steady state they are as many as arrivals. Raises BadData with fewer than 10
    dated deals.
    """
    dated = closed[closed["cycle"].notna()]
    if len(dated) < FEWEST:
        raise BadData(
            f"The data has no open deal and only {len(dated):,} closed ones with both dates: at least "
            f"{FEWEST} are needed to simulate a period from the history. Add open deals, or more history."
        )
    first, last = dated["closed_on"].min(), dated["closed_on"].max()
    complete = last - pd.Timedelta(days=int(dated["cycle"].quantile(SLOWEST)))
    counted = "opened_on"
    if (complete - first).days + 1 < SHORTEST_WINDOW:
        counted, complete = "closed_on", last
    days = (complete - first).days + 1
    inside = dated[dated[counted].ge(first) & dated[counted].lt(complete + pd.Timedelta(days=1))]
    counts = inside["segment"].value_counts().reindex(segments, fill_value=0)
    return Pace(counts.to_numpy(float), days, first, complete, counted)


@dataclass(frozen=True)
class Luck:
    """`row` and `group` (arrivals): iteration and segment of each; the rest as in the open pipeline, flat."""

    times: int
    row: Ints
    group: Ints
    chance: Floats
    to_win: Floats
    to_close: Floats
    amount: Floats


class Arrivals:
    """Poisson arrivals by segment, uniform over the period; each deal then as in the open pipeline, at age 0.

    The pace itself is uncertain: Gamma(count + ½) / days, Jeffreys' posterior of a Poisson rate.
    """

    basis = "next period at the historical arrival rate"

    def __init__(self, snapshot: Snapshot, horizon_days: float, correlation: float) -> None:
        self.snapshot, self.segments = snapshot, sorted(snapshot.closed["segment"].unique())
        self.horizon, self.correlation = horizon_days, correlation
        self.pace = pace(snapshot.closed, self.segments)
        kinds = pd.DataFrame({"segment": self.segments, "product": None, "stage": None})
        self.rates = winning.fit(snapshot.closed, kinds)
        self.curve = timing.fit_by_segment(snapshot.closed, kinds["segment"])
        self.pools = amounts.pools(snapshot.closed[snapshot.closed["won"]], kinds)

    @property
    def deals(self) -> int:
        return max(1, round(float((self.pace.counts + 0.5).sum()) / self.pace.days * self.horizon))

    def draw(self, seed: np.random.SeedSequence, times: int) -> Luck:
        of_rates, of_factor, of_deals, of_closing, of_amounts, of_pace = generators(seed, 6)
        rate = of_pace.standard_gamma(self.pace.counts + 0.5, (times, len(self.segments))) / self.pace.days
        number = of_pace.poisson(rate * self.horizon).ravel()
        place = np.repeat(np.arange(number.size), number)
        row, group = np.divmod(place, len(self.segments))
        chance = self.rates.sample(of_rates, times)[:, self.rates.cell].ravel()[place]
        factor = np.sqrt(self.correlation) * of_factor.standard_normal(times)
        own = np.sqrt(1 - self.correlation) * of_deals.standard_normal(len(place))
        amount = self.pools.at(of_amounts.random(len(place)), group)
        return Luck(times, row, group, chance, ndtr(factor[row] + own), of_closing.random(len(place)), amount)

    def rules(self, scenario: Scenario) -> Rules:
        # E[F(H − u)] for a day of arrival u uniform on (0, H), by the midpoint rule.
        left = (np.arange(1_000) + 0.5)[:, None] / 1_000 * self.horizon
        in_time = self.curve.closes_within(left / scenario.cycle_mult).mean(axis=0)
        kept = ~np.isin(self.segments, scenario.drop_segments)
        return Rules(scenario.win_rate_mult, scenario.amount_mult, in_time * kept)

    def play(self, luck: Luck, rules: Rules) -> Outcome:
        won = luck.to_win < chances(luck.chance, rules.win_rate_mult)
        won &= luck.to_close < rules.in_time[luck.group]
        row, place = luck.row[won], luck.row[won] * len(self.segments) + luck.group[won]
        brought = np.zeros((luck.times, len(self.segments)))
        brought += np.bincount(place, luck.amount[won], brought.size).reshape(brought.shape)
        return Outcome(brought * rules.amount_mult, np.bincount(row, minlength=luck.times))

    def chance(self) -> Floats:
        """(segments): how likely a deal of each is won."""
        return self.rates.mean()[self.rates.cell]
