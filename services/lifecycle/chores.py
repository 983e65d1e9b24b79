"""What every beat sees to, so that the ledger keeps moving with no scheduler alive: one look, then what is due."""

from collections.abc import Callable

from sqlalchemy import bindparam, text

from models import now, reading
from models.task import DUE, RUNNING
from services.lifecycle import rescue
from services.lifecycle.batch import WHEN
from services.lifecycle.needs import settle_rest
from services.lifecycle.release import release

LOOK = text(f"""
    SELECT EXISTS (SELECT 1 FROM tasks WHERE {DUE} AND run_at <= :now) AS due,
           EXISTS (SELECT 1 FROM tasks WHERE {RUNNING} AND lease_until < :now) AS lost,
           EXISTS (SELECT 1 FROM unsettled) AS unsettled
""").bindparams(bindparam("now", type_=WHEN))


def due() -> list[Callable[[], int]]:
    """Those of the chores that have something to do; each does one batch and returns how many."""
    with reading() as session:
        found = session.execute(LOOK, {"now": now()}).one()
    rescue.looked()
    chores = {release: found.due, rescue.rescue: found.lost, settle_rest: found.unsettled}
    return [chore for chore, needed in chores.items() if needed]
