"""All of what a run left, as text: a schedule's history unfolds it in place."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from console.ui import say
from services import audit, schedules
from services.sessions import SignedIn


async def output(request: Request) -> Response:
    """`/api/tasks/7/output`: its result as JSON, else its error."""
    visit: SignedIn = request.state.signed_in
    text = await run_in_threadpool(_text, visit, request.path_params["id"])
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-store"}
    return PlainTextResponse(text, headers=headers)


def _text(visit: SignedIn, task_id: int) -> str:
    with audit.acting_as(visit.operator, ip=visit.ip, user_agent=visit.user_agent):
        return say.visible(schedules.output(task_id))
