"""Who is signed in. Asked anew in every run, and again by the services in every act."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from models import Role
from services import audit, sessions
from services.sessions import SignedIn


def visit() -> SignedIn:
    """The session of this page; where it has ended, the page ends with a sentence."""
    found = sessions.of_id(_number())
    if found is None:
        st.warning("Reload the page to sign in again.", title="You were signed out", icon=":material/lock:")
        st.stop()
    return found


def may(role: Role, owner: int | None = None) -> bool:
    """Whether a button that needs this role is live: on one's own things, a member's role is enough."""
    mine: SignedIn = st.session_state["_visit"]
    own = owner is not None and owner == mine.operator.id and role is Role.operator
    return mine.operator.role.includes(Role.member if own else role)


def me() -> SignedIn:
    """The session as this run found it."""
    return st.session_state["_visit"]


@contextmanager
def acting() -> Iterator[None]:
    """Do what follows as the signed-in operator: the session is looked up anew, as it may have ended since."""
    now = visit()
    with audit.acting_as(now.operator, ip=now.ip, user_agent=now.user_agent):
        yield


def _number() -> int:
    said = st.user.get("session")
    return int(said) if isinstance(said, str) and said.isdigit() else 0
