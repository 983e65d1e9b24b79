"""What is measured, on whom, how often and with which sizes: the sections of a run, in their order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contenders import CONTENDERS, KEEPING, SILENT, Contender

SLOTS = 16  # 2 processes × 8 threads
LASTS_S = 4  # a slow peer gets as many jobs as it does in so many seconds
Sizes = Callable[[Contender, float], dict[str, Any]]


@dataclass(frozen=True)
class Column:
    """A figure in the table."""

    figure: str
    heading: str
    digits: int = 0


@dataclass(frozen=True)
class Section:
    """One table: a measure with its sizes."""

    title: str
    measure: str
    sizes: Sizes
    columns: tuple[Column, ...]
    rounds: int
    ratio: str = ""  # the figure that is compared with bare Dramatiq's
    only: tuple[str, ...] = ()  # contenders measured unless others are named; empty: all
    extra: dict[str, Contender] = field(default_factory=dict)


def _jobs(most: int, body_s: float = 0.0, **more: Any) -> Sizes:
    """At most so many jobs, and no more than the contender does in some seconds."""

    def sizes(contender: Contender, scale: float) -> dict[str, Any]:
        pace = min(contender.pace, SLOTS / body_s) if body_s else contender.pace
        many = most if contender.ours and not body_s else min(most, int(pace * LASTS_S))
        return {"many": max(50, int(many * scale)), **({"seconds": body_s} if body_s else {}), **more}

    return sizes


def _just(**sizes: float) -> Sizes:
    return lambda _, scale: {name: max(20, int(size * scale)) for name, size in sizes.items()}


def _enqueued(contender: Contender, scale: float) -> dict[str, Any]:
    return {"singly": max(50, int(2_000 * scale)), "bulk": max(500, int(20_000 * scale))}


def _asked(contender: Contender, scale: float) -> dict[str, Any]:
    return {"many": max(20, int(80 * scale)), "pace": contender.pace}


RATE = (
    Column("per_s", "jobs a second"), Column("workers_cpu_us", "µs of worker CPU a job"),
    Column("servers_cpu_us", "µs of server CPU a job"), Column("memory_mb", "MB of all workers"),
    Column("jobs", "jobs"),
)  # fmt: skip
DELAY = (Column("p50_ms", "p50 ms", 1), Column("p95_ms", "p95 ms", 1), Column("p99_ms", "p99 ms", 1))
FASTEST = ("callboard_postgresql", "callboard_sqlite", "dramatiq", "huey_redis", "taskiq", "pgqueuer_100")

SECTIONS = {
    "throughput": Section(
        "No-op jobs, queued beforehand", "throughput", _jobs(20_000), RATE, 5, "per_s", extra=KEEPING
    ),
    "body_1ms": Section("Jobs of 1 ms", "throughput", _jobs(20_000, 0.001), RATE, 3, "per_s"),
    "body_50ms": Section(
        "Jobs of 50 ms (16 slots: 320 a second)", "throughput", _jobs(20_000, 0.05), RATE, 3, "per_s"
    ),
    "enqueue": Section(
        "Accepting jobs, one thread", "enqueue", _enqueued,
        (Column("each_per_s", "one call each, a second"), Column("bulk_per_s", "in bulk, a second")), 3, "each_per_s",
    ),
    "latency": Section(
        "From enqueue to the body of an idle worker", "latency", _just(many=80), DELAY, 3, "p50_ms", extra=SILENT
    ),
    "results": Section(
        "From enqueue to the result, half loaded with jobs of 50 ms", "results", _asked,
        (*DELAY, Column("load_per_s", "jobs of load a second")), 2, extra=KEEPING,
    ),
    "priority": Section(
        "An urgent job among many queued", "priority", _just(many=10_000),
        (Column("jobs", "queued"), Column("overtaken_by", "ordinary jobs that start before it"),
         Column("after_ms", "starts after ms", 1)), 3,
    ),
    "recovery": Section(
        "Runs again after `kill -9`", "recovery", lambda *_: {},
        (Column("one_process_s", "one worker process, s", 2), Column("all_s", "all at once, s", 2)), 1,
    ),
    "fan": Section(
        "A first job, many after it, one after them all", "fan", _just(many=10_000),
        (Column("jobs", "jobs"), Column("accepted_s", "accepted in s", 2), Column("seconds", "done in s", 2)), 2,
    ),
    "idle": Section(
        "Workers with nothing to do", "idle", lambda _, scale: {"seconds": max(5, 20 * scale)},
        (Column("worker_cpu_s_in_120_s", "CPU s in 120 s, a process", 2),
         Column("servers_cpu_s_in_120_s", "the same of the servers", 2), Column("memory_mb", "MB a process")), 1,
    ),
    "one_process": Section(
        "No-op jobs, 1 worker process", "throughput", _jobs(10_000, processes=1), RATE, 3, "per_s", FASTEST
    ),
    "four_processes": Section(
        "No-op jobs, 4 worker processes", "throughput", _jobs(20_000, processes=4), RATE, 3, "per_s", FASTEST
    ),
}  # fmt: skip


def contenders(section: Section, keys: list[str], named: bool) -> dict[str, Contender]:
    """Who takes part: those chosen, unless the section is for some only and nobody was named."""
    wanted = [key for key in keys if named or not section.only or key in section.only]
    return {key: CONTENDERS[key] for key in wanted} | section.extra
