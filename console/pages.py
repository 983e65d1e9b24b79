"""Every page of the console, by name; and the ways from one to another."""

from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from console import who
from models import Role

VIEWS = Path(__file__).resolve().parent / "views"

_PAGES: dict[str, tuple[str, str]] = {
    "overview": ("Overview", "space_dashboard"),
    "tasks": ("Tasks", "list_alt"),
    "task": ("Task", "article"),
    "run": ("Run a task", "play_circle"),
    "schedules": ("Schedules", "event_repeat"),
    "schedule": ("Schedule", "event"),
    "inbox": ("Inbox", "inbox"),
    "errors": ("Errors", "error"),
    "workers": ("Workers and queues", "memory"),
    "audit": ("Audit", "history"),
    "settings": ("Settings", "settings"),
}
_HIDDEN = {"task", "schedule"}


@cache
def page(name: str) -> Any:
    """The page of this name, for a link or a switch: a tick draws many, and each would be looked for on disk."""
    return _made(name)


def _made(name: str) -> Any:
    title, icon = _PAGES[name]
    return st.Page(
        VIEWS / f"{name}.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=name,
        default=name == "overview",
        visibility="hidden" if name in _HIDDEN else "visible",
    )


def navigation() -> dict[str, list[Any]]:
    """What stands in the sidebar, by section."""
    return {
        "": [_made(name) for name in ("overview", "tasks", "run", "schedules", "inbox", "task", "schedule")],
        "Operate": [_made(name) for name in ("errors", "workers")],
        "Manage": [_made(name) for name in (*(("audit",) if who.may(Role.operator) else ()), "settings")],
    }


def names() -> set[str]:
    """Of all pages, whoever may see them."""
    return set(_PAGES)


def paths() -> list[str]:
    """Where the pages are, for a browser."""
    return ["/", *(f"/{name}" for name in _PAGES)]


def open_task(task_id: int) -> NoReturn:
    """Go to a task's page."""
    st.switch_page(page("task"), query_params={"id": str(task_id)})


def open_schedule(schedule_id: int) -> NoReturn:
    """Go to a schedule's page."""
    st.switch_page(page("schedule"), query_params={"id": str(schedule_id)})
