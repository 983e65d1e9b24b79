"""The export of the task list: a file that is written while it is sent."""

from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console import asked
from services import audit, export
from services.errors import NotFound
from services.export import Format
from services.sessions import SignedIn
from services.task_filter import TaskFilter


async def tasks(request: Request) -> Response:
    """`/api/tasks.csv?status=Failed`, `/api/tasks.jsonl`: at most 100,000 rows, the newest."""
    visit: SignedIn = request.state.signed_in
    kind = _format(request.path_params["kind"])
    wanted = await run_in_threadpool(asked.task_filter, asked.of_address(request.query_params.multi_items()))
    name, rows = await run_in_threadpool(_begun, visit, wanted, kind)
    return StreamingResponse(
        rows,
        media_type=export.MEDIA_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "no-store",
        },
    )


def _format(said: str) -> Format:
    if said not in list(Format):
        raise NotFound(f"there is no export as {said[:20]!r}; choose {' or '.join(Format)}")
    return Format(said)


def _begun(visit: SignedIn, wanted: TaskFilter, kind: Format) -> tuple[str, Iterator[bytes]]:
    """Everything that may be refused comes before the first byte."""
    with audit.acting_as(visit.operator, ip=visit.ip, user_agent=visit.user_agent):
        name = export.begin(wanted, kind)
        rows = export.chunks(wanted, kind)
        first = next(rows, b"")
    return name, _after(first, rows)


def _after(first: bytes, rows: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rows
