"""Stored files over HTTP: to be downloaded, and, where their own bytes say what they are, to be seen in place."""

import re
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from models import Artifact, Role
from services import artifacts, audit, previews
from services.errors import NotFound
from services.sessions import SignedIn

# A browser's PDF viewer does not work in a sandbox; its own is around it already
VIEW_POLICY = (
    "sandbox; default-src 'none'; frame-ancestors 'none'",
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'",
)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]|[\"\\]")


async def artifact(request: Request) -> Response:
    """A stored file, always as a download: it is shown by nothing of ours."""
    visit: SignedIn = request.state.signed_in
    row, path = await run_in_threadpool(_file, visit, request.path_params["id"])
    return FileResponse(
        path,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(row.name),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-cache",
            "ETag": f'"{row.sha256}"',
        },
    )


async def view(request: Request) -> Response:
    """A picture or a PDF in place, under the type that its own bytes tell; nothing else is shown."""
    visit: SignedIn = request.state.signed_in
    row, path = await run_in_threadpool(_file, visit, request.path_params["id"])
    kind = await run_in_threadpool(_media_type, path)
    if kind is None or row.size > previews.LARGEST_SHOWN:
        return JSONResponse({"error": f"{row.name} is not shown in place; download it"}, 415)
    return FileResponse(
        path,
        media_type=kind,
        headers={
            "Content-Disposition": disposition(row.name).replace("attachment", "inline", 1),
            "Content-Security-Policy": VIEW_POLICY[kind == "application/pdf"],
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "private, no-cache",
            "ETag": f'"{row.sha256}"',
        },
    )


def disposition(name: str) -> str:
    """`Content-Disposition` of a download under this name, whatever is in it (RFC 6266)."""
    return f"attachment; filename=\"{_UNPRINTABLE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _file(visit: SignedIn, said: str) -> tuple[Artifact, str]:
    artifact_id = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else 0
    if not artifact_id:
        raise NotFound("there is no such file; its address ends in a number")
    with audit.acting_as(visit.operator, ip=visit.ip, user_agent=visit.user_agent):
        audit.require(Role.viewer)
        row = artifacts.visible(artifact_id)
        return row, str(artifacts.open_local(artifact_id))


def _media_type(path: str) -> str | None:
    with Path(path).open("rb") as file:
        return previews.media_type(file.read(32))
