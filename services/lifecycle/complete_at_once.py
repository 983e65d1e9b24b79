"""The usual batch in one statement: attempts that completed, all of which still own their tasks.

On PostgreSQL, where each round trip of a busy process waits for its interpreter, too. It changes nothing where one of
the attempts owns its task no more, or is to stop: then each is looked at by itself (see `ending`).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, func, select
from sqlmodel import Session

from services.lifecycle import landing
from services.lifecycle.batch import given, listed, per_database
from services.lifecycle.counts import counting


def complete_at_once(
    session: Session, attempts: Collection[tuple[int, int]], rows: str, bodies: str | None, deltas: str
) -> bool:
    """Lock, complete, write and count; whether that was done.

    `attempts`: (task id, epoch) each; the others are packed as the steps of `ending` take them.
    """
    ids = listed([task_id for task_id, _ in attempts])
    values = {"ids": ids, "many": len(attempts), "given": rows, "bodies": bodies, "deltas": deltas}
    return bool(session.execute(_statement(bodies is not None), values).scalar_one())


@per_database
def _statement(with_bodies: bool) -> Any:
    ended = select(*given({"id": BigInteger(), **landing.PLAIN_COLUMNS}).c).cte("ended")
    owned = landing.running().cte("owned")
    own = owned.join(ended, and_(*(owned.c[name] == ended.c[name] for name in ("id", "epoch", "worker"))))
    all_ours = (func.count() == bindparam("many")) & ~func.coalesce(func.bool_or(owned.c.stops), False)
    answer = select(all_ours.label("all_ours")).select_from(own).cte("answer")
    ours = select(answer.c.all_ours).scalar_subquery()
    steps = {
        "completed": landing.completion(ended.c).where(ours),
        "told": landing.attempts_from(select(*ended.c).where(ours), landing.PLAIN_COLUMNS),
        "counted": counting("deltas", ours),
    }
    if with_bodies:
        steps["filled"] = landing.fill_bodies("bodies").where(ours)
    return select(answer.c.all_ours).add_cte(*(step.cte(name) for name, step in steps.items()))
