"""What is measured, one file a thought: `measure(peer, **sizes)` runs in the contender's own Python.

It returns figures, or None where the peer cannot do such a thing. A figure's name ends in its unit.
"""

from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]


def filled(peer: Any, numbers: range, seconds: float = 0.0) -> None:
    """Enqueue these, in bulk where the peer can."""
    enqueue: Callable[[range, float], None] = getattr(peer, "enqueue_many", peer.enqueue_each)
    enqueue(numbers, seconds)


def quantile_ms(delays_s: list[float], share: float) -> float:
    """The delay below which this share of them lies, in milliseconds."""
    ranked = sorted(delays_s)
    return round(1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))], 2)
