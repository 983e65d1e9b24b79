"""What workers cost that have nothing to do: processor seconds in two minutes, and memory."""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures
from benchmarks.workers import running, servers_cpu_s


def measure(peer: Any, seconds: float, processes: int = 2) -> Figures:
    """Watch for so long, then say what it would be in 120 seconds, for each worker process."""
    with running(peer, processes) as workers:
        peer.enqueue(0)
        workers.await_(lambda: jobs.begun() > 0)
        time.sleep(3)
        cpu, servers_cpu, began = workers.cpu_s(), servers_cpu_s(), time.monotonic()
        time.sleep(seconds)
        share = 120 / (time.monotonic() - began)
        return {
            "worker_cpu_s_in_120_s": round((workers.cpu_s() - cpu) * share / processes, 2),
            "servers_cpu_s_in_120_s": round((servers_cpu_s() - servers_cpu) * share, 2),
            "memory_mb": round(workers.memory_mb() / processes, 1),
        }
