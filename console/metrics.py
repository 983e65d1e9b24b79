"""Figures for monitoring, in Prometheus's text format; for whoever shows the token of the settings."""

import math
import secrets
from collections.abc import Iterable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from models import Outcome, now
from services import attention, queues, stats, totals
from services.lifecycle.counts import bucket_top_s
from services.totals import Sums
from settings import settings

MEDIA_TYPE = "text/plain; version=0.0.4"
EVERY = 8  # buckets of ours to one of the exposition: each is four times as wide as the one before
BUCKETS = 13


async def metrics(request: Request) -> Response:
    """The figures; 404 where no token is set, 401 without it."""
    token = settings().metrics_token
    if token is None or not (wanted := token.get_secret_value()):
        return _answer(404, "There are no metrics: METRICS_TOKEN is not set.\n")
    shown = request.headers.get("authorization", "").encode()
    if not secrets.compare_digest(shown, b"Bearer " + wanted.encode()):
        return _answer(401, "This takes the bearer token of METRICS_TOKEN.\n", {"WWW-Authenticate": "Bearer"})
    return PlainTextResponse(
        await run_in_threadpool(exposition), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
    )


def exposition() -> str:
    """All of it as text."""
    return "".join([*_tasks(), *_queues(), *_processes(), *_attempts(totals.attempts())])


def _tasks() -> list[str]:
    samples = [({"status": str(status)}, float(n)) for status, n in stats.by_status().items()]
    return [_family("callboard_tasks", "gauge", "Tasks in each status now, without deleted ones.", samples)]


def _queues() -> list[str]:
    stand, at = queues.list_queues(), now()
    waits = {q.name: (at - q.oldest_queued_at).total_seconds() if q.oldest_queued_at else 0.0 for q in stand}
    return [
        _family(f"callboard_queue_{name}", "gauge", words, [({"queue": q}, value) for q, value in values.items()])
        for name, words, values in (
            ("depth", "Tasks in line for a worker.", {q.name: float(q.depth) for q in stand}),
            ("oldest_seconds", "How long the task that waits longest has been in line.", waits),
            ("running", "Tasks that run.", {q.name: float(q.running) for q in stand}),
            ("paused", "1 where no worker may take from the queue.", {q.name: float(q.paused) for q in stand}),
        )
    ]


def _processes() -> list[str]:
    found, at = attention.processes(), now()
    alive = [({"kind": kind}, float(len(found.of(kind)))) for kind in ("worker", "scheduler")]
    workers = found.of("worker")
    beats: dict[str, float] = {}
    for one in (*found.alive, *found.silent):
        age = max(0.0, (at - one.last_beat_at).total_seconds())
        beats[one.kind] = min(age, beats.get(one.kind, math.inf))
    ages = [({"kind": kind}, age) for kind, age in beats.items()]
    return [
        _family("callboard_processes", "gauge", "Processes that beat.", alive),
        _family("callboard_processes_silent", "gauge", "Processes that ceased to beat.", [({}, len(found.silent))]),
        _family("callboard_last_beat_seconds", "gauge", "Since the latest beat of a process of this kind.", ages),
        _family("callboard_worker_threads", "gauge", "Threads of workers.", [({}, sum(w.threads for w in workers))]),
        _family("callboard_worker_threads_busy", "gauge", "Of these, busy.", [({}, sum(w.busy for w in workers))]),
    ]


def _attempts(sums: Sums) -> list[str]:
    outcomes = [
        ({"type": type_, "outcome": measure}, float(n))
        for (type_, measure, _), n in sorted(sums.items())
        if measure in set(Outcome)
    ]
    found = [_family("callboard_attempts_total", "counter", "Attempts that ended, by outcome.", outcomes)]
    for measure, words in (("run", "How long attempts ran"), ("wait", "How long attempts waited in line")):
        found.append(
            _histogram(f"callboard_{measure}_seconds", f"{words}; the sum is right within a tenth.", sums, measure)
        )
    return found


def _histogram(name: str, words: str, sums: Sums, measure: str) -> str:
    lines = [_head(name, "histogram", words)]
    for type_ in sorted({key[0] for key in sums if key[1] == measure}):
        counts = {bucket: n for (t, m, bucket), n in sums.items() if (t, m) == (type_, measure)}
        for top in range(0, BUCKETS * EVERY, EVERY):
            below = sum(n for bucket, n in counts.items() if bucket <= top)
            lines.append(_line(f"{name}_bucket", {"type": type_, "le": f"{bucket_top_s(top):g}"}, below))
        lines.append(_line(f"{name}_bucket", {"type": type_, "le": "+Inf"}, sum(counts.values())))
        # The middle of a bucket, whose ends are 19 % apart, on the logarithmic scale
        total = sum(n * bucket_top_s(bucket) / 2**0.125 for bucket, n in counts.items())
        lines.append(_line(f"{name}_sum", {"type": type_}, total))
        lines.append(_line(f"{name}_count", {"type": type_}, sum(counts.values())))
    return "".join(lines)


def _family(name: str, kind: str, words: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> str:
    return _head(name, kind, words) + "".join(_line(name, labels, value) for labels, value in samples)


def _head(name: str, kind: str, words: str) -> str:
    return f"# HELP {name} {words}\n# TYPE {name} {kind}\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{said}}} {value:.10g}\n" if said else f"{name} {value:.10g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store", **(headers or {})})
