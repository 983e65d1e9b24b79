"""The network between a worker and PostgreSQL breaks: nothing is lost, and nothing is done twice that was done."""

from collections.abc import Iterator

import pytest

from models import Outcome, now
from settings import settings
from tests.processes import facts, kinds
from tests.processes.conftest import SHORT_LEASE_S, SHORT_LEASES, STALL_S
from tests.processes.proxy import Proxy
from tests.support import wait_until

pytestmark = pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)


@pytest.fixture
def network(crew) -> Iterator[Proxy]:
    """What a worker started with `DATABASE_URL=network.url` has between itself and the ledger."""
    proxy = Proxy(settings().database)
    yield proxy
    proxy.close()


def test_a_commit_whose_answer_is_lost_is_neither_repeated_nor_forgotten(network, worker):
    one = worker(DATABASE_URL=network.url).up()
    done: list[int] = []
    for _ in range(4):
        network.lose_commits(3)  # endings, beats: whichever comes next
        ids = kinds.sleepy.enqueue_many([{"seconds": 0.1}] * 8)
        facts.completed(ids)
        done += ids
    wait_until(lambda: network.lost == 12, what="the last of the lost answers")
    assert {tuple(facts.outcomes(task)) for task in done} == {(Outcome.completed,)}
    assert not facts.events("rescue")
    assert one.runs()


def test_a_claim_whose_answer_is_lost_is_found_by_its_worker_and_costs_nothing(network, worker):
    """It is one statement, which the server commits by itself."""
    one = worker(DATABASE_URL=network.url, BEAT_S="0.2").up()
    network.lose_answers(2, holding=b'"seconds"')  # a payload: a claim that took something
    done = facts.completed(kinds.sleepy.enqueue_many([{"seconds": 0.1}] * 8))
    assert network.lost == 2
    assert max(task.epoch for task in done) > 1, "nothing had been taken"
    assert {(task.losses, task.tries, *facts.outcomes(task.id)) for task in done} == {(0, 0, Outcome.completed)}
    assert not facts.events("rescue")
    assert one.runs()


def test_connections_that_are_reset_cost_no_attempt(network, worker):
    one = worker(DATABASE_URL=network.url).up()
    ids = kinds.sleepy.enqueue_many([{"seconds": 0.4}] * 12)
    facts.started(ids[0])
    broken = 0
    while broken < 12:
        broken += network.reset()
        done = len(facts.ended_of(ids))
        wait_until(lambda done=done: len(facts.ended_of(ids)) > done or done == len(ids), what="more to end")
        if done == len(ids):
            break
    assert {tuple(facts.outcomes(task.id)) for task in facts.completed(ids)} == {(Outcome.completed,)}
    assert broken >= 3
    assert one.runs()


def test_a_worker_behind_a_black_hole_loses_its_tasks_to_others_and_ends(network, worker):
    cut_off, other = worker(DATABASE_URL=network.url, **SHORT_LEASES), worker(**SHORT_LEASES)
    cut_off.up(), other.up()
    ids = kinds.sleepy.enqueue_many([{"seconds": 2.5, "checks": False}] * 8)
    mine = [task.id for task in map(facts.started, ids) if f"-{cut_off.pid}-" in (task.worker or "")]
    assert mine
    network.hold()
    held_at = now()
    facts.completed(ids)
    for task in mine:
        lost, second = facts.attempts(task)
        assert (lost.outcome, second.outcome) == (Outcome.lost, Outcome.completed)
        assert facts.seconds(lost.ended_at, held_at) < SHORT_LEASE_S + 2.0 + STALL_S
    assert cut_off.wait() != 0, "it was to end after three leases of silence"
    assert other.runs()
