"""Recurring work: made and changed by persons and by code, fired by any number of schedulers.

rule        when: cron and intervals in a zone, as slots        due         which of the due slots run: the policies
cron, zones, walls   what the rule is made of                   firing      what is due becomes tasks, each slot once
template    what a slot may fill into the payload               following   how the runs ended; pausing after failures
spec        all that a schedule says, checked                   refreshing  next slots, when zones' rules have changed
acts, declaring, manual, backfilling   what may be done         reads       what may be asked of one
listing     what may be asked of many                   troubles    what is not as it should be
results     what runs came to
"""

from services.schedules.acts import create, delete, disable, enable, update
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
from services.schedules.results import Latest, Output, latest, outputs
from services.schedules.rule import Rule, Slot
from services.schedules.troubles import Trouble, attention, trouble

__all__ = [
    "Backfill", "Counts", "FireView", "Latest", "Output", "Preview", "Rule", "Slot", "State", "Trouble", "Upcoming",
    "attention", "backfill", "counts", "create", "delete", "disable", "drift", "enable", "ensure", "find", "fire",
    "follow", "get", "history", "latest", "outputs", "page", "preview", "preview_backfill", "refresh", "run_now",
    "trouble", "upcoming", "update", "will_end",
]  # fmt: skip
