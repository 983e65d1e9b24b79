"""HTTP beside the pages: health, figures for monitoring, stored files, exports. All under /api, all behind the gate."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from console import export_route, file_routes, output_route
from console.metrics import metrics
from services import audit, audit_export
from services.errors import Forbidden, NotFound, ServiceError
from services.sessions import SignedIn

_AUDIT = {"thing": "entity", "which": "entity_id", "by": "actor", "did": "verb"}


async def health(request: Request) -> Response:
    """Whether this console answers; open to everybody, so it says nothing else."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def audit_trail(request: Request) -> Response:
    """The audit trail as CSV, of what the parameters ask for."""
    visit: SignedIn = request.state.signed_in
    asked = {name: request.query_params.get(said) or None for said, name in _AUDIT.items()}
    asked["entity_id"] = asked["entity_id"] if asked["entity"] else None  # as the page has it
    name, chunks = await run_in_threadpool(_trail, visit, asked)
    headers = {"Content-Disposition": file_routes.disposition(name), "Cache-Control": "no-store"}
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)


def _trail(visit: SignedIn, asked: dict[str, Any]) -> tuple[str, Iterator[bytes]]:
    with audit.acting_as(visit.operator, ip=visit.ip, user_agent=visit.user_agent):
        name, chunks = audit_export.begin(**asked), audit_export.chunks(**asked)
        head = next(chunks)  # begins here, as who acts now
        return name, chain([head], chunks)


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
                Route("/artifacts/{id}", file_routes.artifact),
                Route("/artifacts/{id}/view", file_routes.view),
                Route("/audit.csv", audit_trail),
                Route("/metrics", metrics),
                Route("/tasks.{kind}", export_route.tasks),
                Route("/tasks/{id:int}/output", output_route.output),
            ],
            exception_handlers={ServiceError: _refused},
        ),
    )
]
