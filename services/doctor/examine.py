"""All checks over one snapshot of the ledger, cheap enough for a million tasks: seconds, and told while they pass."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import TextClause, bindparam, select, text
from sqlmodel import Session

from models import now, tables
from models.db import engine, is_postgresql
from services.doctor import endings, keeping, moving, needs
from services.doctor.check import MOST, Check, Finding, Result, Tended
from services.lifecycle.batch import WHEN
from settings import settings

CHECKS: list[Check] = [*endings.CHECKS, *needs.CHECKS, *moving.CHECKS, *keeping.CHECKS]

SETTLED_IN = timedelta(seconds=10)  # what was started less long ago may still be catching up
CLOCKS_DIFFER_S = 2  # at most, between two hosts that follow the database's clock
PLUS = {  # an instant, so much later
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f', t.started_at, '+{CLOCKS_DIFFER_S} seconds') || '000'",
    "postgresql": f"t.started_at + interval '{CLOCKS_DIFFER_S} seconds'",
}

Told = Callable[[Result], None]


def examine(
    told: Told | None = None,
    waiting: Callable[[float], None] | None = None,
    patience: float = 1.0,
    checks: Iterable[Check] = CHECKS,
) -> list[Result]:
    """Every check's result, in order. `told` hears of each as it comes, `waiting` of a pause in seconds.

    What may be on its way is looked at twice, and told only if it was there both times; `patience` scales the pause
    between. Nothing is locked or written.
    """
    results = _look(checks, told)
    doubtful = [result for result in results if result.findings and result.check.patience_s]
    if doubtful:
        pause_s = patience * max(result.check.patience_s for result in doubtful)
        if waiting is not None:
            waiting(pause_s)
        time.sleep(pause_s)
        again = {result.check.name: result for result in _look([result.check for result in doubtful])}
        for result in doubtful:
            still = {finding.key for finding in again[result.check.name].findings}
            result.findings = [finding for finding in result.findings if finding.key in still]
    if told is not None:
        for result in doubtful:
            told(result)
    return results


def _look(checks: Iterable[Check], told: Told | None = None) -> list[Result]:
    """Ask all in one snapshot; what a second look is to confirm is not told yet."""
    results = []
    with snapshot() as session:
        nobody = _nobody(session)
        values = _values()
        for check in checks:
            began = time.monotonic()
            result = Result(check, skipped=nobody.get(check.tended))
            if result.skipped is None:
                result.findings = [Finding(check, row) for row in _ask(session, check, values)]
            result.took_s = time.monotonic() - began
            results.append(result)
            if told is not None and not (result.findings and check.patience_s):
                told(result)
    return results


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session that sees the ledger as it was at one moment, whatever happens meanwhile."""
    frozen = {"isolation_level": "REPEATABLE READ"} if is_postgresql() else {}
    with Session(engine(), expire_on_commit=False) as session:
        session.connection(execution_options={"readonly": True, **frozen})
        if is_postgresql():
            session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


def _ask(session: Session, check: Check, values: dict[str, Any]) -> Sequence[Any]:
    statement = _statement(check, is_postgresql())
    named = {name: value for name, value in values.items() if name in statement._bindparams}
    return session.execute(statement, {**named, "most": MOST}).all()


@cache
def _statement(check: Check, postgresql: bool) -> TextClause:
    plus = PLUS["postgresql" if postgresql else "sqlite"]
    query = text(f"SELECT * FROM ({check.query.replace('{plus}', plus)}) AS breaches LIMIT :most")
    times = [bindparam(name, type_=WHEN) for name in query._bindparams if name not in ("most", "max_losses")]
    return query.bindparams(*times)


def _values() -> dict[str, Any]:
    at, own = now(), settings()
    return {
        "now": at,
        "late": at - timedelta(seconds=5),
        "slow": at - timedelta(seconds=30),
        "lost": at - timedelta(seconds=2 * own.lease_s + 5),
        "kept": at - timedelta(days=own.keep_events_days),
        "max_losses": own.max_losses,
    }


def _nobody(session: Session) -> dict[Tended, str]:
    """Why some rules are not asked about: nobody is at work who keeps them, or has only just begun."""
    w, at = tables.workers.c, now()
    beats_since = at - timedelta(seconds=3 * settings().lease_s)
    alive = select(w.kind).where(w.stopped_at.is_(None), w.last_beat_at > beats_since, w.started_at < at - SETTLED_IN)
    kinds = set(session.execute(alive).scalars())
    found = {}
    if not kinds:
        found[Tended.by_anybody] = "no worker or scheduler has been at work for ten seconds"
    if "scheduler" not in kinds:
        found[Tended.by_scheduler] = "no scheduler has been at work for ten seconds"
    return found
