"""Jobs a second, end to end: queued beforehand, timed from the first body's start until the peer itself says all ended.

For Callboard that is when all is committed. Every job must have run exactly once, else there is no figure.
"""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures, filled
from benchmarks.workers import running, servers_cpu_s


def measure(peer: Any, many: int, seconds: float = 0.0, processes: int = 2) -> Figures:
    """Run so many jobs of so many seconds each."""
    many = max(100, many)
    filled(peer, range(many), seconds)
    with running(peer, processes) as workers:
        workers.await_(lambda: jobs.begun() > 0, 0.001)
        already = jobs.begun()
        cpu, servers_cpu = workers.cpu_s(), servers_cpu_s()
        workers.await_(lambda: jobs.begun() >= many)
        workers.await_(lambda: peer.finished(many))
        ended = time.time()
        cpu, servers_cpu = workers.cpu_s() - cpu, servers_cpu_s() - servers_cpu
        memory = workers.memory_mb()
    jobs.check_once(many)
    rest = max(1, many - already)
    return {
        "jobs": many,
        "per_s": round(many / (ended - min(start.at for start in jobs.starts())), 1),
        "workers_cpu_us": round(1e6 * cpu / rest),
        "servers_cpu_us": round(1e6 * servers_cpu / rest),
        "memory_mb": memory,
    }
