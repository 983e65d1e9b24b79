"""When a schedule fires, in words: rules, countdowns, outcomes. What is returned as HTML holds no markup of others."""

from datetime import datetime
from zoneinfo import ZoneInfo

from console.ui import say
from models import Schedule, now
from services.schedules import Rule, Trouble, zones

TROUBLES = {
    Trouble.late: "late", Trouble.paused: "off by itself", Trouble.failing: "failing",
    Trouble.missed: "missed", Trouble.never: "never fires",
}  # fmt: skip


def zone(row: Schedule) -> ZoneInfo:
    """The schedule's zone; UTC where this machine knows no such zone any more."""
    return zones.zone(row.zone) if row.zone in zones.names() else ZoneInfo("UTC")


def rule(row: Schedule) -> str:
    """`At 06:00, Monday through Friday (Europe/Berlin)`; a rule that cannot be read any more is shown as it is."""
    try:
        return Rule.of(row).in_words()
    except Exception:  # of another version, or a zone that is gone
        return f"{row.cron or row.every_s} ({row.zone})"


def clock() -> str:
    """The ledger's time for the browser, which counts down by it; once on a page, in what is drawn anew each tick."""
    return f'<i data-now="{now().timestamp() * 1000:.0f}"></i>'


def countdown(moment: datetime) -> str:
    """`in 4 m 12 s`, counted by the browser; the page says the same again only where the moment is another."""
    return f'<span data-until="{moment.timestamp() * 1000:.0f}">{say.markup(on_the_minute(moment))}</span>'


def until(moment: datetime) -> str:
    """`in 4 m 12 s` as it is now, for places without a browser's help."""
    left = (moment - now()).total_seconds()
    if left >= 1:
        return f"in {say.duration(float(int(left))).replace('.0 s', ' s')}"
    return "due now" if left > -60 else f"due for {say.duration(-left)}"


def on_the_minute(moment: datetime, where: ZoneInfo | None = None) -> str:
    """`Mon 23 Nov, 06:00`, with seconds where there are some, and the year where it is another."""
    local = moment.astimezone(where or say.zone())
    seconds = f":{local:%S}" if local.second else ""
    year = f" {local.year}" if local.year != now().astimezone(local.tzinfo).year else ""
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}{seconds}"


def offset(moment: datetime, where: ZoneInfo) -> str:
    """`+02:00`."""
    return moment.astimezone(where).isoformat()[-6:]


def share(rate: float | None) -> str:
    """A success rate; never 100 % where something failed."""
    if rate is None:
        return "–"
    percent = 100 * rate
    return f"{percent:.0f} %" if percent in (0.0, 100.0) or 1 <= percent < 99 else f"{percent:.1f} %"
