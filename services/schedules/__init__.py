"""Recurring work: made and changed by persons and by code, fired by any number of schedulers.

when      rule: cron and intervals in a zone, as slots; made of cron, zones, walls
what      spec: all that a schedule says, checked; template, payloads: what a slot fills into the arguments
firing    due: the policies; firing: what is due becomes tasks, each slot once; launching, writing: in a few statements
after     following: how the runs ended, and pausing after failures; refreshing: when zones' rules have changed
acts      acts, switching, declaring, manual, backfilling; keeping: the rows behind a lock
asking    reads: of one; listing: of many; troubles: what is not as it should be; results: what runs came to
"""

from services.schedules.acts import create, update
from services.schedules.backfilling import Backfill, backfill, preview_backfill
from services.schedules.declaring import ensure
from services.schedules.firing import fire
from services.schedules.following import follow
from services.schedules.listing import Counts, State, counts, page
from services.schedules.manual import run_now
from services.schedules.reads import (
    FireView,
    Preview,
    Upcoming,
    drift,
    find,
    get,
    history,
    preview,
    upcoming,
    will_end,
)
from services.schedules.refreshing import refresh
from services.schedules.results import Latest, Output, latest, output, outputs
from services.schedules.rule import Rule, Slot
from services.schedules.switching import delete, disable, enable
from services.schedules.troubles import Trouble, attention, trouble

__all__ = [
    "Backfill", "Counts", "FireView", "Latest", "Output", "Preview", "Rule", "Slot", "State", "Trouble", "Upcoming",
    "attention", "backfill", "counts", "create", "delete", "disable", "drift", "enable", "ensure", "find", "fire",
    "follow", "get", "history", "latest", "output", "outputs", "page", "preview", "preview_backfill", "refresh",
    "run_now", "trouble", "upcoming", "update", "will_end",
]  # fmt: skip
