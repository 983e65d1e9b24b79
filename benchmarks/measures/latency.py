"""From `enqueue` in one process to the first line of the body in another that was idle, in milliseconds.

One job at a time, with a pause that is long enough for the worker to sleep again.
"""

import random
import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures, quantile_ms
from benchmarks.workers import running

PAUSE_S = 0.05
WARM_UP = 10


def measure(peer: Any, many: int) -> Figures:
    """So many, after some that do not count."""
    delays = []
    with running(peer) as workers:
        for number in range(WARM_UP + many):
            before = time.time()
            peer.enqueue(number)
            workers.await_(lambda number=number: jobs.begun() > number, 0.0005)  # type: ignore[misc]
            delays.append(jobs.starts()[number].at - before)
            time.sleep(PAUSE_S * random.uniform(1, 2))
    jobs.check_once(WARM_UP + many)
    delays = delays[WARM_UP:]
    return {"jobs": many, "p50_ms": quantile_ms(delays, 0.5), "p95_ms": quantile_ms(delays, 0.95),
            "p99_ms": quantile_ms(delays, 0.99), "delays_ms": [round(1000 * delay, 2) for delay in delays]}  # fmt: skip
