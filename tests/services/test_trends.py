"""What ended, how long it took and how long the lines were, over spans of the last week."""

from collections import Counter
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import text

import settings
from models import Move, Outcome, Status, db, migrate, now, reading, transaction
from services import depths, folding, retention, spans, stats, tasks, trends
from services.errors import InvalidInput
from services.lifecycle import counts, rescue
from services.lifecycle.counts import hour_of
from services.lifecycle.release import expire
from tests.services import kit

SPANS = list(spans.SPANS)
SUMS = "SELECT type, measure, bucket, sum(n) FROM {} GROUP BY type, measure, bucket"


def fold_all() -> None:
    """Add all there is."""
    while folding.fold():
        pass


def shift(minutes: int) -> None:
    """Let everything that was counted by the minute or the hour have happened so long ago."""
    fold_all()
    kit.execute("UPDATE rollup_minutes SET minute = minute - :m", m=minutes)
    kit.execute("UPDATE rollup_spans SET slot = slot - :m WHERE span <> 'ever'", m=minutes)
    kit.execute("UPDATE rollups SET hour = hour - :h WHERE hour > 0", h=minutes // 60)


def ended(name: str = "greet", move: Move = Move.complete, run_s: float = 1.0) -> None:
    """One task that ran for so long."""
    tasks.enqueue(name, {})
    (claimed,) = kit.take(1)
    started = now() - timedelta(seconds=run_s)
    kit.finish(claimed, move, started_at=started, queued_at=started - timedelta(seconds=run_s / 2))


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("folded", [True, False])
def test_what_ended_is_in_the_present_column_whether_folded_or_not(core, span, folded):
    for move in (Move.complete, Move.complete, Move.fail):
        ended(move=move, run_s=8)
    if folded:
        fold_all()
    found = trends.trend(span)
    # a minute may have begun meanwhile
    assert {o: sum(n[-2:]) for o, n in found.outcomes.items()} == {Outcome.completed: 2, Outcome.failed: 1}
    assert {len(found.columns)} == {len(n) for n in found.outcomes.values()}
    assert len(found.slow_columns) == len(found.run) == len(found.wait)
    last = next(one for one in reversed(found.run) if one)
    assert last[50] == pytest.approx(8, rel=0.2)
    (greet,) = found.types
    assert (greet.name, greet.ended, greet.failed) == ("greet", 3, 1)
    assert greet.run[95] == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize("how", ["by hand", "with its parent", "expired", "by its body", "before its body", "lost"])
def test_whatever_is_cancelled_is_counted_once(core, how):
    parent = kit.greet()
    if how == "with its parent":
        kit.greet(needs=[parent])
        kit.finish(kit.take_one(parent), Move.fail)
    elif how == "expired":
        kit.execute("UPDATE tasks SET expires_at = created_at")
        expire()
    elif how == "by hand":
        tasks.cancel(parent.id)
    else:
        claimed = kit.take_one(parent)
        tasks.cancel(parent.id)
        if how == "by its body":
            kit.finish(claimed, Move.stop)
        elif how == "before its body":
            kit.finish(claimed, Move.hand_back, started_at=None)
        else:
            rescue.bury("w", {(claimed.id, claimed.epoch)}, "it died")
    fold_all()
    assert kit.count("status = 'cancelled'") == 1
    for span in SPANS:
        found = {outcome: sum(n) for outcome, n in trends.trend(span).outcomes.items()}
        assert {o: n for o, n in found.items() if o is not Outcome.failed} == {Outcome.cancelled: 1}, span


@pytest.mark.parametrize(("span", "minutes"), [("1h", 40), ("6h", 300), ("24h", 600), ("7d", 5940)])
def test_what_ended_earlier_is_in_an_earlier_column(core, span, minutes):
    ended()
    shift(minutes)
    found = trends.trend(span)
    (column,) = [n for n, many in enumerate(found.outcomes[Outcome.completed]) if many]
    off = abs(now() - found.columns[column] - timedelta(minutes=minutes))
    assert off <= timedelta(minutes=found.span.step + (2 if found.span.fine else 61))


@pytest.mark.parametrize(("span", "minutes"), [("1h", 62), ("6h", 366), ("24h", 25 * 60), ("7d", 8 * 24 * 60)])
def test_what_ended_before_the_span_is_not_in_it(core, span, minutes):
    ended()
    shift(minutes)
    found = trends.trend(span)
    assert found.outcomes == {}
    assert found.types == []
    assert not any(found.run)


def sums(where: str) -> Counter:
    """What happened, by type, measure and bucket."""
    with reading() as session:
        return Counter({tuple(row[:3]): int(row[3]) for row in session.execute(text(SUMS.format(where)))})


@pytest.mark.parametrize("batch", [3, 2000])
def test_each_span_holds_what_the_hours_hold(core, batch):
    for n in range(6):
        ended("greet" if n % 2 else "count", Move.fail if n == 3 else Move.complete, run_s=n)
    while folding.fold(batch):
        pass
    hours = sums("rollups WHERE hour > 0 AND type <> ''")
    assert sum(hours.values()) == 18
    assert sums("rollup_spans WHERE span = 'ever'") == hours
    waits = Counter({key: n for key, n in hours.items() if key[1] == "wait"})
    together = Counter()
    for (_, measure, bucket), n in hours.items():
        if measure in ("run", "wait"):
            together["", measure, bucket] += n
    for span in SPANS:
        assert sums(f"rollup_spans WHERE span = '{span}' AND type <> ''") == hours - waits
        assert sums(f"rollup_spans WHERE span = '{span}' AND type = ''") == together


def test_the_minutes_hold_how_the_lines_changed_alone(core):
    kit.greet()
    fold_all()
    kit.take(1)
    fold_all()
    kept = "SELECT count(*) FROM rollup_minutes WHERE type = '' AND bucket = 0 AND measure IN ('queued', 'running')"
    assert kit.scalar(kept) == kit.scalar("SELECT count(*) FROM rollup_minutes") >= 2


def test_what_was_counted_before_there_were_spans_is_in_them(core):
    for move in (Move.complete, Move.fail):
        ended(move=move, run_s=8)
    fold_all()
    kept = text("SELECT span, measure, type, bucket, slot, n FROM rollup_spans")
    with reading() as session:
        before = set(session.execute(kept))
    of_minutes = (  # as the release before kept them
        "INSERT INTO rollup_minutes (measure, minute, type, queue, bucket, n) SELECT measure, slot, 'greet', 'default',"
        " bucket, n FROM rollup_spans WHERE span = '1h' AND "
    )
    kit.execute(of_minutes + "(type <> '' OR measure = 'wait')")
    db.engine().dispose()
    command.downgrade(migrate.config(), "0007")
    migrate.upgrade()
    with reading() as session:
        assert set(session.execute(kept)) == before
    assert {row.span for row in before} == {*SPANS, "ever"}


@pytest.mark.parametrize("span", SPANS)
def test_the_depth_of_a_line_is_worked_out_backwards(core, span):
    tasks.enqueue_many("greet", [{}] * 5)
    fold_all()
    kit.execute("UPDATE rollup_minutes SET minute = minute - 30")
    kit.execute("UPDATE rollups SET hour = hour - 3 WHERE hour > 0")
    kit.take(2)  # now: 3 in line, 2 run
    found = depths.depths(span)
    assert found.queued["default"][-1] == 3
    assert found.total[Status.running][-1] == 2
    if span != "7d":  # whose last column holds all of it
        assert found.queued["default"][-3 if span == "24h" else -4 if span == "6h" else -20] == 5
    # an hour ago nothing stood in line; earlier than that nothing is known
    assert found.queued["default"][0] == (0 if span == "1h" else None)


def test_lines_that_never_moved_in_the_span_are_drawn_all_along(core):
    tasks.enqueue_many("greet", [{}] * 4)
    fold_all()
    kit.execute("DELETE FROM rollup_minutes")  # as retention does
    kit.execute("UPDATE rollups SET hour = hour - 30 WHERE hour > 0")
    assert depths.depths("1h").queued["default"] == [4] * 60
    assert depths.depths("24h").queued["default"] == [4] * 24


def test_what_was_given_up_counts_as_failed(core, monkeypatch):
    monkeypatch.setenv("MAX_LOSSES", "1")
    settings.settings.cache_clear()
    ended()
    task = kit.greet()
    kit.take(1, "doomed")
    rescue.bury("doomed", None, "it died")
    assert kit.status(task) == [Status.failed]
    assert stats.failure_rate() == pytest.approx(0.5)
    assert stats.failure_rate(type="count") is None
    for span in SPANS:
        (greet,) = trends.trend(span).types
        assert (greet.ended, greet.failed, greet.failure_rate) == (2, 1, 0.5)


def test_deleted_tasks_are_not_counted(core):
    for _ in range(3):
        ended()
    tasks.enqueue("count", {})
    tasks.delete(1)
    assert stats.by_status()[Status.completed] == 2
    assert stats.by_status(type="greet")[Status.completed] == 2
    assert stats.by_status(type="count")[Status.completed] == 0
    assert stats.by_status(queue="default")[Status.completed] == 2
    tasks.restore(1)
    assert stats.by_status()[Status.completed] == 3


def test_minutes_that_no_chart_shows_are_forgotten(core):
    kit.greet()
    kit.take(1)
    fold_all()
    young = kit.scalar("SELECT count(*) FROM rollup_minutes")
    kit.execute("UPDATE rollup_minutes SET minute = minute - 500 WHERE measure = 'running'")
    assert retention.purge_minutes() == 1
    assert kit.scalar("SELECT count(*) FROM rollup_minutes") == young - 1
    assert retention.purge_minutes() == 0


@pytest.mark.parametrize("span", SPANS)
def test_slots_that_no_chart_shows_are_forgotten_and_what_there_ever_was_is_not(core, span):
    ended()
    fold_all()
    one = spans.SPANS[span]
    kit.execute("UPDATE rollup_spans SET slot = slot - :m WHERE span = :s", m=one.minutes - one.slow, s=span)
    assert retention.purge_minutes() == 0
    kit.execute("UPDATE rollup_spans SET slot = slot - :m WHERE span = :s", m=3 * one.slow, s=span)
    assert retention.purge_minutes() == 4  # how it ended; how long it ran, alone and with all; how long all waited
    assert kit.scalar("SELECT count(*) FROM rollup_spans WHERE span = 'ever'") == 3


def test_an_unknown_span_is_refused(core):
    with pytest.raises(InvalidInput, match="'2y' is none of 1h, 6h, 24h, 7d"):
        trends.trend("2y")


def test_a_long_tail_of_durations_gives_a_high_percentile(core):
    hour = hour_of(now())
    with transaction() as session:
        quick = {(hour, "greet", "default", "run", counts.bucket_of(0.1)): 90}
        counts.record(session, Counter(quick | {(hour, "greet", "default", "run", counts.bucket_of(60)): 10}))
    for span in SPANS:
        last = next(one for one in reversed(trends.trend(span).run) if one)
        assert last[50] < 0.13
        assert last[95] > 40
