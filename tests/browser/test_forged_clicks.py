"""Clicks that no page would send: buttons that are greyed out, pressed by a message of one's own over the websocket."""

import asyncio
from dataclasses import dataclass, field

import requests
from sqlalchemy import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.console_client import PATIENCE_S, Tab
from console import pages
from models import Operator, Role, Status, reading, tables
from services import error_counts, operators, queues, schedules, sessions, tasks
from tests.processes import kinds
from tests.services.kit import count, scalar

PAGES = (
    ("task", "id={failed}"), ("task", "id={waits}"), ("task", "id={held}"), ("tasks", ""), ("tasks", "held=true"),
    ("tasks", "deleted=true"), ("run", "run_type=echo"), ("run", "again={failed}"), ("errors", ""), ("workers", ""),
    ("schedules", ""), ("schedules", "schedules_view=Coming+up"), ("schedules", "schedules_view=What+fired"),
    ("schedule", "id={schedule}"), ("schedule", "id={schedule}&schedule_tab=Definition"), ("inbox", ""),
    ("inbox", "dismissed=true"), ("audit", ""), ("settings", ""), ("settings", "settings_tab=Operators"),
    ("settings", "settings_tab=Ledger"), ("", ""),
)  # fmt: skip
FIRST_ROW = '{"selection": {"rows": [0], "columns": [], "cells": []}}'
Act = tuple[str, str | None]  # a widget, and what is chosen from it where it is a menu


@dataclass
class Forger(Tab):
    """A page whose buttons are pressed whether or not they are live, and whose menus are chosen from."""

    acts: dict[Act, str] = field(default_factory=dict)  # what stands on each
    grids: set[str] = field(default_factory=set)
    finished: bool = False

    async def press(self, act: Act, ticked: bool = False) -> None:
        """Say that this was clicked, with the first row of each grid ticked or not, and hear what comes of it."""
        assert self.socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self.query, self.page, self.script
        for grid in self.grids if ticked else ():
            row = state.widget_states.widgets.add()
            row.id, row.string_value = grid, FIRST_ROW
        widget = state.widget_states.widgets.add()
        widget.id, chosen = act
        if chosen is None:
            widget.trigger_value = True
        else:
            widget.string_trigger_value.data = chosen
        self.finished = False
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_S):
            while not self.finished:
                data = await self.socket.recv()
                self._heard(ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode()))

    def labelled(self, *labels: str) -> list[Act]:
        """The buttons of these names."""
        return [act for act, label in self.acts.items() if label in labels]

    def _heard(self, message: ForwardMsg) -> bool:
        if message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            kind = element.WhichOneof("type")
            if kind == "button":
                self.acts[element.button.id, None] = element.button.label
            elif kind == "menu_button":
                self.acts |= {(element.menu_button.id, one): one for one in element.menu_button.options}
            elif kind == "dataframe" and element.dataframe.selection_mode:
                self.grids.add(element.dataframe.id)
        if message.WhichOneof("type") == "script_finished":
            self.finished = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return super()._heard(message)


def cookie_of(console: str, who: Operator) -> str:
    """What a browser of theirs would send."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(f"{console}/sign-in", params={"link": sessions.link(who.id)}, timeout=20)
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


async def press_everything(console: str, who: Operator, page: str, query: str) -> dict[Act, str]:
    """Whatever the page shows, then what came of it, and once more with rows ticked; returns what stood on all that
    was seen."""
    tab = Forger(console, cookie_of(console, who), page, query)
    await tab.open()
    pressed: set[tuple[Act, bool]] = set()
    for ticked in (False, True) if tab.grids else (False,):
        for _ in range(3):  # a page, its dialogs, what is in those
            for act in [one for one in tab.acts if (one, ticked) not in pressed]:
                pressed.add((act, ticked))
                await tab.press(act, ticked)
    await tab.close()
    assert tab.broken is None
    return tab.acts


def some_tasks(console: str) -> dict[str, int]:
    """Tasks that failed, are held and wait; a schedule; and a view of somebody's."""
    failed = kinds.giving_up.enqueue()
    tasks.wait(failed.id, timeout=60)
    error_counts.fold()
    queues.pause("default", "nothing is to run")
    held = kinds.echo.with_options(needs=[failed.id], on_parent_failure="hold").enqueue()
    hidden = kinds.echo.enqueue()
    tasks.cancel(hidden.id)
    tasks.delete(hidden.id)
    nightly = schedules.create("nightly", "echo", {}, cron="0 3 * * *")
    return {"failed": failed.id, "waits": kinds.echo.enqueue().id, "held": held.id, "schedule": nightly.id or 0}


def acts_of(name: str) -> set[tuple[str, str]]:
    """What the audit trail tells of this person: verb, entity."""
    with reading() as session:
        e = tables.events.c
        return {tuple(row) for row in session.execute(select(e.verb, e.entity).where(e.actor_id == name).distinct())}


def test_every_page_is_among_those_where_clicks_are_forged():
    assert {page or "overview" for page, _ in PAGES} == pages.names()


HER_OWN = {("sign in", "operator"), ("revoke session", "operator")}


def test_a_viewer_who_presses_every_greyed_out_button_changes_nothing(console):
    made = some_tasks(console)
    vera = operators.create("vera", Role.viewer)
    before = count(), scalar("SELECT max(updated_at) FROM tasks"), scalar("SELECT count(*) FROM operators")
    pressed: set[str] = set()
    for page, query in PAGES:
        if page != "audit":  # there is no such page for her
            pressed |= set(asyncio.run(press_everything(console, vera, page, query.format(**made))).values())
    assert {
        "Cancel", "Rerun", "Set priority", "Delete", "Restore", "Release", "Run it", "Resume", "Limit", "Run now",
        "Switch off", ":material/cancel: Cancel…",
    } <= pressed  # fmt: skip
    assert acts_of("vera") <= HER_OWN
    ended = scalar("SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL AND operator_id <> :id", id=vera.id)
    assert ended == 0, "she ends her own sessions alone"
    assert (count(), scalar("SELECT max(updated_at) FROM tasks"), scalar("SELECT count(*) FROM operators")) == before
    assert queues.get("default").paused
    assert (schedules.get(made["schedule"]).version, schedules.get(made["schedule"]).enabled) == (1, True)
    assert operators.by_name("vera").role is Role.viewer


def test_the_same_message_of_an_operator_is_a_click(console):
    made = some_tasks(console)
    olga = operators.create("olga", Role.operator)

    async def cancel() -> None:
        tab = Forger(console, cookie_of(console, olga), "task", f"id={made['waits']}")
        await tab.open()
        (button,) = tab.labelled("Cancel")
        await tab.press(button)
        (yes,) = tab.labelled(f"Cancel task #{made['waits']}")
        await tab.press(yes)
        await tab.close()

    asyncio.run(cancel())
    assert tasks.get(made["waits"]).status is Status.cancelled
