"""What Overview, Workers and the metrics ask finds its rows by an index, however long the history is."""

import re
from datetime import timedelta
from functools import partial

import pytest

from models import now
from services import attention, depths, estimates, queues, search, spans, stats, totals, trends
from services.search import TaskFilter
from tests.services import kit
from tests.services.test_plans import FILL, long_history, plans  # noqa: F401 - a fixture

HISTORY = re.compile(r"Seq Scan on (tasks|attempts|events|task_\w+)\b|SCAN (tasks|attempts|events|task_\w+)\b(.*)")
SUMS = re.compile(r"(Seq Scan on|SCAN) (rollups|rollup_minutes|rollup_spans)\b")
OF_WHAT_LIVES = re.compile(r"ix_tasks_(line|lease|due|held|hidden)")  # read from end to end, these are short


def asked(question) -> str:
    """How the database finds the rows of a question, which must not read the history."""
    everything = "\n".join(plans(question).values())
    for match in HISTORY.finditer(everything):
        assert match[3] is not None and OF_WHAT_LIVES.search(match[3]), everything
    return everything


@pytest.mark.parametrize("span", list(spans.SPANS))
def test_trends_and_depths_read_sums_alone_and_what_was_given_up_by_its_mark(long_history, span):  # noqa: F811
    found = asked(lambda: trends.trend(span))
    assert "ix_tasks_fingerprint" in found or "ix_tasks_failed" in found
    assert " tasks" not in asked(lambda: depths.depths(span))


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


@pytest.mark.parametrize(("column", "index"), [("error_class", "error_class"), ("fingerprint", "fingerprint")])
def test_the_newest_of_one_error_are_read_alone(long_history, column, index):  # noqa: F811
    kit.execute(f"UPDATE tasks SET {column} = 'Boom' WHERE id <= 5000")
    try:
        if long_history == "postgresql":
            kit.execute("ANALYZE tasks")
        plan = asked(lambda: search.ids(TaskFilter(error="Boom"), 50))
        assert re.search(rf"(using|USING INDEX) ix_tasks_{index}\b", plan)
        if long_history == "sqlite":
            assert "MULTI-INDEX OR" not in plan
    finally:
        kit.execute(f"UPDATE tasks SET {column} = NULL")


def test_what_ended_in_a_quiet_hour_is_found_among_what_ended_since(long_history):  # noqa: F811
    quiet = now() + timedelta(hours=1)
    assert "ix_tasks_finished" in asked(lambda: search.page(TaskFilter(status="completed", finished_from=quiet)))
    assert "ix_tasks_finished" in asked(lambda: search.count(TaskFilter(finished_from=quiet)))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_the_newest_of_many_that_broke_are_read_alone(long_history, status):  # noqa: F811
    at = "now()" if long_history == "postgresql" else f"'{now():%Y-%m-%d %H:%M:%S.%f}'"
    kit.execute(FILL.replace(":at", at).replace("'completed'", f"'{status}'"), many=1_000)
    try:
        if long_history == "postgresql":
            kit.execute("ANALYZE tasks")
        for more in ({}, {"type": "greet"}, {"queue": "default"}, {"finished_from": now() - timedelta(days=1)}):
            plan = asked(lambda: search.page(TaskFilter(status=status, **more)))  # noqa: B023
            assert "ix_tasks_broken" in plan, more
            assert "Sort" not in plan
            assert "USE TEMP B-TREE" not in plan
        rare = asked(lambda: search.ids(TaskFilter(status=status, type="count")))
        assert "ix_tasks_broken" in rare or "ix_tasks_type" in rare
        if long_history == "sqlite":  # PostgreSQL does so, too, once it has vacuumed
            assert "COVERING INDEX ix_tasks_broken" in asked(lambda: search.count(TaskFilter(status=status)))
    finally:
        kit.execute(f"DELETE FROM tasks WHERE status = '{status}'")


MANY_SUMS = [
    """
    INSERT INTO rollup_spans (span, measure, type, bucket, slot, n)
    SELECT 'older', 'run', 'greet', n % 60, n, 1 FROM ({counted}) AS counted
    """,
    """
    INSERT INTO rollups (hour, type, queue, measure, bucket, n)
    SELECT n, 'greet', 'default', 'run', n % 60, 1 FROM ({counted}) AS counted
    """,
    """
    INSERT INTO rollup_minutes (measure, minute, type, queue, bucket, n)
    SELECT 'older', n, '', 'default', 0, 1 FROM ({counted}) AS counted
    """,
]
COUNTED = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) SELECT n FROM c"


@pytest.fixture
def long_statistics(long_history):  # noqa: F811
    """Sums of many hours, minutes and slots that are not asked for."""
    for statement in MANY_SUMS:
        kit.execute(statement.format(counted=COUNTED))
    if long_history == "postgresql":
        kit.execute("ANALYZE")
    yield
    for table in ("rollup_spans WHERE span = 'older'", "rollups WHERE hour BETWEEN 1 AND 30000"):
        kit.execute(f"DELETE FROM {table}")
    kit.execute("DELETE FROM rollup_minutes WHERE measure = 'older'")


def test_whoever_asks_for_sums_reads_those_of_its_span_alone(long_statistics):
    def estimated() -> None:
        estimates.forget()
        estimates.estimate_s("greet", None)

    asked_over = [partial(question, name) for question in (trends.trend, depths.depths) for name in spans.SPANS]
    for question in (*asked_over, totals.attempts, estimated, stats.by_status, stats.by_type_and_hour):
        plan = asked(question)
        assert not SUMS.search(plan), plan
        assert "rollup" in plan
