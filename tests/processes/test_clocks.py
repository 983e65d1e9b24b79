"""The clock of the database's server is set under everybody who keeps step with it: nobody's task is taken away."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Outcome
from tests.forked import SCHEDULER
from tests.processes import facts, kinds
from tests.processes.conftest import SHORT_LEASES
from tests.services import kit, server_clock
from tests.support import wait_until

HOUR = timedelta(hours=1)


def leases_are_near(moment: datetime) -> bool:
    """Of all that runs."""
    near = {"least": moment - HOUR / 2, "most": moment + HOUR / 2}
    return not kit.count("status = 'running' AND NOT lease_until BETWEEN :least AND :most", **near)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_the_servers_clock_is_set_back_and_ahead_and_no_task_is_taken_from_a_worker_that_lives(ledger, crew):
    with server_clock.settable() as set_to:
        set_to(HOUR)
        both = [crew.worker(**SHORT_LEASES) for _ in range(2)]
        scheduler = crew.start("scheduler", None, code=SCHEDULER, **SHORT_LEASES)  # it keeps step less often
        for one in both:
            one.up()
        wait_until(lambda: kit.scalar("SELECT count(*) FROM workers WHERE kind = 'scheduler'"), what="the scheduler")
        for seconds, ahead in ((3.0, timedelta(0)), (1.5, HOUR)):
            running = kinds.sleepy.enqueue_many([{"seconds": seconds}] * 8)
            for task in running:
                facts.started(task)
            set_to(ahead)
            wait_until(lambda: leases_are_near(datetime.now(UTC) + ahead), what="the workers' keeping step")  # noqa: B023
            assert {tuple(facts.outcomes(task.id)) for task in facts.completed(running)} == {(Outcome.completed,)}
        assert not facts.events("rescue")
        assert not facts.events("fence")
        assert all(one.runs() for one in (*both, scheduler))
        assert not crew.end()
