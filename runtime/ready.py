"""Whether an installation is up: the console answers, a worker and a scheduler beat in the ledger."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from runtime import web
from runtime.program import NotStarted
from settings import settings

HEALTH = "/_stcore/health"


def wait_ready(timeout: float = 60.0, gone: Callable[[], bool] = lambda: False) -> None:
    """Wait until everything is up. Raises `NotStarted` after `timeout` seconds, or as soon as `gone()` says so."""
    deadline = time.monotonic() + timeout
    while what := missing():
        if gone() or time.monotonic() > deadline:
            raise NotStarted(f"{what} See the logs in {settings().var_dir / 'log'}.")
        time.sleep(0.1)


def missing() -> str | None:
    """What is not up, in a sentence; None where all is well."""
    if not console_answers():
        return f"The console does not answer on {web.url()}."
    for kind in ("worker", "scheduler"):
        if not beats(kind):
            return f"No {kind} has reported to the ledger."
    return None


def console_answers() -> bool:
    """Whether the console is served: a refusal is an answer, a server error is none."""
    try:
        with urllib.request.urlopen(web.url() + HEALTH, timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def beats(kind: str) -> bool:
    """Whether a process of this kind is alive in the ledger."""
    from services import workers

    return bool(workers.alive(kind))
