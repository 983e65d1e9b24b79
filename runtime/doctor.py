"""`make doctor`: does the ledger keep its own rules? Says what is wrong, with ids; `--repair` mends what is safe.

Exit code 0: all is sound. 1: something is wrong (and, with `--repair`, still is). 2: the ledger could not be looked at.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DatabaseError

from models import connect, migrate
from models.schema import HEAD
from services import doctor, log
from services.audit import Actor, acting

SOUND, WRONG, BLIND = 0, 1, 2
MOST_SHOWN = 10  # of one rule; `--all` shows a thousand

terminal = Console(highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, say what is wrong, and mend it if asked to; the exit code."""
    options = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    options.add_argument("--repair", action="store_true", help="mend what is safe to mend; each repair is an event")
    options.add_argument("--all", action="store_true", help="show up to a thousand breaches of a rule instead of ten")
    given = options.parse_args(arguments)
    log.configure()
    try:
        revision = migrate.current()
        if revision != HEAD:
            remedy = "use the newer release" if revision is not None and revision > HEAD else "`make migrate`"
            return _blind(f"its schema is at revision {revision}, and this code wants {HEAD}: {remedy}")
        return _run(given.repair, MOST_SHOWN if not given.all else doctor.MOST)
    except connect.UnsafeSqlite as refusal:
        return _blind(str(refusal))
    except DatabaseError as error:
        return _blind(f"{type(error).__name__}: {migrate.first_line(error)}; see DATABASE_URL and VAR_DIR")


def _run(repair: bool, most: int) -> int:
    began = time.monotonic()
    results = doctor.examine(lambda result: _tell(result, most), _tell_pause)
    if repair and any(result.findings for result in results):
        with acting(Actor("system", "doctor")):
            results = doctor.repair_all(_tell_repair)
        for result in results:
            if result.findings:
                _tell(result, most)
    wrong = [result for result in results if result.findings]
    took = f"{time.monotonic() - began:.1f} s"
    if not wrong:
        terminal.print(f"[green]The ledger is sound[/green]: {len(results)} rules looked at in {took}.")
        return SOUND
    terminal.print(f"[red]The ledger breaks {len(wrong)} of {len(results)} rules[/red] (looked at in {took}).")
    if not repair and any(result.check.mend for result in wrong):
        terminal.print("`make doctor REPAIR=1` mends what is marked as mendable.", style="dim")
    if repair:
        terminal.print("What is left cannot be worked out from the ledger: it takes a person to decide.", style="dim")
    return WRONG


def _tell(result: doctor.Result, most: int) -> None:
    check, n = result.check, len(result.findings)
    if result.skipped is not None:
        terminal.print(f"[dim]-    {escape(check.rule)}: not asked, as {result.skipped}[/dim]")
        return
    if result.sound:
        terminal.print(f"[green]ok[/green]   {escape(check.rule)} [dim]{result.took_s:.1f} s[/dim]")
        return
    how_many = f"{n:,} or more" if result.more else f"{n:,}"
    mendable = ", mendable" if check.mend is not None else ""
    terminal.print(f"[red]bad[/red]  {escape(check.rule)}: {how_many} broken{mendable} [dim]({check.name})[/dim]")
    for finding in result.findings[:most]:
        terminal.print(f"     • {escape(str(finding))}")
    if n > most:
        terminal.print(f"     … and {n - most:,} more: `--all` shows them", style="dim")


def _tell_pause(seconds: float) -> None:
    terminal.print(f"[dim]     looking once more in {seconds:.0f} s at what may have been on its way …[/dim]")


def _tell_repair(result: doctor.Result, done: int) -> None:
    terminal.print(f"[yellow]mended[/yellow]  {escape(result.check.rule)}: {done:,}")


def _blind(why: str) -> int:
    print(f"The ledger cannot be looked at: {why}.", file=sys.stderr)
    return BLIND


if __name__ == "__main__":
    sys.exit(main())
