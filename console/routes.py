"""HTTP beside the pages: health, figures for monitoring, stored files. All under /api, all behind the gate."""

import re
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from models import Artifact, Role
from services import artifacts, audit, previews, queues, stats, workers
from services.errors import Forbidden, NotFound, ServiceError
from services.sessions import SignedIn

# A browser's PDF viewer does not work in a sandbox; its own is around it already
VIEW_POLICY = (
    "sandbox; default-src 'none'; frame-ancestors 'none'",
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'",
)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]|[\"\\]")


async def health(request: Request) -> Response:
    """Whether this console answers; open to everybody, so it says nothing else."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


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


async def metrics(request: Request) -> Response:
    """Figures in Prometheus's text format."""
    text = await run_in_threadpool(_figures)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4", headers={"Cache-Control": "no-store"})


def _refused(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, NotFound) else 403 if isinstance(error, Forbidden) else 400
    return JSONResponse({"error": str(error)}, status, {"Cache-Control": "no-store"})


# Mounted, so that an unknown path below it is a 404 and not a page
routes = [
    Mount(
        "/api",
        Starlette(
            routes=[
                Route("/health", health),
                Route("/artifacts/{id:int}", artifact),
                Route("/artifacts/{id:int}/view", view),
                Route("/metrics", metrics),
            ],
            exception_handlers={ServiceError: _refused},
        ),
    )
]


def disposition(name: str) -> str:
    """`Content-Disposition` of a download under this name, whatever is in it (RFC 6266)."""
    return f"attachment; filename=\"{_UNPRINTABLE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _file(visit: SignedIn, artifact_id: int) -> tuple[Artifact, str]:
    with audit.acting_as(visit.operator, ip=visit.ip, user_agent=visit.user_agent):
        audit.require(Role.viewer)
        row = artifacts.visible(artifact_id)
        return row, str(artifacts.open_local(artifact_id))


def _media_type(path: str) -> str | None:
    with Path(path).open("rb") as file:
        return previews.media_type(file.read(32))


def _figures() -> str:
    lines = ["# HELP callboard_tasks Tasks in each status now.", "# TYPE callboard_tasks gauge"]
    lines += [f'callboard_tasks{{status="{status}"}} {n}' for status, n in stats.by_status().items()]
    lines += [
        "# HELP callboard_queue_depth Tasks in line for a worker.",
        "# TYPE callboard_queue_depth gauge",
    ]
    lines += [f'callboard_queue_depth{{queue="{_label(q.name)}"}} {q.depth}' for q in queues.list_queues()]
    lines += ["# HELP callboard_workers Worker processes that beat.", "# TYPE callboard_workers gauge"]
    lines += [f"callboard_workers {len(workers.alive())}", ""]
    return "\n".join(lines)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
