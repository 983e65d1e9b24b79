"""The ledger that the console is measured over is one that could have come about."""

from benchmarks import ledger as made
from models import Status
from services import depths, stats, trends
from tests.conftest import types_kept
from tests.services import kit


def test_a_made_ledger_is_sound_and_its_counts_are_those_of_its_rows(ledger):
    with types_kept():
        made.make(3_000)
    counts = stats.by_status()
    assert {status: kit.count("status = :s", s=status.value) for status in Status} == counts
    assert sum(counts.values()) == 3_000
    assert counts[Status.running] == made.RUNNING
    assert all(counts.values()), "there are some of each status"
    kit.assert_sound()
    assert kit.scalar("SELECT count(*) FROM attempts") > kit.count("finished_at IS NOT NULL")
    assert sum(one.ended for one in trends.trend("7d").types) > 300
    assert depths.depths("24h").total[Status.queued][-1] == counts[Status.queued]
