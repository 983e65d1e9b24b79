"""Which differences between win rates are more than chance."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Any

Row = Mapping[str, Any]

ALPHA = 0.05


def widest_beyond_chance(groups: Sequence[Row]) -> tuple[Row, Row] | None:
    """The two groups (higher, lower) with the largest difference in win rate that is beyond chance; None if no two are.

    Beyond chance: their 95% intervals do not overlap, and the two-proportion z-test holds at 5 % after Bonferroni's
    correction for the number of pairs. Without it, of thirty equal groups two would stand apart in every other file.
    """
    pairs = len(groups) * (len(groups) - 1) // 2
    if not pairs:
        return None
    bound = NormalDist().inv_cdf(1 - ALPHA / (2 * pairs))
    ranked = sorted(groups, key=lambda row: row["win_rate"], reverse=True)
    apart = [
        (high, low)
        for high, low in combinations(ranked, 2)
        if high["win_rate_low"] > low["win_rate_high"] and _z(high, low) > bound
    ]
    return max(apart, key=lambda pair: pair[0]["win_rate"] - pair[1]["win_rate"], default=None)


def _z(one: Row, other: Row) -> float:
    """The two-proportion z-statistic, with the pooled rate."""
    closed, others = one["won"] + one["lost"], other["won"] + other["lost"]
    pooled = (one["won"] + other["won"]) / (closed + others)
    error = sqrt(pooled * (1 - pooled) * (1 / closed + 1 / others))
    return (one["win_rate"] - other["win_rate"]) / error if error else 0.0
