"""The figures for monitoring: for whoever shows the token, and true."""

import re
from datetime import timedelta

import pytest

import settings as settings_module
from models import Move, now
from services import folding, queues, tasks, workers
from tests.console.conftest import signed_in
from tests.services.kit import a_type, execute, finish, known, take
from tests.support import one_ledger

pytestmark = one_ledger

TOKEN = "a token of some length"


@pytest.fixture
def token(monkeypatch):
    """A token is set."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    settings_module.settings.cache_clear()
    return TOKEN


def scraped(browser, token: str = TOKEN) -> dict[str, float]:
    """The samples, by name and labels."""
    answer = browser.get("/api/metrics", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    samples = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+', line), line
            name, value = line.rsplit(" ", 1)
            assert name not in samples
            samples[name] = float(value)
    return samples


def test_without_a_token_in_the_settings_there_are_no_metrics(client, ada):
    for browser in (client(), signed_in(client(), ada)):
        for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer None"}):
            assert browser.get("/api/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"bearer{TOKEN}"]
)
def test_whoever_does_not_show_the_token_gets_nothing(token, client, ada, shown):
    headers = {} if shown is None else {"authorization": shown}
    for browser in (client(), signed_in(client(), ada)):
        answer = browser.get("/api/metrics", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "callboard_" not in answer.text


def test_the_token_opens_nothing_else(token, client):
    headers = {"authorization": f"Bearer {token}"}
    assert client().get("/api/artifacts/1", headers=headers).status_code == 401
    assert client().get("/", headers=headers).status_code == 401


def test_the_figures_are_those_of_the_ledger(token, client):
    with known(a_type("greet"), a_type("count")):
        for move in (Move.complete, Move.complete, Move.fail):
            tasks.enqueue("greet", {})
            (claimed,) = take(1)
            at = now()
            finish(claimed, move, started_at=at - timedelta(seconds=3), queued_at=at - timedelta(seconds=4))
        tasks.enqueue("count", {}, queue="mail")
        queues.pause("mail", "why")
    workers.register(threads=4)
    for _ in range(2):
        found = scraped(client())
        assert found['callboard_tasks{status="completed"}'] == 2
        assert found['callboard_queue_depth{queue="mail"}'] == 1
        assert found['callboard_queue_paused{queue="mail"}'] == 1
        assert found['callboard_queue_paused{queue="default"}'] == 0
        assert found['callboard_processes{kind="worker"}'] == 1
        assert found['callboard_processes{kind="scheduler"}'] == 0
        assert found["callboard_worker_threads"] == 4
        assert found['callboard_attempts_total{type="greet",outcome="completed"}'] == 2
        assert found['callboard_attempts_total{type="greet",outcome="failed"}'] == 1
        assert found['callboard_run_seconds_count{type="greet"}'] == 3
        assert found['callboard_run_seconds_sum{type="greet"}'] == pytest.approx(9, rel=0.12)
        assert found['callboard_run_seconds_bucket{type="greet",le="1.024"}'] == 0
        assert found['callboard_run_seconds_bucket{type="greet",le="4.096"}'] == 3
        assert found['callboard_run_seconds_bucket{type="greet",le="+Inf"}'] == 3
        assert found['callboard_wait_seconds_bucket{type="greet",le="1.024"}'] == 3
        while folding.fold():
            pass


def test_a_counter_never_falls_when_hours_are_forgotten(token, client):
    with known(a_type("greet")):
        for _ in range(2):
            tasks.enqueue("greet", {})
            finish(take(1))
    while folding.fold():
        pass
    execute("DELETE FROM rollups WHERE hour > 0")  # as retention does
    name = 'callboard_attempts_total{type="greet",outcome="completed"}'
    assert scraped(client())[name] == 2
    with known(a_type("greet")):
        tasks.enqueue("greet", {})
        finish(take(1))
    assert scraped(client())[name] == 3
