"""`make health`: is all well? One line each for database, bell, workers and scheduler; exit code 0 or 1."""

import sys

from rich.console import Console
from rich.markup import escape

from models import migrate, now
from models.schema import HEAD
from services import bell, log, workers
from settings import settings

terminal = Console(highlight=False)


def main() -> int:
    """Print what there is; 0 when work can be done and is being scheduled."""
    log.configure()
    try:
        revision = migrate.current()
        alive = {kind: workers.alive(kind) for kind in ("worker", "scheduler")}
        fits = revision is not None and revision >= HEAD and not workers.too_old()
    except Exception as error:
        _line(False, "database", f"cannot be asked ({type(error).__name__}); see DATABASE_URL")
        return 1
    _line(fits, "database", f"at revision {revision}{_beside(revision, fits)}")
    heard = bell.is_heard()
    _line(heard, "bell", "heard" if heard else "away; workers look by themselves every second", fatal=False)
    for kind, processes in alive.items():
        since = [f"{w.name} beat {(now() - w.last_beat_at).total_seconds():.1f} s ago" for w in processes]
        _line(bool(processes), kind, f"{len(processes)} alive" + "".join(f"\n    {line}" for line in since))
    well = fits and all(alive.values())
    if not well:
        terminal.print(f"`make start` starts what is missing (lease {settings().lease_s:g} s).", style="dim")
    return 0 if well else 1


def _beside(revision: str | None, fits: bool) -> str:
    """How it stands to this code's revision; a newer release may have been here, and its floor decides then."""
    if revision is None or revision < HEAD:
        return f", wants {HEAD}"
    newer = f", newer than this code's {HEAD}" if revision > HEAD else ""
    return newer + ("" if fits else ", and this code must not be used with it any more")


def _line(well: bool, what: str, words: str, fatal: bool = True) -> None:
    mark = "[green]ok[/green]  " if well else "[red]bad[/red] " if fatal else "[yellow]away[/yellow]"
    terminal.print(f"{mark} {what:<10} {escape(words)}")


if __name__ == "__main__":
    sys.exit(main())
