"""The one script of ours on every page: keys, the tab's title, the inbox's badge, desktop notifications, the theme."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from console import pages
from console.ui import say, script
from models import Operator, Task

_mount = script.component("bridge")


def show(operator: Operator, unread: str, fresh: Sequence[Task]) -> None:
    """Draw it; `fresh` are endings that this browser has not been told of."""
    data: dict[str, Any] = {
        "unread": unread, "notify": operator.notify, "theme": operator.theme, "paths": pages.paths(),
        "notes": [
            {
                "key": f"{task.id}-{task.finished_at}", "id": task.id, "title": say.visible(task.title or task.type),
                "body": say.visible(f"{task.status.value.capitalize()} · task #{task.id}"),
            }
            for task in fresh
        ],
    }  # fmt: skip
    _mount(key="bridge", data=data, height="content", on_open_change=_open, on_schedule_change=_schedule)


def _open() -> None:
    asked = st.session_state["bridge"].open
    if isinstance(asked, int) and 0 < asked < 2**53:
        pages.open_task(asked)


def _schedule() -> None:
    asked = st.session_state["bridge"].schedule
    if isinstance(asked, int) and 0 < asked < 2**53:
        pages.open_schedule(asked)
