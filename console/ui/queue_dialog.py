"""What is asked before a queue is paused, resumed or limited, and before a worker is stopped."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from console import figures
from console.ui import asking
from console.ui.asking import Question
from services import queues, workers

MOST = "queue_most"
MEANS = {
    "Pause": "No worker takes from it until it is resumed. What runs goes on.",
    "Resume": "Workers take from it again at once.",
    "Limit": "At most so many of its tasks run at once, over all workers. What runs goes on.",
    "Stop": "It takes nothing more, finishes what it has or hands it back, and ends. Its supervisor starts another.",
}
SEEN = {"Pause": asking.EVERYBODY, "Resume": asking.AUDIT, "Stop": asking.AUDIT, "Limit": None}


def ask(act: str, name: str) -> None:
    """For a button's callback."""
    acts: dict[str, Callable[[str], Any]] = {
        "Pause": lambda reason: queues.pause(name, reason),
        "Resume": lambda reason: queues.resume(name, reason or None),
        "Stop": lambda reason: workers.request_stop(name, reason or None),
        "Limit": lambda _: queues.set_max_running(name, st.session_state.get(MOST)),
    }
    fields = (lambda: _most(name)) if act == "Limit" else None
    what = name if act == "Stop" else f"queue {name}"
    need = "Say why: whoever waits for its tasks reads it." if act == "Pause" else None
    asking.ask(Question(act, what, MEANS[act], acts[act], SEEN[act], need, fields, lambda _: figures.forget()))


def _most(name: str) -> None:
    now = queues.get(name).max_running
    st.number_input("At most", 1, queues.MOST_RUNNING, now, key=MOST, placeholder="No limit", step=1)
