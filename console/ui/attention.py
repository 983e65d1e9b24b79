"""What needs a person, the worst first: each a sentence and the page where its cure is."""

from dataclasses import dataclass

from console.reads import Overview
from console.ui import say
from models import Status

LONG_S = 300.0  # in line for so long on a queue that nobody stopped
FAILING, ENOUGH = 0.2, 5  # the share of failures that stands out, of so many endings at least


@dataclass(frozen=True)
class Alarm:
    """One thing that is not as it should be."""

    sentence: str
    page: str
    params: dict[str, str]
    grave: bool = False


def alarms(stand: Overview, waits_s: dict[str, float], failing: dict[str, tuple[int, int]]) -> list[Alarm]:
    """All there is; `waits_s` by queue, `failing` by type: (failed, ended) in the last hours."""
    live = stand.counts[Status.pending] + stand.counts[Status.queued] + stand.counts[Status.running]
    found = []
    if not stand.workers:
        words = f"No worker is alive: {say.many(live, 'task')} cannot go on." if live else "No worker is alive."
        found.append(Alarm(words, "workers", {}, grave=True))
    if not stand.schedulers:
        found.append(Alarm("No scheduler is alive: schedules do not fire, old tasks are not cleared.", "workers", {}))
    for queue in stand.queues:
        if queue.paused:
            words = f"Queue {queue.name} is paused with {say.many(queue.depth, 'task')} in line: {queue.pause_reason}"
            found.append(Alarm(words, "workers", {}))
        elif waits_s.get(queue.name, 0) > LONG_S and stand.workers:
            waited = say.duration(waits_s[queue.name])
            words = f"Queue {queue.name}: the oldest of {queue.depth:,} in line waits for {waited}."
            found.append(Alarm(words, "tasks", {"queue": queue.name, "status": "Queued"}))
    for name, (failed, ended) in failing.items():
        if ended >= ENOUGH and failed / ended >= FAILING:
            words = f"{name}: {failed:,} of {ended:,} failed in the last 24 hours."
            found.append(Alarm(words, "tasks", {"type": name, "status": "Failed"}, grave=failed == ended))
    return sorted(found, key=lambda alarm: not alarm.grave)
