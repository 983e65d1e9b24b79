"""What the doctor finds, and processes for it to count on."""

from datetime import timedelta

from sqlalchemy import insert

from models import now, tables, transaction
from services import doctor
from tests.services.doctor.harms import AGO


def at_work(kind: str, for_: timedelta = AGO, which: str = "a") -> None:
    row = {
        "name": f"{which} {kind}", "kind": kind, "host": "h", "pid": 1, "boot_id": "b", "types": [], "threads": 1,
        "busy": 0, "started_at": now() - for_, "last_beat_at": now() + AGO,
    }  # fmt: skip
    with transaction() as session:
        session.execute(insert(tables.workers).values(row))


def broken() -> dict[str, list[str]]:
    """What the doctor finds: the sentences of each rule that is broken."""
    return {r.check.name: [str(f) for f in r.findings] for r in doctor.examine(patience=0) if r.findings}
