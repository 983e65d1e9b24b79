"""From `enqueue` until the one who asked holds the result, while the workers do half of what they can.

Jobs of 50 ms are their load, sent by a process of its own: `python -m benchmarks.measures.results PEER PER_S`.
"""

import subprocess
import sys
import time
from typing import Any

from benchmarks import jobs
from benchmarks.measures import Figures, quantile_ms
from benchmarks.workers import running

BODY_S = 0.05
SLOTS = 16
WARM_UP = 20
LONGEST_S = 40  # one that does not keep up with the load is not waited for
LOAD = 10**6  # the load's jobs have numbers from here on


def measure(peer: Any, many: int, pace: int) -> Figures | None:
    """So many no-ops, one at a time; `pace` is about what the peer does of them in a second."""
    if not hasattr(peer, "result"):
        return None
    slots = 2 * getattr(peer, "CONCURRENCY", SLOTS // 2)
    per_s = 0.5 * slots / (BODY_S + slots / pace)
    delays = []
    with running(peer) as workers:
        for number in range(WARM_UP):  # else the load would pile up while they start
            peer.result(peer.enqueue(2 * LOAD + number))
        load = subprocess.Popen([sys.executable, "-m", __name__, peer.__name__, str(per_s)])
        try:
            workers.await_(lambda: jobs.begun() >= per_s + WARM_UP)
            began, before = jobs.begun(), time.monotonic()
            for number in range(many):
                if time.monotonic() - before > LONGEST_S:
                    break
                asked = time.perf_counter()
                peer.result(peer.enqueue(number))
                delays.append(time.perf_counter() - asked)
                time.sleep(0.02)
            seen = (jobs.begun() - began - len(delays)) / (time.monotonic() - before)
        finally:
            load.terminate()
            load.wait()
    return {"jobs": len(delays), "load_per_s": round(seen, 1), "p50_ms": quantile_ms(delays, 0.5),
            "p95_ms": quantile_ms(delays, 0.95), "p99_ms": quantile_ms(delays, 0.99)}  # fmt: skip


def keep_busy(peer: Any, per_s: float) -> None:
    """Enqueue at this rate for ever."""
    sent, began = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - began) * per_s)
        if due > sent:
            peer.enqueue_each(range(LOAD + sent, LOAD + due), BODY_S)
            sent = due
        time.sleep(0.005)


if __name__ == "__main__":
    from importlib import import_module

    busy = import_module(sys.argv[1])
    if hasattr(busy, "connect"):
        busy.connect()
    keep_busy(busy, float(sys.argv[2]))
