"""What is clicked twice is done once.

Streamlit begins the run of a second click while that of the first still works, and breaks the first off at whatever it
next asks Streamlit for. So clicks take turns, and what one did is noted in an object that asks Streamlit for nothing.
"""

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import streamlit as st

_KEPT = "_clicks"
IMPATIENCE_S = 3.0  # a click so soon after another was made before the other's answer was seen

_first = threading.Lock()


class Clicks:
    """Of one session: what the last one that did something did."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """The next click is a new wish."""
        self._what: Hashable = None
        self._made: Any = None
        self._at = -inf

    def note(self, what: Hashable, made: Any) -> None:
        """This was wished for, and made this."""
        self._what, self._made, self._at = what, made, time.monotonic()

    def made(self, what: Hashable, within_s: float = IMPATIENCE_S) -> Any:
        """What this wish has made already, so short a time ago; else None."""
        return self._made if what == self._what and time.monotonic() - self._at < within_s else None


@contextmanager
def turn() -> Iterator[Clicks]:
    """While one click is being answered, the session's others wait."""
    with _first:
        clicks: Clicks = st.session_state.setdefault(_KEPT, Clicks())
    with clicks.turn:
        yield clicks
