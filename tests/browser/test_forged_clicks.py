"""Clicks that no page would send: buttons that are greyed out, pressed by a message of one's own over the websocket."""

import asyncio
from dataclasses import dataclass, field

import requests
from sqlalchemy import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.console_client import PATIENCE_S, Tab
from models import Operator, Role, Status, reading, tables
from services import operators, queues, schedules, sessions, tasks
from tests.processes import kinds
from tests.services.kit import count, scalar

PAGES = (("task", "id={failed}"), ("task", "id={waits}"), ("tasks", ""), ("run", "run_type=echo"), ("errors", ""),
         ("workers", ""), ("schedules", ""), ("schedule", "id={schedule}"), ("settings", ""), ("", ""))  # fmt: skip


@dataclass
class Forger(Tab):
    """A page whose buttons are pressed whether or not they are live."""

    buttons: dict[str, str] = field(default_factory=dict)  # id → label
    finished: bool = False

    async def press(self, button: str) -> None:
        """Say that this one was clicked, and hear what comes of it."""
        assert self.socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self.query, self.page, self.script
        widget = state.widget_states.widgets.add()
        widget.id, widget.trigger_value = button, True
        self.finished = False
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_S):
            while not self.finished:
                data = await self.socket.recv()
                self._heard(ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode()))

    def labelled(self, *labels: str) -> list[str]:
        """The buttons of these names."""
        return [button for button, label in self.buttons.items() if label in labels]

    def _heard(self, message: ForwardMsg) -> bool:
        if message.WhichOneof("type") == "delta" and message.delta.new_element.WhichOneof("type") == "button":
            button = message.delta.new_element.button
            self.buttons[button.id] = button.label
        if message.WhichOneof("type") == "script_finished":
            self.finished = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return super()._heard(message)


def cookie_of(console: str, who: Operator) -> str:
    """What a browser of theirs would send."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(f"{console}/sign-in", params={"link": sessions.link(who.id)}, timeout=20)
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


async def press_everything(console: str, who: Operator, page: str, query: str) -> list[str]:
    """Every button that the page shows, then those that came of it; returns what stood on them."""
    tab = Forger(console, cookie_of(console, who), page, query)
    await tab.open()
    pressed: set[str] = set()
    for _ in range(3):  # a page, its dialogs, what is in those
        for button in [one for one in tab.buttons if one not in pressed]:
            pressed.add(button)
            await tab.press(button)
    await tab.close()
    assert tab.broken is None
    return [tab.buttons[one] for one in pressed]


def some_tasks(console: str) -> dict[str, int]:
    """One that failed and one that waits."""
    failed = kinds.giving_up.enqueue()
    tasks.wait(failed.id, timeout=60)
    queues.pause("default", "nothing is to run")
    nightly = schedules.create("nightly", "echo", {}, cron="0 3 * * *")
    return {"failed": failed.id, "waits": kinds.echo.enqueue().id, "schedule": nightly.id or 0}


def test_a_viewer_who_presses_every_greyed_out_button_changes_nothing(console):
    made = some_tasks(console)
    vera = operators.create("vera", Role.viewer)
    before = count(), scalar("SELECT max(updated_at) FROM tasks"), scalar("SELECT count(*) FROM operators")
    pressed: list[str] = []
    for page, query in PAGES:
        pressed += asyncio.run(press_everything(console, vera, page, query.format(**made)))
    assert {"Cancel", "Rerun", "Set priority", "Delete", "Run it", "Resume", "Limit", "Run now", "Switch off"} <= set(
        pressed
    )
    with reading() as session:
        e = tables.events.c
        hers = session.execute(select(e.verb, e.entity).where(e.actor_id == "vera").distinct()).all()
    assert {tuple(row) for row in hers} <= {("sign in", "operator"), ("revoke session", "operator")}
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
