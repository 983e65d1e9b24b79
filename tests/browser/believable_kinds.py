"""Task types of a made-up company, for a ledger that looks like work; workers import them by ACTOR_MODULES."""

import random
import time
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from runtime import Run, actor

STEP_S = 0.25


@actor(queue="sync", retries=3, timeout=timedelta(minutes=30), estimate_s=240)
def sync_contacts(run: Run, source: Literal["crm", "mailbox", "events"] = "crm", since_days: int = 7) -> dict:
    """Bring the contacts of a source up to date."""
    return work(run, 960, f"{source}: page {{}} of 960")


@actor(queue="mail", retries=4, timeout=timedelta(minutes=5), estimate_s=45)
def send_digest(run: Run, to: str = "desk@example.org", edition: str = "weekly") -> dict:
    """Put the week together and send it."""
    return work(run, 240, "letter {} of 240")


@actor(queue="analysis", retries=2, timeout=timedelta(hours=1), estimate_s=300)
def score_leads(
    run: Run,
    model: Annotated[str, Field(description="Which version of the model scores.")] = "autumn",
    least: Annotated[float, Field(ge=0, le=1, description="Leads below this are left out.")] = 0.2,
) -> dict:
    """Score every open lead."""
    return work(run, 1_400, "lead {} of 1,400")


@actor(queue="media", retries=2, timeout=timedelta(minutes=10), estimate_s=90)
def resize_album(run: Run, album: str = "lisbon", width: int = 320) -> dict:
    """Make a thumbnail of every picture in an album."""
    return work(run, 400, "picture {} of 400")


@actor(queue="sync", retries=1)
def import_mailbox(run: Run, mailbox: str = "sales@example.org") -> dict:
    """Read a mailbox and file what is in it."""
    return work(run, 600, "message {} of 600")


def work(run: Run, steps: int, note: str) -> dict:
    """Steps of a quarter of a second, with progress, and now and then a line in the log."""
    lines = random.Random(run.task_id)
    for n in range(steps):
        time.sleep(STEP_S)
        run.progress(n + 1, steps, note.format(f"{n + 1:,}"))
        if lines.random() < 0.06:
            level = lines.choice(["debug", "info", "info", "info", "warning"])
            run.log(LINES[level].format(n + 1), level=level, batch=n // 20 + 1)
    return {"done": steps}


LINES = {
    "debug": "cursor moved to {}",
    "info": "{} so far, nothing unusual",
    "warning": "entry {} has no address; left as it was",
}
