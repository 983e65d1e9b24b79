"""The gate before everything the console serves, pages, files and the websocket: nobody passes without a session.

Pure ASGI, as a websocket is no request. What runs behind it reads who asks from one header that only the gate sets.
"""

import asyncio
import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from console import headers
from services import sessions
from services.sessions import SignedIn
from settings import settings

log = structlog.get_logger(__name__)

HEADER = b"x-callboard-session"
OPEN = ("/api/health", "/api/metrics", "/sign-in", "/sign-out")  # the metrics ask for a token of their own
NOT_SIGNED_IN = "You are not signed in. Reload the page to sign in."
LOOK_EVERY_S = 5.0  # how soon an open page notices that its session has ended
CLOSED = 4401
MINUTE = 60.0


def cookie_name() -> str:
    """One for each port: cookies do not tell ports apart, and a machine may run several consoles."""
    return f"callboard_{settings().port}"


class Gate:
    """Lets signed-in browsers pass, and closes their websockets once the session has ended."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._sockets: dict[int, set[asyncio.Event]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await self._socket(scope, receive, send)
        send = headers.adding(send)
        path = scope["path"]
        if path != "/api/health" and not headers.host_is_allowed(scope):
            return await _answer(400, headers.WRONG_HOST)(scope, receive, send)
        if path in OPEN:
            return await self.app(_without_claims(scope), receive, send)
        visit = await _visit(scope)
        if isinstance(visit, SignedIn):
            return await self.app(_as(scope, visit), receive, send)
        return await (visit or _refusal(scope))(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await _visit(scope) if headers.host_is_allowed(scope) and headers.same_origin(scope) else None
        if not isinstance(visit, SignedIn):
            await send({"type": "websocket.close", "code": 1008})
            return
        gone = asyncio.Event()
        self._sockets.setdefault(visit.id, set()).add(gone)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._close_ended())
        try:
            await self.app(_as(scope, visit), _Ears(visit.id, receive, send, gone), send)
        finally:
            self._sockets[visit.id].discard(gone)
            if not self._sockets[visit.id]:
                del self._sockets[visit.id]

    async def _close_ended(self) -> None:
        """While pages are open: tell those whose session was revoked, expired or fell asleep, here or elsewhere."""
        while self._sockets:
            await asyncio.sleep(LOOK_EVERY_S)
            asked = list(self._sockets)  # one that opens meanwhile is not looked at yet
            try:
                live = await run_in_threadpool(sessions.live, asked)
            except Exception as error:  # the database is away: nobody can do anything meanwhile
                log.warning("sessions cannot be looked at", error=type(error).__name__)
                continue
            for session_id in set(asked) - live:
                for gone in self._sockets.get(session_id, ()):
                    gone.set()


class _Ears:
    """A websocket's `receive` that ends with the session, and tells a person's acts from a page's own ticks."""

    def __init__(self, session_id: int, receive: Receive, send: Send, gone: asyncio.Event) -> None:
        self._session_id = session_id
        self._receive, self._send, self._gone = receive, send, gone
        self._noted_at = time.monotonic()

    async def __call__(self) -> Message:
        heard, ended = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._gone.wait())
        done, pending = await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
        for one in pending:
            one.cancel()
        if heard not in done:
            await self._send({"type": "websocket.close", "code": CLOSED})
            return {"type": "websocket.disconnect", "code": CLOSED}
        message = heard.result()
        if time.monotonic() - self._noted_at > MINUTE and _by_a_person(message):
            self._noted_at = time.monotonic()
            await run_in_threadpool(_note, self._session_id)
        return message


def _by_a_person(message: Message) -> bool:
    try:
        said = BackMsg.FromString(message.get("bytes") or b"")
    except Exception:  # nothing that Streamlit could read either
        return False
    return said.WhichOneof("type") == "rerun_script" and not said.rerun_script.is_auto_rerun


def _note(session_id: int) -> None:
    try:
        sessions.visited(session_id)
    except Exception as error:
        log.warning("a visit could not be noted", error=type(error).__name__)


async def _visit(scope: Scope) -> SignedIn | Response | None:
    secret = secret_of(scope)
    if secret is None:
        return None
    try:
        return await run_in_threadpool(sessions.check, secret)
    except Exception as error:
        log.warning("sessions cannot be looked at", error=type(error).__name__)
        return _answer(503, "The database cannot be reached. Try again in a moment; tasks that run go on.")


def secret_of(scope: Scope) -> str | None:
    """What the browser shows to be let in."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(cookie_name())
            except CookieError:
                continue
            if found is not None:
                return found.value[:200]
    return None


def _as(scope: Scope, visit: SignedIn) -> Scope:
    clean = _without_claims(scope)
    state = {**scope.get("state", {}), "signed_in": visit}
    return {**clean, "headers": [*clean["headers"], (HEADER, str(visit.id).encode())], "state": state}


def _without_claims(scope: Scope) -> Scope:
    return {**scope, "headers": [(n, v) for n, v in scope["headers"] if n.lower() != HEADER]}


def _refusal(scope: Scope) -> Response:
    """A page leads to the sign-in form; all else is refused in a sentence (as JSON, Streamlit shows it)."""
    accepts = dict(scope["headers"]).get(b"accept", b"")
    if scope["method"] == "GET" and b"text/html" in accepts and not scope["path"].startswith(("/_stcore", "/api")):
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse("/sign-in" + ("" if wanted == "/" else f"?next={quote(wanted, safe='')}"), 303)
    if scope["path"].startswith("/_stcore"):
        return JSONResponse(NOT_SIGNED_IN, 401, {"Cache-Control": "no-store"})
    return _answer(401, NOT_SIGNED_IN)


def _answer(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})
