"""What tests of schedules' pages share: schedules with a history, and the drawer."""

from datetime import timedelta

import streamlit as st
from streamlit.testing.v1 import AppTest

from models import FireOutcome, Move, Schedule, Task, db, now
from services import schedules
from tests.console.kit import HOSTILE, fine, markup, said
from tests.services.kit import execute, finish, take

DAILY = {"cron": "0 6 * * *", "zone": "Europe/Berlin"}


def some(name: str = "nightly", **more) -> Schedule:
    """A schedule."""
    return schedules.create(name, "greet", {"name": "a"}, **{**DAILY, **more})


def some_fires(row: Schedule) -> list[Task]:
    """Runs that completed and failed, one that runs on, and slots of every other outcome."""
    runs = []
    for move in (Move.complete, Move.fail, None):
        run = schedules.run_now(row.id)
        runs.append(run)
        claimed = take(1)
        if move is not None:
            finish(claimed, move)
            schedules.follow()
    for n, outcome in enumerate(FireOutcome):
        if outcome not in (FireOutcome.ran, FireOutcome.deduplicated):
            execute(
                "INSERT INTO fires (schedule_id, slot, at, fired_at, late_s, cause, outcome, why) "
                f"VALUES ({row.id}, 's{n}', :at, :at, 0, 'automatic', '{outcome.value}', :why)",
                at=stored(now() - timedelta(hours=n + 1)), why=HOSTILE,
            )  # fmt: skip
    st.cache_data.clear()
    return runs


def stored(moment):
    """A time as either database stores it."""
    return moment if db.is_postgresql() else f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def drawer(test: AppTest) -> str:
    """The key of the open drawer's widgets."""
    (key,) = {w.key.split("#")[0] for w in test.text_input if (w.key or "").endswith("#name")}
    return key


def opened(test: AppTest, button: str = "schedule_new") -> tuple[AppTest, str]:
    """The same page with the drawer open, and the key of its widgets."""
    test = fine(test.button(key=button).click().run())
    return test, drawer(test)


def everything(test: AppTest) -> str:
    """All words, of titles of alerts and of our HTML, too."""
    alerts = [one.proto.title for kind in (test.error, test.warning, test.info) for one in kind]
    return "\n".join([said(test).replace("\\", ""), markup(test), *alerts])


def sentences(test: AppTest) -> list[str]:
    """What is said to be wrong."""
    return [error.value.replace("\\", "") for error in test.error]
