"""Overview, Workers and Audit: what needs a person, cards that fail by themselves, and what can be taken out."""

import csv
import io
from datetime import UTC, timedelta
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from console.ui import cards, charts
from models import Move, db, now
from services import artifacts, audit, audit_export, queues, tasks, workers
from tests.conftest import use
from tests.console.conftest import signed_in
from tests.console.kit import HOSTILE, fine, harmless, said, some_tasks
from tests.services.kit import events, execute, finish, take
from tests.support import one_ledger


def metrics(test: AppTest) -> dict[str, str]:
    """The counters."""
    return {m.label: m.value for m in test.metric}


def spanned(page, span: str) -> AppTest:
    """Overview as an address with a span opens it."""
    return fine(page("overview", span=span))


@pytest.mark.parametrize("span", ["1h", "6h", "24h", "7d"])
@one_ledger
def test_the_counters_are_of_the_span_in_the_address(page, span):
    some_tasks()
    assert metrics(spanned(page, span)) == {
        "Queued": "1", "Running": "2", "Pending": "1", f"Completed in {span}": "1", f"Failed in {span}": "1",
        f"Retried in {span}": "0",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["Completed", "Failed"])
def test_what_ended_in_a_span_leads_to_as_many_tasks_as_it_says(page, name):
    for move in (Move.complete, Move.complete, Move.fail):
        tasks.enqueue("count", {})
        finish(take(1), move)
    long_ago = {"t": stored(now() - timedelta(hours=50)), "m": 50 * 60}
    execute("UPDATE tasks SET created_at = :t, finished_at = :t", t=long_ago["t"])
    execute("UPDATE rollup_deltas SET minute = minute - :m, hour = hour - 50 WHERE hour > 0", m=long_ago["m"])
    some_tasks()
    test = spanned(page, "24h")
    number = metrics(test)[f"{name} in 24h"]
    (link,) = [one.proto for one in test.get("page_link") if one.proto.label == f"{name} in 24h"]
    wanted = dict(parse_qsl(link.query_string))
    assert wanted == {"status": name, "ended": "Ended in 24h"}
    assert "rerun and failed again counts twice" in link.help
    test = fine(page("tasks", **wanted))
    (grid,) = test.dataframe
    assert (number, len(grid.value)) == ("1", 1)
    assert "1 match" in said(test)
    assert test.selectbox(key="ended").value == "Ended in 24h"


@one_ledger
def test_an_unknown_span_in_the_address_is_ignored(page):
    some_tasks()
    assert "Completed in 24h" in metrics(spanned(page, "2y"))


def test_what_needs_a_person_is_said_first_and_leads_to_its_cure(page):
    some_tasks()
    for _ in range(6):
        tasks.enqueue("count", {}, queue="nobody")
        finish(take(1, queues=["nobody"]), Move.fail)
    tasks.enqueue("greet", {}, queue="nobody")
    execute("UPDATE workers SET queues = '[\"default\"]'")
    lost = workers.register(types=["greet"])
    execute("UPDATE workers SET last_beat_at = :t WHERE name = :n", t=stored(now() - timedelta(seconds=9)), n=lost)
    words = said(harmless_and_fine(page("overview")))
    for sentence in (
        "No scheduler is alive", "has not been heard of for", "Queue mail is paused with 1 task in line",
        "No live worker serves queue nobody: 1 task", "count: 6 of 6 endings failed in the last 24h",
        "No live worker knows the type count",
    ):  # fmt: skip
        assert sentence in words.replace("\\", ""), words


def stored(moment):
    """A time as SQLite stores it; PostgreSQL reads it, too."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}" if not db.is_postgresql() else moment


def harmless_and_fine(test: AppTest) -> AppTest:
    """Nothing broke, nothing was read as markup."""
    harmless(fine(test))
    return test


@one_ledger
def test_what_is_held_for_long_leads_to_where_it_is_let_go(page):
    parent = tasks.enqueue("greet", {})
    held = [tasks.enqueue("greet", {}, needs=[parent], on_parent_failure="hold", title=HOSTILE) for _ in range(2)]
    finish(take(1), Move.fail)
    execute("UPDATE tasks SET updated_at = :t", t=stored(now() - timedelta(minutes=40)))
    words = said(harmless_and_fine(page("overview"))).replace("\\", "")
    assert "2 tasks are held until somebody releases or cancels them, the first for 40 m" in words
    assert f": needs #{parent.id}, which failed." in words
    (grid,) = fine(page("tasks", held="true")).dataframe
    assert list(grid.value["Task"]) == [str(one.id) for one in reversed(held)]
    tasks.cancel(held[1].id)
    st.cache_data.clear()
    assert f"Task #{held[0].id} has been held for 40 m" in said(fine(page("overview"))).replace("\\", "")
    fine(page("task", id=str(held[0].id))).button(key="task_Release").click().run()


def test_what_ran_in_one_column_alone_is_drawn_as_a_point():
    hours = [now() - timedelta(hours=n) for n in (3, 2, 1, 0)]
    first_day, later = [[{}, {}, {}, {50: 2.0, 95: 3.0}], [{}, {50: 1.0, 95: 2.0}, {50: 2.0, 95: 3.0}, {}]]
    alone, joined = (charts.durations(hours, line, line, [], UTC)["series"] for line in (first_day, later))
    assert {line["showSymbol"] for line in alone} == {True}
    assert {line["showSymbol"] for line in joined} == {False}


@one_ledger
def test_one_click_on_overview_resumes_a_paused_queue(page):
    some_tasks()
    test = fine(page("overview", "operator"))
    (act,) = [b for b in test.button if b.label == "Resume" and not b.key.startswith("queue_")]
    test = fine(act.click().run())
    fine(test.button(key="ask_yes").click().run())
    assert not queues.get("mail").paused
    assert events("resume")[0].actor_id == "operator-1"


@one_ledger
def test_a_viewer_is_offered_no_cure(page):
    some_tasks()
    test = fine(page("overview", "viewer"))
    assert not [b for b in test.button if b.label == "Resume"]


@one_ledger
def test_a_card_whose_question_fails_says_so_keeps_its_figures_and_recovers(page):
    some_tasks()
    test = spanned(page, "1h")
    before = metrics(test)
    execute("ALTER TABLE rollup_spans RENAME TO elsewhere")
    try:
        st.cache_data.clear()
        again = fine(test.run())
        assert metrics(again) == before
        assert said(again).count("Cannot be read now") == 3  # endings, durations, types; the others are well
        assert "Queue mail is paused" in said(again)
        assert "Some of these lines and counts are of" in said(again)
        assert not again.error
    finally:
        execute("ALTER TABLE elsewhere RENAME TO rollup_spans")
    st.cache_data.clear()
    words = said(fine(test.run()))
    assert "Cannot be read now" not in words
    assert "Some of these" not in words


@one_ledger
def test_a_card_that_failed_from_the_first_has_no_figures_and_breaks_nothing(page):
    some_tasks()
    test = spanned(page, "1h")
    execute("ALTER TABLE rollup_spans RENAME TO elsewhere")
    try:
        cards.forget()
        st.cache_data.clear()
        words = said(fine(test.run()))
        assert "There are no figures yet" in words
        assert "Queue mail is paused" in words
    finally:
        execute("ALTER TABLE elsewhere RENAME TO rollup_spans")


def a_board() -> None:
    """A page of two cards."""
    import streamlit as st

    from console.ui.cards import Board
    from services import queues, stats

    board = Board()
    board.card("a", "Tasks", board.ask(stats.by_status), lambda found: st.metric("Queued", found["queued"]))
    board.card("b", "Queues", board.ask(queues.list_queues), lambda found: st.metric("Queues", len(found)))
    board.close()


@one_ledger
def test_a_database_that_is_away_is_one_banner_over_the_last_figures(types, main_module, tmp_path, monkeypatch):
    tasks.enqueue("greet", {})
    test = fine(AppTest.from_function(a_board, default_timeout=60).run())
    assert (metrics(test), len(test.error)) == ({"Queued": "1", "Queues": "1"}, 0)
    use(monkeypatch, tmp_path / "away", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    fine(test.run())
    assert [e.proto.title for e in test.error] == ["The database cannot be reached"]
    assert metrics(test) == {"Queued": "1", "Queues": "1"}
    assert "Cannot be read now" not in said(test)


@one_ledger
def test_workers_shows_who_is_silent_what_runs_and_which_line_has_nobody(page):
    tasks.enqueue("greet", {}, title="First")
    tasks.enqueue("greet", {}, queue="nobody")
    name = workers.register(queues=["default"], types=["greet"], threads=2)
    take(1, name)
    test = harmless_and_fine(page("workers"))
    (grid,) = test.dataframe
    (line,) = grid.value.to_dict("records")
    assert (line["Process"], list(line["State"]), line["Runs"]) == (name, ["Alive"], "#1 greet")
    assert "No worker" in said(test)
    execute("UPDATE workers SET last_beat_at = :t", t=stored(now() - timedelta(seconds=9)))
    st.cache_data.clear()
    (grid,) = fine(test.run()).dataframe
    assert list(grid.value["State"][0]) == ["Silent"]


@one_ledger
def test_a_worker_is_asked_to_stop_with_a_reason(page):
    name = workers.register(types=["greet"])
    test = fine(page("workers", "operator"))
    (grid,) = test.dataframe
    test.session_state[grid.key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    test = fine(test.run())
    test = fine(test.button(key="worker_stop").click().run())
    test.text_input(key="ask_reason").set_value("New disk")
    fine(test.button(key="ask_yes").click().run())
    (event,) = events("stop")
    assert (event.entity_id, event.reason, event.actor_id) == (name, "New disk", "operator-1")


@one_ledger
def test_the_audit_trail_shows_all_of_a_ticked_event(page):
    tasks.enqueue("greet", {})
    queues.set_max_running("default", 3)
    queues.set_max_running("default", 7)
    test = fine(page("audit", audit_did="limit"))
    (grid,) = test.dataframe
    assert list(grid.value["Change"]) == ["Max running: 3 → 7", "Max running: – → 3"] or len(grid.value) == 2
    test.session_state[grid.key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    shown = said(fine(test.run())) + "".join(str(one.proto.body) for one in test.html)
    assert "Before" in shown
    assert "After" in shown


def test_the_audit_trail_is_exported_without_formulas(client, ada, people):
    tasks.enqueue("greet", {})
    queues.pause("default", '=HYPERLINK("http://evil.example")')
    queues.set_max_running("default", 5)
    artifacts.save("a.txt", b"x")
    answer = signed_in(client(), ada).get("/api/audit.csv", params={"thing": "queue"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="callboard-audit-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["verb"], row["entity_id"]) for row in rows] == [("limit", "default"), ("pause", "default")]
    assert rows[1]["reason"].startswith("'=HYPERLINK")
    (event,) = events("export")
    assert (event.actor_id, event.after) == ("ada", {"filter": {"entity": "queue"}})
    assert signed_in(client(), people["member"]).get("/api/audit.csv").status_code == 403
    assert signed_in(client(), ada).get("/api/audit.csv", params={"by": "x" * 300}).status_code == 400


def test_an_export_of_the_audit_trail_goes_over_many_pages(ledger, monkeypatch):
    monkeypatch.setattr(audit_export, "PAGE", 3)
    for n in range(8):
        audit.record("noted", "task", n)
    lines = b"".join(audit_export.chunks(verb="noted")).decode("utf-8-sig").splitlines()
    assert [line.split(",")[6] for line in lines[1:]] == [str(n) for n in range(7, -1, -1)]
