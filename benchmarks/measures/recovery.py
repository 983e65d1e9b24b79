"""Seconds until a job runs again whose worker was ended by `kill -9`: one process of two, and all at once.

Only for peers whose documentation says that they do it by themselves, within a time one can wait for.
"""

import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures
from benchmarks.workers import Workers, running

BODY_S = 120.0


def measure(peer: Any) -> Figures | None:
    """Kill once each way."""
    if not hasattr(peer, "RECOVERY_S"):
        return None
    with running(peer) as workers:
        pid = _started(peer, workers, 0)
        workers.kill_one(pid)
        one = _again(workers, 0)
        _started(peer, workers, 1)
        workers.kill()
    killed = time.time()
    with running(peer) as workers:
        everyone = _again(workers, 1, killed)
        workers.kill()
    return {"one_process_s": one, "all_s": everyone}


def _started(peer: Any, workers: Workers, number: int) -> int:
    peer.enqueue(number, BODY_S)
    workers.await_(lambda: any(start.number == number for start in jobs.starts()), 0.02)
    time.sleep(1)  # it runs, and beats
    return next(start.pid for start in jobs.starts() if start.number == number)


def _again(workers: Workers, number: int, killed: float | None = None) -> float:
    killed = killed or time.time()

    def later() -> list[float]:
        return [start.at for start in jobs.starts() if start.number == number and start.at > killed]

    workers.await_(lambda: bool(later()), 0.01)
    return round(later()[0] - killed, 2)
