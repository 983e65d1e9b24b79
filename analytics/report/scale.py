"""Axes: round numbers to mark them with, and where a value lies between their ends."""

import math
from dataclasses import dataclass


def ticks(low: float, high: float, about: int = 5, whole: bool = False) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten) from at or below `low` to at or above `high`.

    `whole` keeps to whole numbers, for what is counted.
    """
    if not high > low:
        low, high = min(low, 0.0), max(low, 0.0) or low + 1.0
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(factor * power for factor in factors if factor * power >= rough * 0.999)
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 12) if step < 1 else n * step for n in range(first, last + 1)]


@dataclass(frozen=True)
class Scale:
    """Values between `low` and `high` as points between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)
