"""Where the sessions of closed tabs rest: a network that failed or a laptop that slept finds its page as it was.

Each holds three files open, those of its event loop. Streamlit's own storage keeps up to 128 and has no clock: whose
time is over stays until another tab closes, which on a quiet day is never. Here a session is closed, with all that it
holds, at the moment its rest ends.
"""

import asyncio
import builtins
from collections.abc import Callable
from typing import Any

from streamlit import config, runtime
from streamlit.runtime.session_manager import SessionInfo, SessionStorage

MOST = 64  # with three files each, of the 1,024 that many systems allow a process


class Resting(SessionStorage):
    """Sessions without a tab, for so many seconds and at most so many; to be used on the server's event loop."""

    def __init__(self, close: Callable[[str], None], seconds: float, most: int = MOST) -> None:
        """`close` ends the session of an id, and deletes it here."""
        self._close, self._seconds, self._most = close, seconds, most
        self._sessions: dict[str, tuple[SessionInfo, asyncio.TimerHandle]] = {}  # who rests longest comes first

    def save(self, session_info: SessionInfo) -> None:
        """Let it rest; where there are too many, the one that rests longest is closed."""
        name, loop = session_info.session.id, asyncio.get_running_loop()
        if name in self._sessions:
            self.delete(name)
        self._sessions[name] = session_info, loop.call_later(self._seconds, self._end, name)
        for oldest in list(self._sessions)[: -self._most]:
            loop.call_soon(self._end, oldest)  # the manager holds a lock while it saves

    def get(self, session_id: str) -> SessionInfo | None:
        """The session of this id, None where none rests."""
        found = self._sessions.get(session_id)
        return found and found[0]

    def delete(self, session_id: str) -> None:
        """Its tab is back, or it is being closed. Raises `KeyError` where none rests."""
        self._sessions.pop(session_id)[1].cancel()

    def list(self) -> builtins.list[SessionInfo]:
        """All that rest."""
        return [session_info for session_info, _ in self._sessions.values()]

    def _end(self, session_id: str) -> None:
        if session_id in self._sessions:  # else its tab is back, and it is in use
            self._close(session_id)


def install() -> None:
    """Let the runtime that has just been started use it, for as long as `server.disconnectedSessionTTL` says.

    `st.App` makes its runtime itself and takes no storage from us: the one place where we reach into it.
    """
    running = runtime.get_instance()
    manager: Any = getattr(running, "_session_mgr", None)
    if not hasattr(manager, "_session_storage"):
        raise RuntimeError("Streamlit keeps the sessions of closed tabs elsewhere now: see console/resting.py")
    manager._session_storage = Resting(running.close_session, config.get_option("server.disconnectedSessionTTL"))
