"""Fan-out and fan-in: many jobs after a first one, and a last one after all of them; seconds from first to last start.

Celery's chord and Dramatiq's group have no first one to wait for: their jobs are free at once.
"""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures
from benchmarks.workers import running


def measure(peer: Any, many: int) -> Figures | None:
    """So many between the first and the last."""
    if not hasattr(peer, "fan"):
        return None
    with running(peer) as workers:
        peer.enqueue(-1)
        workers.await_(lambda: jobs.begun() > 0)  # workers are up
        asked = time.perf_counter()
        peer.fan(many)
        accepted = time.perf_counter() - asked
        workers.await_(lambda: jobs.begun() >= many + 3)
    at = {start.number: start.at for start in jobs.starts() if start.number >= 0}
    if len(at) != many + 2 or max(at.values()) != at[many + 1]:
        raise AssertionError("the last job did not run last")
    return {"jobs": many, "accepted_s": round(accepted, 3), "seconds": round(at[many + 1] - at[0], 2)}
