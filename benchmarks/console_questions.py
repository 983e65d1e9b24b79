"""What the pages and the metrics ask of a ledger, each by itself and asked anew."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

RUNS = 20

Question = Callable[[], Any]

PAGES: list[dict[str, Any]] = [
    {}, {"status": "failed"}, {"schedule_id": 1}, {"owner": 1}, {"held": True}, {"type": "rebuild_index"},
    {"queue": "gpu"}, {"error": "KeyError"}, {"status": "failed", "type": "rebuild_index"},
    {"status": "failed", "error": "KeyError"},
]  # fmt: skip
COUNTS: list[dict[str, Any]] = [{}, {"status": "failed"}, {"type": "send_mail"}]


def milliseconds() -> dict[str, float]:
    """In a process of its own: each question's wall milliseconds, medians of 20 after the first."""
    asked = _of_the_whole() | _of_spans() | _of_lists() | _of_one_task() | _of_a_person()
    return {name: _clocked(question) for name, question in asked.items()}


def _clocked(question: Question) -> float:
    question()
    spent = []
    for _ in range(RUNS):
        began = time.perf_counter()
        question()
        spent.append((time.perf_counter() - began) * 1e3)
    return round(statistics.median(spent), 2)


def _of_the_whole() -> dict[str, Question]:
    from services import attention, estimates, queues, stats, totals

    def estimated() -> None:
        estimates.forget()
        estimates.estimate_s("send_mail", None)

    return {
        "attention.processes": attention.processes, "attention.running": attention.running,
        "attention.late_release": attention.late_release, "attention.held": attention.held,
        "queues.list_queues": queues.list_queues, "stats.by_status": stats.by_status, "stats.by_type": stats.by_type,
        "stats.by_type_and_hour": stats.by_type_and_hour, "stats.throughput": stats.throughput,
        "stats.failure_rate": stats.failure_rate, "stats.percentiles": lambda: stats.percentiles("run"),
        "totals.attempts": totals.attempts, "estimates.estimate_s": estimated,
    }  # fmt: skip


def _of_spans() -> dict[str, Question]:
    from services import depths, spans, trends

    return {
        **{f"trends.trend {name}": partial(trends.trend, name) for name in spans.SPANS},
        **{f"depths.depths {name}": partial(depths.depths, name) for name in spans.SPANS},
    }


def _of_lists() -> dict[str, Question]:
    from services import error_groups, history, schedules, search
    from services.search import TaskFilter
    from services.spans import SPANS

    def ended(status: str, span: str) -> TaskFilter:
        return TaskFilter(status=status, finished_from=SPANS[span].since)

    def named(question: str, filter_: dict[str, Any]) -> str:
        return " ".join([question, *(f"{name}={value}" for name, value in filter_.items())])

    return {
        **{named("search.page", f): partial(search.page, TaskFilter(**f)) for f in PAGES},
        **{named("search.count", f): partial(search.count, TaskFilter(**f)) for f in COUNTS},
        "search.page failed in 24h": partial(search.page, ended("failed", "24h")),
        "search.page completed in 1h": partial(search.page, ended("completed", "1h")),
        "search.count failed in 24h": partial(search.count, ended("failed", "24h")),
        "error_groups.page": error_groups.page, "error_groups.counts": error_groups.counts,
        "schedules.page": schedules.page, "schedules.counts": schedules.counts,
        "schedules.attention": schedules.attention, "schedules.upcoming": schedules.upcoming,
        "history.events": history.events,
    }  # fmt: skip


def _of_one_task() -> dict[str, Question]:
    """One that waits somewhere in its line, and one that has ended."""
    from models import waiting
    from services import graph, history, search, stats, tasks
    from services.search import TaskFilter

    waits = search.page(TaskFilter(status="queued"), size=500).rows[-1]
    ended = search.page(TaskFilter(status="failed"), size=50).rows[-1]
    waits_id, ended_id = waits.id or 0, ended.id or 0
    return {
        "stats.place_in_line": lambda: stats.place_in_line(waits_id), "waiting.reason": lambda: waiting.reason(waits),
        "tasks.get": lambda: tasks.get(ended_id), "tasks.logs": lambda: tasks.logs(ended_id),
        "history.attempts": lambda: history.attempts(ended_id), "history.kin": lambda: history.kin(ended),
        "history.events of a task": lambda: history.events(entity="task", entity_id=ended_id),
        "graph.around": lambda: graph.around(ended_id),
        "search.page alike": lambda: search.page(TaskFilter(error=ended.fingerprint)),
    }  # fmt: skip


def _of_a_person() -> dict[str, Question]:
    from services import audit, inbox, operators, saved_views

    found = operators.list_operators()
    if not found:
        return {}

    def mine(question: Question) -> Question:
        def asked() -> None:
            with audit.acting_as(found[0]):
                question()

        return asked

    asked: dict[str, Question] = {
        "inbox.running": inbox.running, "inbox.unread": inbox.unread, "inbox.page": inbox.page,
        "saved_views.list_views": saved_views.list_views,
    }  # fmt: skip
    return {name: mine(question) for name, question in asked.items()}
