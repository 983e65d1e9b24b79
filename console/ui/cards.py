"""Cards whose question may fail: such a card says so, and keeps its last figures. No database at all is one banner."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
import structlog
from sqlalchemy import text

from console.ui import say
from models import db, now, reading

log = structlog.get_logger(__name__)

# What each question was answered last, for all readers: questions of cards ask for nothing that only some may see
_last: dict[tuple, tuple[Any, datetime]] = {}
_failing: dict[tuple, str] = {}


@dataclass(frozen=True)
class Answer:
    """Figures, and from when they are; `reference` finds the failure in the log, None where all is well."""

    value: Any
    at: datetime | None
    reference: str | None


class Board:
    """One drawing of a page's cards. Each question is asked once, and none once the database is known to be away."""

    def __init__(self) -> None:
        self.away = False
        self._banner = st.container()
        self._answers: dict[tuple, Answer] = {}

    def ask(self, question: Callable[..., Any], *args: Any) -> Answer:
        """The question's answer, else its last one."""
        key = (f"{question.__module__}.{question.__qualname__}", *args)
        if key not in self._answers:
            self._answers[key] = self._kept(key) if self.away else self._asked(key, question, args)
        return self._answers[key]

    def card(
        self, key: str, title: str, question: Answer, draw: Callable[[Any], None], height: int | None = None
    ) -> None:
        """A box with a title and what `draw` makes of the figures."""
        with st.container(border=True, height=height or "content", gap="xsmall", key=f"card_{key}"):
            self._head(title, question)
            if question.value is None:
                st.caption("There are no figures yet. They are asked for again every few seconds.")
            else:
                draw(question.value)

    def close(self) -> None:
        """At the end: the banner, where there is a reason for one."""
        if self.away:
            self._banner.error(
                "What stands below is from before. It is asked for again every few seconds; tasks that run go on.",
                title="The database cannot be reached", icon=":material/cloud_off:",
            )  # fmt: skip

    def _head(self, title: str, answer: Answer) -> None:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            if answer.reference is not None and not self.away:
                since = f"figures of {say.at(answer.at)}" if answer.at else "no figures"
                st.markdown(
                    f":orange-badge[:material/error: Cannot be read now: {say.plain(since)}]", width="content",
                    help=f"It is tried again every few seconds. The log has the details under {answer.reference}.",
                )  # fmt: skip

    def _asked(self, key: tuple, question: Callable[..., Any], args: tuple) -> Answer:
        try:
            value = question(*args)
        except Exception as error:
            self.away = db.is_away(error) and not _answers()
            if key not in _failing:
                _failing[key] = secrets.token_hex(3)
                log.exception("a card's question failed", card=key[0], reference=_failing[key])
            return self._kept(key)
        _failing.pop(key, None)
        _last[key] = value, now()
        return Answer(value, _last[key][1], None)

    def _kept(self, key: tuple) -> Answer:
        value, at = _last.get(key, (None, None))
        return Answer(value, at, _failing.get(key, "of the page"))


def _answers() -> bool:
    """Whether the database answers at all."""
    try:
        with reading() as session:
            session.execute(text("SELECT 1"))
    except Exception:
        return False
    return True


def forget() -> None:
    """Keep nothing: for tests."""
    _last.clear()
    _failing.clear()
