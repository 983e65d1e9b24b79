"""What needs a person, the worst first: each a sentence, and the way to its cure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from console import asked
from console.figures import Stand
from console.ui import say, schedule_attention
from models import now
from services.attention import MOST_HELD, Held, Stuck, Trouble
from services.trends import TypeTrend

LONG_S = 300.0  # in line for so long on a queue that nobody stopped
FAILING, ENOUGH = 0.2, 5  # the share of failures that stands out, of so many endings at least
MOST = 8

TROUBLES = {
    Trouble.abandoned: "its worker lost it and nobody took it back",
    Trouble.overdue: "it is past its timeout",
    Trouble.deaf: "it was asked to stop and does not",
    Trouble.quiet: "it has told of no progress",
}


@dataclass(frozen=True)
class Alarm:
    """One thing that is not as it should be."""

    sentence: str
    page: str = "workers"
    params: dict[str, str] = field(default_factory=dict)
    grave: bool = False
    label: str = "Show"
    resume: str | None = None  # the queue that one click on the button would resume


def alarms(stand: Stand, types: Sequence[TypeTrend], span: str) -> list[Alarm]:
    """All there is, the worst first."""
    found = [*_processes(stand), *_queues(stand), *_stuck(stand.stuck), *_types(types, span)]
    for words, schedule_id, grave in schedule_attention.sentences(stand.schedules):
        if schedule_id is None:
            found.append(Alarm(words, "schedules", {"schedules_state": "Attention"}, grave))
        else:
            found.append(Alarm(words, "schedule", {"id": str(schedule_id)}, grave, "Open"))
    if stand.late is not None:
        late = say.duration((now() - stand.late).total_seconds())
        words = (
            f"Tasks whose time came {late} ago have not joined their line: neither worker nor scheduler moves them on."
        )
        found.append(Alarm(words, "tasks", {"status": "Pending"}, grave=True))
    if stand.held is not None:
        found.append(_held(stand.held))
    for name, many in stand.unknown:
        words = f"No live worker knows the type {name}: {say.many(many, 'task')} cannot start."
        found.append(Alarm(words, "tasks", {"type": name, "status": "Queued"}, grave=True))
    return sorted(found, key=lambda alarm: not alarm.grave)


def _processes(stand: Stand) -> list[Alarm]:
    found, processes = [], stand.processes
    if not processes.of("worker"):
        live = sum(queue.pending + queue.depth + queue.running for queue in stand.queues)
        words = f"No worker is alive: {say.many(live, 'task')} cannot go on." if live else "No worker is alive."
        found.append(Alarm(words, grave=True))
    if not processes.of("scheduler"):
        found.append(Alarm("No scheduler is alive: schedules do not fire, old tasks are not cleared."))
    for one in processes.silent[:3]:
        quiet = say.duration((now() - one.last_beat_at).total_seconds() // 1)
        words = f"{one.kind.capitalize()} {one.name} has not been heard of for {quiet}"
        its = say.many(one.busy, "task")
        words += f"; its {its} will run elsewhere when its lease is over." if one.busy else "."
        found.append(Alarm(words, grave=True))
    if processes.died:
        last = processes.died[0]
        many = say.many(len(processes.died), "process", "processes")
        words = (
            f"{many} died in the last 15 minutes, the last {say.ago(last.stopped_at)}: {last.name}, {last.stop_reason}."
        )
        found.append(Alarm(words))
    return found


def _queues(stand: Stand) -> list[Alarm]:
    found, unserved = [], dict(stand.unserved)
    for queue in stand.queues:
        waits_s = (now() - queue.oldest_queued_at).total_seconds() if queue.oldest_queued_at else 0.0
        if queue.paused:
            words = f"Queue {queue.name} is paused with {say.many(queue.depth, 'task')} in line: {queue.pause_reason}"
            found.append(Alarm(words, label="Resume", resume=queue.name))
        elif queue.name in unserved and stand.processes.of("worker"):
            words = f"No live worker serves queue {queue.name}: {say.many(queue.depth, 'task')} wait in vain."
            found.append(Alarm(words, "tasks", {"queue": queue.name, "status": "Queued"}, grave=True))
        elif waits_s > LONG_S and stand.processes.of("worker"):
            words = f"Queue {queue.name}: the oldest of {queue.depth:,} in line waits for {say.duration(waits_s)}."
            found.append(Alarm(words, "tasks", {"queue": queue.name, "status": "Queued"}))
    return found


def _stuck(stuck: Sequence[Stuck]) -> list[Alarm]:
    found = []
    for trouble, words in TROUBLES.items():
        those = [one for one in stuck if one.trouble is trouble]
        for one in those[:2]:
            since = say.duration((now() - one.since).total_seconds() // 1)
            sentence = f"Task #{one.task_id} ({one.type}) is stuck: {words}, for {since}."
            found.append(Alarm(sentence, "task", {"id": str(one.task_id)}, trouble is not Trouble.quiet, "Open"))
        if len(those) > 2:
            sentence = f"{say.many(len(those) - 2, 'more running task')}: {words}."
            found.append(Alarm(sentence, "tasks", {"status": "Running"}, trouble is not Trouble.quiet))
    return found


def _held(held: Held) -> Alarm:
    since = say.duration((now() - held.since).total_seconds() // 1)
    if held.many == 1:
        words = f"Task #{held.task_id} has been held for {since}: {held.reason}. Release or cancel it."
        return Alarm(words, "task", {"id": str(held.task_id)}, label="Open")
    many = f"{held.many:,}{'+' if held.many == MOST_HELD else ''}"
    words = f"{many} tasks are held until somebody releases or cancels them, the first for {since}: {held.reason}."
    return Alarm(words, "tasks", {"status": "Pending", "held": "true"})


def _types(types: Sequence[TypeTrend], span: str) -> list[Alarm]:
    found = []
    for one in types:
        if one.ended >= ENOUGH and (one.failure_rate or 0) >= FAILING:
            words = f"{one.name}: {one.failed:,} of {one.ended:,} endings failed in the last {span}."
            params = {"type": one.name, "status": "Failed", "ended": asked.ENDED_IN.format(span)}
            found.append(Alarm(words, "tasks", params, grave=one.failed == one.ended))
    return found
