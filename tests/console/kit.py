"""What tests of pages share: which pages there are, what a page says, and a ledger with something to see."""

from collections.abc import Callable
from datetime import timedelta

from streamlit.testing.v1 import AppTest

from models import Move, Status, Task, now
from services import queues, tasks, workers
from tests.services.kit import finish, status, take

PAGES = ["overview", "tasks", "run", "schedules", "inbox", "errors", "workers", "audit", "settings"]
HOSTILE = '<script>alert(1)</script> ![x](http://evil.example/x.png) :red-badge[x] =HYPERLINK("x")'

Open = Callable[..., AppTest]


def said(test: AppTest) -> str:
    """All words in places that read Markdown."""
    kinds = (test.title, test.subheader, test.caption, test.markdown, test.error, test.warning, test.info)
    return "\n".join(str(getattr(one, "value", "")) for kind in kinds for one in kind)


def markup(test: AppTest) -> str:
    """All HTML of ours."""
    return "\n".join(str(one.proto.body) for one in test.html)


def harmless(test: AppTest) -> None:
    """No words of others are read as markup of any kind."""
    assert "![x](http" not in said(test)
    assert ":red-badge[x]" not in said(test)
    assert "<script>" not in markup(test)
    assert "\u202e" not in said(test) + markup(test)


def fine(test: AppTest) -> AppTest:
    """No page may break."""
    assert not test.exception, [one.value for one in test.exception]
    return test


def some_tasks() -> dict[str, Task]:
    """One of each status, with words of a stranger in them."""
    made = {
        name: tasks.enqueue("greet", {"name": HOSTILE + "\u202etxt"}, title=HOSTILE, tags=["nightly"])
        for name in "abcd"
    }
    for claimed in take(4):
        move = {made["a"].id: Move.complete, made["b"].id: Move.fail}.get(claimed.id)
        if move is not None:
            finish(claimed, move)
    tasks.cancel(made["d"].id) if status(made["d"])[0] is Status.queued else None
    made["later"] = tasks.enqueue("greet", {}, run_at=now() + timedelta(hours=1), title="Later")
    made["line"] = tasks.enqueue("count", {}, queue="mail", title="In line")
    queues.pause("mail", HOSTILE)
    workers.register(threads=4, types=["greet"])
    return made


def ticked(test: AppTest, *rows: int) -> AppTest:
    """The same page with these rows ticked, as a click on them would."""
    (grid,) = test.dataframe
    test.session_state[grid.key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return fine(test.run())
