"""Jobs a second of a few thousand, out of more that wait; what was taken is filled up before."""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures, filled
from benchmarks.workers import running


def measure(peer: Any, many: int) -> Figures:
    """Run so many from the front of the line, and leave the rest."""
    base = time.time_ns() // 1_000  # numbers that no earlier slice has used
    filled(peer, range(base, base + many))
    with running(peer) as workers:
        workers.await_(lambda: jobs.begun() >= many, 0.002)
    starts = jobs.starts()
    numbers = {start.number for start in starts}
    if len(numbers) != len(starts):
        raise AssertionError(f"{len(starts)} starts of {len(numbers)} jobs")
    first, *_, last = sorted(start.at for start in starts[:many])
    return {"jobs": many, "per_s": round(many / (last - first), 1)}
