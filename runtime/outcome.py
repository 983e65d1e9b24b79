"""One function that maps how a body ended to what becomes of its task."""

import hashlib
import math
import random
import re
import traceback as tracebacks
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from models import Move, Outcome, now
from runtime.errors import Cancelled, ChildDied, Disowned, GiveUp, Retry, Stopping, TimedOut
from runtime.held import Held
from runtime.run import clean
from services import checks, secrecy
from services.errors import InvalidInput
from services.lifecycle.ending import Ending
from settings import settings

LONGEST_ERROR = 8_192
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 3600.0
LATEST_RETRY_S = 366 * 24 * 3600.0  # what a body may ask for
EXTRAS = (
    "engine",
    "engine_kind",
    "model",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "cost_micros",
    "cpu_s",
    "peak_rss",
)


def completed(held: Held, result: Any, worker: str, **extras: Any) -> Ending:
    """The body returned; a result that cannot be stored is a failure that no retry could help."""
    if result is None:
        return _ending(held, Move.complete, Outcome.completed, worker, extras)
    try:
        plain, written = storable(result)
    except GiveUp as unfit:
        return ended(held, unfit, worker, **extras)
    ending = _ending(held, Move.complete, Outcome.completed, worker, extras)
    ending.result = written
    ending.extras |= _engine(plain)
    return ending


def storable(result: Any) -> tuple[Any, str]:
    """A returned value as plain data and as JSON text. Raises `GiveUp`."""
    try:
        plain = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
        checks.plain_json(plain, "result")
        return plain, checks.dumped(plain, "result")
    except InvalidInput as unfit:
        raise GiveUp(f"the body's result is unfit: {unfit}") from None
    except Exception as error:  # a result may bring code of its own
        raise GiveUp(f"the body's result cannot be written: {type(error).__name__}: {words_of(error)}") from error


def ended(held: Held, error: BaseException, worker: str, **extras: Any) -> Ending:
    """The body raised, was interrupted, or died."""
    if isinstance(error, Cancelled):
        return _ending(held, Move.stop, Outcome.cancelled, worker, extras)
    if isinstance(error, Stopping | Disowned):  # a disowned one changes nothing: the fence refuses it
        return _ending(held, Move.hand_back, Outcome.handed_back, worker, extras)
    if isinstance(error, ChildDied):
        ending = _lost(held, worker, extras)
    else:
        ending = _failed(held, error, worker, extras)
    return _explained(ending, error)


def _failed(held: Held, error: BaseException, worker: str, extras: dict[str, Any]) -> Ending:
    tries = held.claimed.tries + 1
    if isinstance(error, GiveUp) or tries >= held.claimed.max_tries:
        ending = _ending(held, Move.fail, Outcome.failed, worker, extras)
    else:
        ending = _ending(held, Move.defer, Outcome.retried, worker, extras)
        ending.run_at = now() + timedelta(seconds=_pause_s(error, tries))
    ending.tried = True
    if isinstance(error, TimedOut):
        error.args = (f"took longer than its timeout of {held.claimed.timeout_s:g} s",)
    return ending


def _lost(held: Held, worker: str, extras: dict[str, Any]) -> Ending:
    last = held.claimed.losses + 1 >= settings().max_losses
    ending = _ending(held, Move.give_up if last else Move.rescue, Outcome.lost, worker, extras)
    ending.lost = True
    return ending


def _pause_s(error: BaseException, tries: int) -> float:
    if isinstance(error, Retry) and error.after_s is not None and not math.isnan(error.after_s):
        return min(max(0.0, error.after_s), LATEST_RETRY_S)
    # Exponential, with a tenth of chance so that what failed together does not come back together
    return min(FIRST_RETRY_S * 3 ** (tries - 1), LONGEST_RETRY_S) * random.uniform(0.9, 1.1)


def _ending(held: Held, move: Move, outcome: Outcome, worker: str, extras: dict[str, Any]) -> Ending:
    claimed = held.claimed
    return Ending(
        task_id=claimed.id, epoch=claimed.epoch, type=claimed.type, queue=claimed.queue, worker=worker, move=move,
        outcome=outcome, started_at=held.started_at, ended_at=now(), queued_at=claimed.queued_at,
        concurrency_key=claimed.concurrency_key, first=claimed.epoch == 1,
        cancel_seen_at=held.seen_at if held.order is Cancelled else None,
        forced=held.forced and move is not Move.complete, code_version=settings().version[:100],
        extras={k: v for k, v in extras.items() if k in EXTRAS and v is not None},
    )  # fmt: skip


def _explained(ending: Ending, error: BaseException) -> Ending:
    ending.error_class = type(error).__name__[:200]
    ending.error_text = secrecy.text(words_of(error))[:LONGEST_ERROR]
    ending.traceback = None if isinstance(error, ChildDied | TimedOut) else trace_of(error)
    ending.fingerprint = fingerprint(ending.type, ending.error_class, ending.error_text)
    return ending


def words_of(error: BaseException) -> str:
    """The error's message, also where its `__str__` fails or is endless."""
    try:
        said = str(error)
    except Exception:
        said = "(the error's own message could not be read)"
    return clean(said[:LONGEST_ERROR]) or type(error).__name__


def trace_of(error: BaseException) -> str:
    """The traceback without the values of variables: the body's part of it is what helps."""
    given = getattr(error, "child_traceback", None)
    if given is not None:
        return str(given)
    lines = tracebacks.format_tb(error.__traceback__)
    return clean("".join(lines)[-4 * LONGEST_ERROR :])


def fingerprint(type_name: str, error_class: str, words: str) -> str:
    """The same for errors that differ only in numbers, ids and quoted values."""
    normal = re.sub(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"", "#", words[:500])
    return hashlib.sha256(f"{type_name}\0{error_class}\0{normal}".encode()).hexdigest()[:16]


def _engine(result: Any) -> dict[str, Any]:
    """What a result says of the engine that made it, for the attempt's row."""
    if not isinstance(result, dict):
        return {}
    said = result.get("usage")
    usage = said if isinstance(said, dict) else {}
    found = {
        "engine": result.get("engine"), "engine_kind": result.get("engine_kind"), "model": usage.get("model"),
        "tokens_in": usage.get("input_tokens"), "tokens_out": usage.get("output_tokens"),
    }  # fmt: skip
    words = {k: v[: 20 if k == "engine_kind" else 100] for k, v in found.items() if isinstance(v, str)}
    return words | {k: v for k, v in found.items() if type(v) is int and 0 <= v < 2**31}
