"""Jobs accepted a second by one thread, with no worker about: one call for each, and in bulk where the peer can."""

import time
from typing import Any

from benchmarks.measures import Figures


def measure(peer: Any, singly: int, bulk: int) -> Figures:
    """Accept so many."""
    peer.enqueue_each(range(50))
    began = time.perf_counter()
    peer.enqueue_each(range(singly))
    figures: Figures = {"each_per_s": round(singly / (time.perf_counter() - began), 1)}
    if hasattr(peer, "enqueue_many"):
        peer.enqueue_many(range(50))
        began = time.perf_counter()
        peer.enqueue_many(range(bulk))
        figures["bulk_per_s"] = round(bulk / (time.perf_counter() - began), 1)
    return figures
