"""Recurring work of the made-up company, with a day of fires behind it."""

from datetime import timedelta
from itertools import count

import time_machine

from models import Move, Operator, Status, now, reading, tables
from services import schedules
from services.audit import acting_as
from services.lifecycle.claim import claim
from tests.services.kit import finish

HOURS = 24
WORKER = "atlas-4120-1f3c9a"
TROUBLES = {
    "import_mailbox": ("ConnectionError", "imap.example.org: certificate has expired"),
    "sync_contacts": ("ConnectionError", "the contacts service did not answer within 30 s"),
}
FAILING = {"import_mailbox": 4, "sync_contacts": 9}  # every so many of its runs fails


def history(people: dict[str, Operator]) -> None:
    """Schedules made a day ago, and what became of their slots since, with an hour without a scheduler."""
    at = now()
    start = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) - timedelta(hours=HOURS)
    with time_machine.travel(start, tick=True):
        _make(people)
    n = count(1)
    for minute in range(15, HOURS * 60, 15):
        if 12 * 60 <= minute < 13 * 60 + 30:  # nobody fires
            continue
        with time_machine.travel(start + timedelta(minutes=minute, seconds=1), tick=True):
            while schedules.fire():
                pass
            taken = claim(WORKER, list(_types()), None, 100, 600.0)
        lasting = timedelta(seconds=20 + minute % 37)
        with time_machine.travel(start + timedelta(minutes=minute) + lasting, tick=True):
            for claimed in taken:
                every = FAILING.get(claimed.type)
                failed = every is not None and next(n) % every == 0
                finish(claimed, Move.fail if failed else Move.complete, worker=WORKER, **_came(claimed, failed))
            while schedules.follow():
                pass
    with acting_as(people["tomas"], ip="10.0.0.9", user_agent="Firefox/150"):
        schedules.disable(schedules.find("Album thumbnails").id, "The pictures move house until Monday")
        schedules.update(schedules.find("Contacts from the CRM").id, priority=80, reason="Before the quarter ends")


def _came(claimed, failed: bool) -> dict:
    began = claimed.queued_at + timedelta(milliseconds=40 + 7 * (claimed.id % 30))
    if failed:
        error, words = TROUBLES[claimed.type]
        fingerprint = f"{claimed.type}-{error}".lower()
        return {"started_at": began, "error_class": error, "error_text": words, "fingerprint": fingerprint}
    return {"started_at": began, "result": '{"done": 960, "skipped": 12, "source": "crm"}'}


def _types() -> set[str]:
    with reading() as session:
        waiting = session.execute(
            tables.tasks.select().with_only_columns(tables.tasks.c.type).where(tables.tasks.c.status == Status.queued)
        )
        return {kind for (kind,) in waiting}


def _make(people: dict[str, Operator]) -> None:
    with acting_as(people["ines"], ip="10.0.0.7", user_agent="Firefox/150"):
        schedules.create(
            "Mailboxes of sales", "import_mailbox", {"mailbox": "sales@example.org"}, cron="0,30 * * * *",
            zone="Europe/London", retries=0, pause_after=10, overlap="queue_one",
            description="Ask Ruth before moving it",
        )  # fmt: skip
        schedules.create(
            "Weekly digest", "send_digest", {"to": "desk@example.org", "edition": "weekly {{ slot }}"},
            cron="0 8 * * 1", zone="Europe/Lisbon", tags=["mail"],
        )  # fmt: skip
        schedules.create("Album thumbnails", "resize_album", {"album": "lisbon"}, every=timedelta(hours=4))
        schedules.create(
            "Score the leads of Tokyo", "score_leads", cron="0 */2 * * *", zone="Asia/Tokyo", overlap="allow", jitter=60
        )
    schedules.ensure(
        "Contacts from the CRM", "sync_contacts", {"source": "crm"}, cron="0 * * * *", zone="Europe/London",
        missed="skip",
    )  # fmt: skip
