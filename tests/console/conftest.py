"""A console's ledger, the people of its tests, its pages, and the gate with real routes behind it, served for real."""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import requests
import streamlit as st
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from websockets.sync.client import ClientConnection, connect

import settings as settings_module
from console import gate, routes, signing
from console.ui import cards
from models import Operator, Role
from services import catalog, operators, sessions
from settings import ROOT
from tests.console.kit import Open
from tests.services.kit import a_type, known
from tests.support import wait_until

PASSWORD = "correct horse battery"


class Browser(requests.Session):
    """A browser that is told of redirects and does not follow them; paths are the console's."""

    def __init__(self, base: str, cookies: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.base = base
        self.trust_env = False
        self.cookies.update(cookies or {})
        self.headers.update(headers or {})

    def request(self, method: str, path: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """One request, one answer."""
        return super().request(method, self.base + path, **{"timeout": 20, **options, "allow_redirects": False})

    def socket(self, **headers: str) -> ClientConnection:
        """The websocket that a page opens."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        where = self.base.replace("http", "ws", 1) + "/_stcore/stream"
        return connect(where, additional_headers={"cookie": cookies, **headers}, proxy=None)


@pytest.fixture(scope="module", autouse=True)
def only_types_of_its_own(no_types: None) -> None:
    """A module here knows what it makes known."""


@pytest.fixture(scope="session", autouse=True)
def one_look_for_components() -> Iterator[None]:
    """Each `AppTest` reads the metadata of all installed packages, most of a second: once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def ada(ledger: str) -> Operator:
    """An admin with a password."""
    return operators.create("ada", Role.admin, PASSWORD)


@pytest.fixture
def client(ledger: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Browser]]:
    """Makes browsers that stand before the gate; behind it are our routes, a page, and a socket that echoes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        settings_module.settings.cache_clear()
        app = gate.Gate(Starlette(routes=[*routes.routes, *signing.routes, PAGE, SOCKET]))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        wait_until(lambda: server.started, what="the server's start")
        yield lambda **options: Browser(f"http://127.0.0.1:{port}", **options)
        server.should_exit = server.force_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def nothing_kept(ledger: str) -> Iterator[None]:
    """No figures of another test."""
    cards.forget()
    st.cache_data.clear()
    yield
    cards.forget()
    st.cache_data.clear()


@pytest.fixture
def types(nothing_kept: None) -> Iterator[None]:
    """Task types that a worker has declared."""
    with known(a_type("greet", doc="Say hello."), a_type("count")):
        catalog.declare()
        catalog.declared(fresh=True)
        yield


@pytest.fixture
def people(types: None) -> dict[str, Operator]:
    """One of each role, by the role's name."""
    return {role.value: operators.create(f"{role.value}-1", role) for role in Role}


@pytest.fixture
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page under test becomes `__main__`, which processes that are spawned later would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def page(people: dict[str, Operator], main_module: None) -> Open:
    """Opens a page as somebody of a role."""

    def show(name: str, role: str = "admin", **params: str) -> AppTest:
        secret = sessions.redeem(sessions.link(people[role].id), "10.0.0.7", "Firefox/150")
        session = sessions.check(secret)
        assert session is not None
        test = AppTest.from_file(str(ROOT / "console/app.py"), default_timeout=60)
        test.user = {"session": str(session.id)}
        test.context = {"timezone": "Europe/Berlin"}
        for key, value in params.items():
            test.query_params[key] = value
        return (test.switch_page(f"views/{name}.py") if name != "overview" else test).run()

    return show


def signed_in(browser: Browser, operator: Operator) -> Browser:
    """The same browser, let in by a one-time link."""
    assert browser.get("/sign-in", params={"link": sessions.link(operator.id)}).status_code == 200
    return browser


async def _show(request: Any) -> PlainTextResponse:
    return PlainTextResponse(f"session {request.headers.get('x-callboard-session')}")


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(str(socket.headers.get("x-callboard-session")))
    async for message in socket.iter_bytes():
        await socket.send_bytes(message)


PAGE = Route("/{path:path}", _show)
SOCKET = WebSocketRoute("/_stcore/stream", _echo)
