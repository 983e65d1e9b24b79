"""The routes by which people come in and leave: a form, a one-time link, the way out. No Streamlit in here."""

from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console import gate, headers
from services import audit, sessions
from services.errors import Forbidden
from services.sessions import TooManyTries

PAGE = (Path(__file__).parent / "static" / "sign_in.html").read_text()
LARGEST_FORM = 4_096
_hashing = anyio.CapacityLimiter(2)  # a password's check takes 64 MiB on purpose


async def form(request: Request) -> Response:
    """The sign-in form; or, with a one-time link's secret, the way in."""
    secret = request.query_params.get("link")
    after = _local(request.query_params.get("next", "/"))
    if secret is None or request.method == "HEAD":
        return _page(after=after)
    try:
        made = await anyio.to_thread.run_sync(sessions.redeem, secret[:200], *_whence(request))
    except Forbidden as refusal:
        return _page(str(refusal), after=after, status=403)
    # A page of our own that leads on: after a redirect, browsers hold back SameSite=Strict cookies
    return _let_in(request, HTMLResponse(f'<meta http-equiv="refresh" content="0; url={escape(after)}">'), made)


async def submit(request: Request) -> Response:
    """Name and password."""
    if not headers.same_origin(request.scope):
        return _page("This form was sent from another site.", status=403)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return _page("That is too much for a name and a password.", status=413)
    given = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    name, password, after = (given.get(field, "") for field in ("name", "password", "next"))
    try:
        made = await anyio.to_thread.run_sync(sessions.sign_in, name, password, *_whence(request), limiter=_hashing)
    except Forbidden as refusal:
        return _page(str(refusal), name, _local(after), 429 if isinstance(refusal, TooManyTries) else 401)
    return _let_in(request, RedirectResponse(_local(after), 303), made)


async def leave(request: Request) -> Response:
    """Sign out: the session ends, here and in every other tab of it."""
    secret = gate.secret_of(request.scope)
    if secret:
        await anyio.to_thread.run_sync(_end, secret)
    answer = RedirectResponse("/sign-in", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(gate.cookie_name(), path="/")
    return answer


routes = [
    Route("/sign-in", form, methods=["GET"]),
    Route("/sign-in", submit, methods=["POST"]),
    Route("/sign-out", leave, methods=["GET"]),  # the cookie is SameSite=Strict: no other site can ask for this
]


def _end(secret: str) -> None:
    found = sessions.check(secret)
    if found is not None:
        with audit.acting_as(found.operator, ip=found.ip, user_agent=found.user_agent):
            sessions.revoke(found.id, "sign out")


def _let_in(request: Request, answer: Response, secret: str) -> Response:
    answer.set_cookie(
        gate.cookie_name(), secret, max_age=int(sessions.LONGEST.total_seconds()), path="/", httponly=True,
        samesite="strict", secure=request.url.scheme == "https",
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(why: str = "", name: str = "", after: str = "/", status: int = 200) -> Response:
    shown = f'<p class="why" role="alert">{escape(why)}</p>' if why else ""
    page = PAGE.replace("{{next}}", escape(after)).replace("{{name}}", escape(name[:100])).replace("{{why}}", shown)
    return HTMLResponse(page, status, {"Cache-Control": "no-store"})


def _local(path: str) -> str:
    """A path of this console and nothing else, however it is written."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path[:1_000] if fine else "/"


def _whence(request: Request) -> tuple[str | None, str | None]:
    return request.client.host if request.client else None, request.headers.get("user-agent")
