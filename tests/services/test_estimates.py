"""How long a task is expected to take."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from models import now, tables, transaction
from services import estimates, tasks
from services.folding import fold
from services.lifecycle.counts import bucket_of, bucket_top_s
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


def history(seconds, n=1, type_="greet", days_ago=0):
    """Folded runs of so many seconds each; those of long ago are in no span but that of all time."""
    row = {"measure": "run", "type": type_, "bucket": bucket_of(seconds), "slot": 0, "n": n}
    with transaction() as session:
        session.execute(insert(tables.rollup_spans), [row | {"span": s} for s in ("7d", "ever")[days_ago > 7 :]])
    estimates.forget()


def test_without_a_history_a_type_says_so_itself_or_a_minute_is_assumed():
    assert estimates.estimate_s("greet", None) == 60
    assert estimates.estimate_s("greet", 7.5) == 7.5
    assert kit.greet().estimated_duration_s == 60


def test_four_runs_are_no_history_and_five_are():
    history(2.0, 4)
    assert estimates.estimate_s("greet", 7.5) == 7.5
    history(100.0, 1)
    assert estimates.estimate_s("greet", 7.5) == pytest.approx(2.0, rel=0.2)


def test_the_median_is_not_moved_by_the_slowest():
    history(1.0, 51)
    history(10_000.0, 49)
    assert estimates.estimate_s("greet", None) == pytest.approx(1.0, rel=0.2)


def test_the_runs_of_other_types_do_not_count():
    history(1.0, 10, type_="count")
    assert estimates.estimate_s("greet", None) == 60


def test_the_runs_of_long_ago_count_where_there_were_few_since():
    history(500.0, 100, days_ago=40)
    history(2.0, 4)
    assert estimates.estimate_s("greet", None) == pytest.approx(500, rel=0.2)
    history(3.0, 1)
    assert estimates.estimate_s("greet", None) == pytest.approx(2, rel=0.2)


def test_what_has_run_is_what_is_expected():
    for _ in range(5):
        task = kit.greet()
        kit.finish(kit.take_one(task), started_at=now() - timedelta(seconds=30))
    fold()
    estimates.forget()
    assert kit.greet().estimated_duration_s == pytest.approx(30, rel=0.2)


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 0.001, 0.0011, 0.5, 1.0, 59.9, 3600.0, 604_800.0])
def test_a_bucket_holds_what_is_put_in_and_is_a_fifth_wide(seconds):
    top = bucket_top_s(bucket_of(seconds))
    assert seconds <= top * (1 + 1e-9)
    assert top <= max(0.001, seconds * 1.19)


def test_an_enqueue_asks_for_the_history_once_in_a_while():
    kit.greet()
    statements = []
    with kit.watching(statements):
        tasks.enqueue("greet", {})
    assert not [s for s in statements if "rollup" in s and "INSERT" not in s]
