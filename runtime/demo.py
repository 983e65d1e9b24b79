"""`make demo`: real work on real data, watched from a terminal.

A chain of three tasks (analyse, simulate, report) on a bundled sample of 2,000 made-up deals, or on your own file.
Where no Callboard runs here yet, one is started for the demonstration and stopped after it.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from models import Status, Task
from runtime import instance
from runtime.program import NotStarted
from runtime.ready import beats
from services import artifacts, log, samples, tasks
from services.errors import ServiceError
from settings import ROOT, settings

START_S = 90.0
PATIENCE_S = 600.0

terminal = Console(highlight=False)


def main() -> int:
    """Run the demonstration; 0 when all three tasks completed."""
    options = argparse.ArgumentParser(prog="make demo", description="A chain of three tasks on a file of deals.")
    options.add_argument("--data", type=Path, default=samples.DEALS, help="a CSV or Parquet file of deals")
    options.add_argument("--lookup", type=Path, help="a CSV file with the names of your products")
    given = options.parse_args()
    lookup = given.lookup or (samples.PRODUCTS if given.data == samples.DEALS else None)
    for file in filter(None, (given.data, lookup)):
        if not file.is_file():
            terminal.print(
                f"There is no file {escape(str(file))}: give DATA=path.csv, and LOOKUP=products.csv.", style="red"
            )
            return 1
    log.configure()
    os.umask(0o077)
    try:
        with _installation():
            title = f"Pipeline review: {given.data.stem.replace('_', ' ')}"[:200]
            return _show(samples.chain(given.data, lookup, title))
    except (NotStarted, ServiceError, TimeoutError) as refusal:
        terminal.print(escape(str(refusal)), style="red")
        return 1


@contextmanager
def _installation() -> Iterator[None]:
    """The Callboard that runs here, else one of our own for as long as this takes."""
    if instance.running():
        terminal.print("Using the Callboard that runs here.", style="dim")
        yield
        return
    terminal.print("Starting Callboard for the demonstration …", style="dim")
    environment = {**os.environ, "PORT": str(_free_port(settings().port))}
    said = settings().var_dir.absolute() / "log" / "demo.log"
    said.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with said.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "runtime.start"], env=environment, cwd=ROOT, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for_worker(child, said)
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


def _wait_for_worker(child: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        with suppress(SQLAlchemyError):  # the ledger is being made just now
            if beats("worker"):
                return
        if child.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(f"Callboard could not be started:\n{said.read_text(errors='replace').strip()}")
        time.sleep(0.1)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _show(chain: list[Task]) -> int:
    ended = _watch([task.id for task in chain if task.id is not None])
    for task in ended:
        if task.status is not Status.completed:
            why = task.error or task.cancel_reason or task.status.value
            terminal.print(f"#{task.id} {task.type} {task.status.value}: {escape(why)}", style="red")
    if any(task.status is not Status.completed for task in ended):
        return 1
    analysed, simulated, report = (task.result for task in ended)
    _print_findings(analysed)
    _print_simulation(simulated)
    _print_report(report)
    return 0


def _watch(ids: list[int]) -> list[Task]:
    """Progress bars until all have ended."""
    columns = (
        TextColumn("{task.fields[id]} {task.description:<24}"), BarColumn(30), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), TextColumn("{task.fields[note]}", style="dim"),
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_S
    with Progress(*columns, console=terminal) as bars:
        shown = {i: bars.add_task("", total=100, id=f"#{i}", note="", start=False) for i in ids}
        while True:
            current = [tasks.get(i) for i in ids]
            for task in current:
                _draw(bars, shown[task.id or 0], task)
            if all(task.finished for task in current):
                return current
            if time.monotonic() > deadline:
                raise TimeoutError(f"the tasks have not ended within {PATIENCE_S:g} s; they go on without us")
            time.sleep(0.1)


def _draw(bars: Progress, bar: Any, task: Task) -> None:
    if task.started_at is not None:
        bars.start_task(bar)
    if task.finished:
        note = task.status.value
        bars.stop_task(bar)
    else:
        note = task.waiting_for or task.progress_note or task.status.value
    done = 100 if task.status is Status.completed else task.progress_percent or 0
    bars.update(bar, description=escape(task.title or task.type), completed=done, note=escape(note)[:60])


def _print_findings(result: dict[str, Any]) -> None:
    terminal.print(
        f"\n[bold]{result['analysed_count']:,} deals analysed[/bold], {result['rejected_rows']:,} rows rejected"
    )
    for finding in result["findings"]:
        terminal.print(f"  • {escape(finding)}")
    for issue in result["quality"]["issues"]:
        terminal.print(f"  [yellow]{issue['action']}[/yellow]  {escape(issue['sentence'])}")
    _print_warnings(result)


def _print_simulation(result: dict[str, Any]) -> None:
    terminal.print(f"\n[bold]The next {result['horizon_days']} days[/bold], {escape(result['basis'])}")
    table = Table("Scenario", *(("P10", "P50", "P90", "Mean", "± se", "Against base")), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in result["rows"]:
        amounts = [f"{row[name]:,.0f}" for name in ("p10", "p50", "p90", "mean", "se")]
        table.add_row(escape(row["name"]), *amounts, f"{row['delta_vs_base']:+,.0f}")
    terminal.print(table)
    _print_warnings(result)


def _print_warnings(result: dict[str, Any]) -> None:
    for warning in result["warnings"]:
        terminal.print(f"  [yellow]note[/yellow]  {escape(warning)}")


def _print_report(result: dict[str, Any]) -> None:
    """Copies under the reports' own names: the store knows them by number."""
    folder = settings().var_dir.absolute() / "reports"
    folder.mkdir(mode=0o700, exist_ok=True)
    terminal.print(
        f"\n[bold]The report[/bold]: {result['pages']} pages, {result['slides']} slides ({result['engine']})"
    )
    for made in result["artifacts"]:
        copy = folder / made["name"]
        shutil.copyfile(artifacts.open_local(made["id"]), copy)
        terminal.print(f"  {copy}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
