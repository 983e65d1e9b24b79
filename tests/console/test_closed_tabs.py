"""A tab that was closed finds its page again for a while; after that, nothing of it stays open."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.session_manager import SessionInfo
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import settings as settings_module
from console.resting import Resting
from models import Operator
from runtime import ready, web
from services import sessions
from settings import ROOT
from tests.support import wait_until

TABS = 6
FILES = 3  # of a session: its event loop's


class Console:
    """A console that was really started, and a browser with tabs."""

    def __init__(self, process: psutil.Process, operator: Operator) -> None:
        self._process, base = process, web.url()
        with requests.Session() as browser:
            browser.trust_env = False
            browser.get(f"{base}/sign-in", params={"link": sessions.link(operator.id)}, timeout=30).raise_for_status()
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self._headers = {"cookie": cookie, "origin": base}
        self._where = base.replace("http", "ws", 1) + "/_stcore/stream"

    def tab(self, session: str = "") -> ClientConnection:
        """One that opens, or comes back to its session."""
        said = [Subprotocol(word) for word in ("streamlit", "-", session) if word]
        return connect(self._where, additional_headers=self._headers, subprotocols=said, proxy=None, max_size=None)

    def held(self) -> int:
        """Sockets and event loops; what the database's pool opens does not count."""
        return self._process.num_fds() - len(self._process.open_files())


@pytest.fixture
def console(ledger: str, ada: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """Sessions rest for five seconds in it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("PORT", str(listener.getsockname()[1]))
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "5")
    settings_module.settings.cache_clear()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(web.argv(), cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(
            lambda: ready.console_answers() or process.poll() is not None, timeout=60, what="the console's start"
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield Console(psutil.Process(process.pid), ada)
    finally:
        process.terminate()
        process.wait(20)


def drawn(tab: ClientConnection) -> str:
    """Run a page to its end; the session's id."""
    ask = BackMsg()
    ask.rerun_script.page_name = "settings"
    tab.send(ask.SerializeToString())
    session = ""
    while (told := ForwardMsg.FromString(tab.recv(timeout=30.0))).WhichOneof("type") != "script_finished":  # type: ignore[arg-type]
        session = told.new_session.initialize.session_id or session
    return session


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)  # what rests knows no database
def test_a_closed_tab_can_come_back_and_after_its_rest_it_holds_nothing_open(console: Console) -> None:
    before = console.held()
    with ExitStack() as open_tabs:
        tabs = [open_tabs.enter_context(console.tab()) for _ in range(TABS)]
        names = [drawn(tab) for tab in tabs]
        assert len(set(names)) == TABS
        assert console.held() >= before + TABS * FILES
        tabs[0].close()
        with console.tab(names[0]) as back:
            assert drawn(back) == names[0]
    wait_until(lambda: console.held() < before + FILES, what="the end of all that closed tabs held open")


def info(name: str) -> SessionInfo:
    session: Any = SimpleNamespace(id=name)
    return SessionInfo(client=None, session=session)


def test_of_too_many_the_one_that_rests_longest_is_closed() -> None:
    closed: list[str] = []

    async def too_many() -> list[str]:
        resting = Resting(lambda name: (closed.append(name), resting.delete(name))[0], seconds=60, most=2)
        for name in ("a", "b", "a", "c", "d"):
            resting.save(info(name))
        await asyncio.sleep(0)
        return [each.session.id for each in resting.list()]

    assert asyncio.run(too_many()) == ["c", "d"]
    assert closed == ["b", "a"]


def test_one_that_came_back_in_time_is_not_closed() -> None:
    closed: list[str] = []

    async def in_time() -> None:
        resting = Resting(closed.append, seconds=0.01, most=1)
        resting.save(info("back at once"))
        resting.save(info("too late"))
        resting.delete("back at once")
        while not closed:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(in_time(), 20))
    assert closed == ["too late"]
