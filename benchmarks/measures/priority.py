"""Priority inversion: how many ordinary jobs start between the acceptance of an urgent one and its start."""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures, filled
from benchmarks.workers import running

URGENT = -1


def measure(peer: Any, many: int) -> Figures | None:
    """With so many no-ops queued, a tenth of them already done."""
    if not hasattr(peer, "urgent"):
        return None
    filled(peer, range(many))
    with running(peer) as workers:
        workers.await_(lambda: jobs.begun() >= many // 10, 0.001)
        peer.urgent(URGENT)
        accepted = time.time()
        workers.await_(lambda: any(start.number == URGENT for start in jobs.starts()), 0.1)
    began = next(start.at for start in jobs.starts() if start.number == URGENT)
    before = sum(accepted < start.at < began for start in jobs.starts())
    return {"jobs": many, "overtaken_by": before, "after_ms": round(1000 * max(0.0, began - accepted), 1)}
