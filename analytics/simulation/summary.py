"""From a million totals to the few numbers that people read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.simulation.engine import Totals
from analytics.simulation.scenario import Scenario

Floats = NDArray[np.float64]

BINS = 30


def rows(totals: Totals, scenarios: list[Scenario], target: float | None) -> list[dict[str, Any]]:
    """One row a scenario, in the data's currency; standard errors are those of the simulation alone."""
    return [
        {"name": scenario.name}
        | {name: getattr(scenario, name) for name in ("win_rate_mult", "cycle_mult", "amount_mult")}
        | _spread(amounts)
        | _reaching(amounts, target)
        | _against(amounts, totals.amounts[0])
        | {"deals_won_mean": tidy(won)}
        for scenario, amounts, won in zip(scenarios, totals.amounts, totals.won, strict=True)
    ]


def histogram(totals: Totals, scenarios: list[Scenario]) -> dict[str, Any]:
    """Counts of iterations between round edges, shared by all scenarios; each adds up to its iterations."""
    edges = round_edges(float(totals.amounts.min()), float(totals.amounts.max()))
    counts = [np.histogram(amounts, bins=edges)[0].tolist() for amounts in totals.amounts]
    return {
        "edges": edges.tolist(),
        "counts": {one.name: count for one, count in zip(scenarios, counts, strict=True)},
    }


def drivers(totals: Totals, segments: list[str]) -> list[dict[str, Any]]:
    """What each segment adds to the base scenario's mean and variance, largest first.

    To the variance it adds its covariance with the total. Shares of variance add up to 1; a segment that
    falls when the others rise has a negative one.
    """
    mean, covariance = totals.drivers.mean, totals.drivers.covariance
    found = [
        {
            "segment": segment,
            "mean": tidy(mean[i]),
            "share_of_mean": tidy(_share(mean[i], mean.sum())),
            "share_of_variance": tidy(_share(covariance[i], covariance.sum())),
        }
        for i, segment in enumerate(segments)
    ]
    return sorted(found, key=lambda one: (-one["mean"], one["segment"]))


def round_edges(low: float, high: float) -> Floats:
    """About 30 steps of 1, 2 or 5 times a power of ten, from below `low` to above `high`."""
    # The step must not vanish beside the numbers themselves, or edges would fall on one another.
    rough = max((high - low) / BINS, abs(high) * 1e-9, 1e-9)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough * (1 - 1e-12))
    first, last = np.floor(low / step), np.ceil(high / step)
    edges = np.arange(first, max(last, first + 1) + 1) * step
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges


def tidy(number: float) -> float:
    """Nine significant digits: more than any of this is worth, and no 0.30000000000000004."""
    return float(f"{number:.9g}")


def _spread(amounts: Floats) -> dict[str, float]:
    sd = amounts.std(ddof=1)
    p10, p50, p90 = np.quantile(amounts, (0.1, 0.5, 0.9))
    numbers = {
        "mean": amounts.mean(),
        "se": sd / np.sqrt(len(amounts)),
        "sd": sd,
        "p10": p10,
        "p50": p50,
        "p90": p90,
    }
    return {name: tidy(number) for name, number in numbers.items()}


def _reaching(amounts: Floats, target: float | None) -> dict[str, float | None]:
    if target is None:
        return {"p_target": None, "p_target_se": None}
    hits, times = int((amounts >= target).sum()), len(amounts)
    # Half a hit and half a miss more: never to have happened is not to be impossible.
    about = (hits + 0.5) / (times + 1)
    return {"p_target": tidy(hits / times), "p_target_se": tidy(np.sqrt(about * (1 - about) / times))}


def _against(amounts: Floats, base: Floats) -> dict[str, float]:
    difference = amounts - base
    return {
        "delta_vs_base": tidy(difference.mean()),
        "delta_se": tidy(difference.std(ddof=1) / np.sqrt(len(difference))),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
