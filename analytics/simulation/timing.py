"""When a deal closes: Gamma curves over historic cycles, conditioned on the days a deal has lived already."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import digamma, gammainc, gammaincc, polygamma

Floats = NDArray[np.float64]

ENOUGH = 30  # cycles that a segment needs for a curve of its own
STEEPEST = 1e4  # a shape like this is a spike: one day more or less hardly matters
UNKNOWN_MEAN = 90.0  # days, where no deal ever closed
VANISHED = 1e-250


@dataclass(frozen=True)
class Curve:
    """A Gamma distribution of days; `shape` and `scale` (days) may be arrays, one for each deal."""

    shape: Floats
    scale: Floats

    def closes_within(self, days: float | Floats, age: float | Floats = 0.0) -> Floats:
        """P(T ≤ age + days | T > age): the share of such deals that close in the next `days`."""
        days, age = np.maximum(days, 0.0), np.maximum(age, 0.0)
        alive = gammaincc(self.shape, age / self.scale)
        later = gammaincc(self.shape, (age + days) / self.scale)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = 1 - later / alive
        # So far out that nothing is left of the curve, its hazard is 1 / scale.
        return np.clip(np.where(alive > VANISHED, share, -np.expm1(-days / self.scale)), 0.0, 1.0)

    def gap(self, cycles: pd.Series) -> float:
        """The largest distance between the curve and the history's own (Kolmogorov–Smirnov), 0..1."""
        days, counts = np.unique(cycles.dropna(), return_counts=True)
        seen = counts.cumsum() / counts.sum()
        # Days are whole: the curve is asked in the middle of the night after.
        return float(np.abs(gammainc(self.shape, (days + 0.5) / self.scale) - seen).max()) if len(days) else 0.0


def seen_within(cycles: pd.Series, days: float, age: Floats) -> Floats:
    """P(T ≤ age + days | T > age) as `cycles` (no NaN) show it; every age must be below the longest."""
    ordered = np.sort(cycles.to_numpy(float))
    lived = len(ordered) - np.searchsorted(ordered, age, side="right")
    return 1 - (len(ordered) - np.searchsorted(ordered, age + days, side="right")) / lived


def fit(cycles: pd.Series) -> Curve:
    """The most likely Gamma curve for `cycles` (days > 0, NaN ignored); exponential where they are too few.

    Solves ln k − ψ(k) = ln(mean) − mean(ln) by T. Minka's steps (Estimating a Gamma distribution, 2002).
    Written out because scipy.stats would cost every worker's child 50 MB.
    """
    days = cycles.dropna().to_numpy(float)
    if len(days) == 0:
        return _curve(1.0, UNKNOWN_MEAN)
    mean = days.mean()
    spread = np.log(mean) - np.log(days).mean()
    if len(days) < 3:
        return _curve(1.0, mean)  # two points know nothing about a shape
    if spread < 1 / (2 * STEEPEST):
        return _curve(STEEPEST, mean / STEEPEST)
    shape = (3 - spread + np.sqrt((spread - 3) ** 2 + 24 * spread)) / (12 * spread)
    for _ in range(5):
        slope = 1 / shape - polygamma(1, shape)
        shape = 1 / (1 / shape + (np.log(shape) - digamma(shape) - spread) / (shape**2 * slope))
    return _curve(shape, mean / shape)


def fit_by_segment(closed: pd.DataFrame, segments: pd.Series) -> Curve:
    """A curve for each of `segments`: its own where it has enough won deals, else the curve of all won deals.

    Lost deals have cycles of their own (often much shorter) and bring in nothing whenever they close.
    """
    won = closed[closed["won"]]
    if won["cycle"].isna().all():
        won = closed
    everywhere = fit(won["cycle"])
    cycles = dict(iter(won.groupby("segment")["cycle"]))
    curves = {
        segment: fit(cycles[segment]) if segment in cycles and cycles[segment].count() >= ENOUGH else everywhere
        for segment in segments.unique()
    }
    return Curve(
        np.array([curves[segment].shape for segment in segments], float),
        np.array([curves[segment].scale for segment in segments], float),
    )


def _curve(shape: float, scale: float) -> Curve:
    return Curve(np.asarray(shape, float), np.asarray(scale, float))
