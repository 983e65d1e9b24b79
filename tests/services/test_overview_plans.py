"""What Overview, Workers and the metrics ask finds its rows by an index, however long the history is."""

import re

import pytest

from models import now
from services import attention, queues, search, stats, totals, trends
from services.search import TaskFilter
from tests.services import kit
from tests.services.test_plans import long_history, plans  # noqa: F401 - a fixture

HISTORY = re.compile(r"Seq Scan on (tasks|attempts|events|task_\w+)\b|SCAN (tasks|attempts|events|task_\w+)\b(.*)")
OF_WHAT_LIVES = re.compile(r"ix_tasks_(line|lease|due|held|hidden)")  # read from end to end, these are short


def asked(question) -> str:
    """How the database finds the rows of a question, which must not read the history."""
    totals.forget()
    everything = "\n".join(plans(question).values())
    for match in HISTORY.finditer(everything):
        assert match[3] is not None and OF_WHAT_LIVES.search(match[3]), everything
    return everything


@pytest.mark.parametrize("span", list(trends.SPANS))
def test_trends_and_depths_read_sums_alone_and_what_was_given_up_by_its_mark(long_history, span):  # noqa: F811
    found = asked(lambda: trends.trend(span))
    assert "ix_tasks_fingerprint" in found or "ix_tasks_failed" in found
    assert " tasks" not in asked(lambda: trends.depths(span))


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (attention.running, "ix_tasks_lease"),
        (attention.late_release, "ix_tasks_due"),
        (attention.held, "ix_tasks_held"),
        (lambda: search.page(TaskFilter(held=True, status="pending")), "ix_tasks_held"),
        (lambda: search.page(TaskFilter(created_by_kind="schedule")), "ix_tasks_made_by"),
        (lambda: stats.by_status(type="greet"), "ix_tasks_hidden"),
        (lambda: stats.given_up(now()), "ix_tasks_f"),
        (queues.list_queues, "ix_tasks_line"),
    ],
)
def test_what_lives_and_what_is_seldom_is_found_by_its_own_index(long_history, question, index):  # noqa: F811
    kit.greet()
    assert index in asked(question)


def test_totals_read_sums_alone(long_history):  # noqa: F811
    assert " tasks" not in asked(totals.attempts)
