"""A ledger that looks like a day's work: told through the services, with the clock turned back."""

import random
from datetime import timedelta

import time_machine
from sqlalchemy import text

from models import Move, Operator, Role, Task, now, transaction
from services import catalog, folding, operators, queues, samples, tasks
from services.audit import acting_as
from services.lifecycle.claim import claim
from services.lifecycle.ending import Batch, Ending, end
from services.lifecycle.take import Claimed
from tests.browser import believable_kinds as kinds
from tests.services.kit import OUTCOMES

HOURS = 24
WORKERS = ("atlas-4120-1f3c9a", "atlas-4121-77d0be", "borea-881-c20e4f")
ERRORS = {
    "sync_contacts": ("ConnectionError", "the contacts service did not answer within 30 s"),
    "send_digest": ("SMTPRecipientsRefused", "550 no such mailbox: desk-{n}@example.org"),
    "score_leads": ("MemoryError", "1,4{n} MB asked for, 1,024 MB allowed"),
    "resize_album": ("GiveUp", "album 'porto-{n}' is empty"),
    "import_mailbox": ("ConnectionError", "imap.example.org: certificate has expired"),
}
FAILING = {"sync_contacts": 0.05, "send_digest": 0.03, "score_leads": 0.02, "resize_album": 0.04, "import_mailbox": 0.5}
TITLES = {
    "sync_contacts": ["Contacts from the CRM", "Contacts from events"],
    "send_digest": ["Weekly digest", "Morning digest", "Digest for Lisbon"],
    "score_leads": ["Score open leads", ""],
    "resize_album": ["Album Lisbon", "Album Porto", "Album Évora", ""],
    "import_mailbox": ["Mailbox of sales", "Mailbox of support"],
}
TRACEBACK = """Traceback (most recent call last):
  File "runtime/execution.py", line 71, in _run
    value = body(run, **arguments)
  File "actors/{type}.py", line 38, in {type}
    page = client.page(cursor, timeout=30)
  File "library/client.py", line 112, in page
    raise {error}("{words}")
{error}: {words}
"""

_chance = random.Random(41)


def people() -> dict[str, Operator]:
    """Who works here."""
    roles = {"ines": Role.admin, "tomas": Role.operator, "ruth": Role.member, "kofi": Role.viewer}
    made = {name: operators.create(name, role) for name, role in roles.items()}
    operators.disable(operators.create("old-intern", Role.member).id, reason="left in spring")
    return made


def history(people: dict[str, Operator], a_hour: int = 14) -> None:
    """What ended in the last day."""
    catalog.declare()
    start = now() - timedelta(hours=HOURS)
    for hour in range(HOURS):
        busy = a_hour if 7 <= (start + timedelta(hours=hour)).hour <= 19 else a_hour // 3
        with time_machine.travel(start + timedelta(hours=hour, minutes=1), tick=True):
            made = [_asked(people) for _ in range(_chance.randint(busy // 2, busy))]
        with time_machine.travel(start + timedelta(hours=hour, minutes=2 + len(made) % 7), tick=True):
            worker = _chance.choice(WORKERS)
            taken = claim(worker, [t.name for t in catalog.local().values()], None, 100, 600.0)
        for each in taken:
            _end(each, worker)


def sum_up() -> None:
    """Let charts show when it happened: the minutes they draw are of the database's clock, which nobody turned."""
    with transaction() as session:
        session.execute(text("UPDATE rollup_deltas SET minute = hour * 60 + 30 WHERE hour > 0"))
    while folding.fold():
        pass


def present(people: dict[str, Operator]) -> None:
    """What runs, waits, and is held now; a worker must be there to run it."""
    with acting_as(people["ines"], ip="10.0.0.7", user_agent="Firefox/150"):
        kinds.score_leads.with_options(title="Score open leads", priority=70, tags=["autumn"]).enqueue()
        kinds.sync_contacts.with_options(title="Contacts from the CRM").enqueue(source="crm")
        kinds.resize_album.with_options(title="Album Lisbon").enqueue(album="lisbon")
        for n in range(6):
            last = kinds.import_mailbox.with_options(title=f"Mailbox {n + 1} of 6", tags=["mail"]).enqueue()
        tasks.cancel(last.id, reason="Ruth reads this one by hand")
        kinds.send_digest.with_options(title="Weekly digest", run_at=now() + timedelta(hours=14)).enqueue()
        queues.pause("mail", "The mail server moves house until 18:00")
        kinds.send_digest.with_options(title="Digest for Lisbon").enqueue()
    family(people["ines"])


def family(owner: Operator) -> Task:
    """A tree of tasks that need one another; the last is returned."""
    with acting_as(owner):
        sources = [
            kinds.sync_contacts.with_options(title=f"Contacts: {source}", priority=20).enqueue(source=source)
            for source in ("crm", "mailbox", "events")
        ]
        scored = [
            kinds.score_leads.with_options(title=f"Score {model}", needs=sources, priority=20).enqueue(model=model)
            for model in ("autumn", "winter")
        ]
        return kinds.send_digest.with_options(title="What the scores say", needs=scored, priority=20).enqueue()


def sample(owner: Operator, timeout: float = 120) -> list[Task]:
    """The bundled chain, really run by a worker that is there."""
    with acting_as(owner):
        chain = samples.run({"return_path": "/"})
    return [tasks.wait(task.id, timeout=timeout) for task in chain]


def _asked(people: dict[str, Operator]) -> Task:
    name = _chance.choice(list(TITLES))
    who = people["ines"] if _chance.random() < 0.12 else people["ruth"]
    with acting_as(who):
        return tasks.enqueue(
            name, {}, title=_chance.choice(TITLES[name]), tags=["nightly"] if _chance.random() < 0.2 else []
        )


def _end(claimed: Claimed, worker: str) -> None:
    move = Move.fail if _chance.random() < FAILING[claimed.type] else Move.complete
    began = now() - timedelta(hours=HOURS) if claimed.queued_at is None else claimed.queued_at
    started = began + timedelta(seconds=_chance.uniform(0.3, 40))
    ended = started + timedelta(seconds=_chance.lognormvariate(3.2, 0.9))
    more: dict = {"result": '{"done": 960, "skipped": 12}'}
    if move is Move.fail:
        error, words = ERRORS[claimed.type]
        words = words.format(n=_chance.randint(10, 99))
        more = {
            "tried": True, "error_class": error, "error_text": words, "fingerprint": f"{claimed.type}-{error}".lower(),
            "traceback": TRACEBACK.format(type=claimed.type, error=error, words=words),
        }  # fmt: skip
    with transaction() as session, time_machine.travel(ended, tick=True):
        ending = Ending(
            claimed.id, claimed.epoch, claimed.type, claimed.queue, worker, move, OUTCOMES[move],
            ended, started_at=started, queued_at=claimed.queued_at, concurrency_key=claimed.concurrency_key, **more,
        )  # fmt: skip
        end(session, Batch([ending]))
