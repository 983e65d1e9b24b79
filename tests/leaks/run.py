"""One run on one database: start everything, let it warm up, sample it, and say what grew."""

import socket
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.table import Table

import settings as settings_module
from models import db
from runtime import ready, web
from services import schedules
from tests.leaks import kinds
from tests.leaks.load import EVERY_S, LOOK_EVERY_S, Looks, Steady, Work
from tests.leaks.measure import FIGURES, Watch, Watched
from tests.processes.bell import Valkey
from tests.processes.programs import Crew
from tests.services import kit
from tests.soak.storm import place
from tests.support import wait_until

SAMPLE_EVERY_S = 2.0
TELL_EVERY_S = 120.0
WARM_S = 135.0  # at least
REST_S = 60  # of the sessions of closed pages: as many begin to rest as end it, long before it is measured
terminal = Console(highlight=False, soft_wrap=True, width=132)


def leaks(database: str, minutes: float, seed: int) -> bool:
    """Run one; whether nothing grew."""
    with place(database, ACTOR_MODULES="tests.leaks.kinds", CODE_VERSION="leaks", LOG_LEVEL="warning") as (folder, _):
        crew = Crew(folder)
        try:
            with pytest.MonkeyPatch.context() as patch:
                watch, wrong = _watched(crew, patch, folder, 60 * minutes, seed)
        finally:
            crew.end()
    _show(database, watch)
    grown = [words for each in watch.lasting() for words in _grown(each, watch.hours)]
    for words in (*wrong, *grown):
        terminal.print(f"  [red]WRONG[/red] {words}")
    return not wrong and not grown


def _watched(crew: Crew, patch: pytest.MonkeyPatch, folder: Path, seconds: float, seed: int) -> tuple[Watch, list[str]]:
    valkey = Valkey(crew, folder)
    patch.setenv("REDIS_URL", valkey.url)
    patch.setenv("PORT", str(_free_port()))
    patch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", str(REST_S))
    valkey.start()
    settings_module.settings.cache_clear()
    started = {
        "workers": crew.supervised(1, 4).up(1),
        "scheduler": crew.start("scheduler", [sys.executable, "scheduler.py"]),
        "console": crew.start("console", web.argv()),
    }
    wait_until(ready.console_answers, timeout=60, what="the console's start")
    schedules.create("every minute", kinds.quick, cron="* * * * *")
    looks = Looks(f"http://127.0.0.1:{settings_module.settings().port}")
    steady = [Steady("work", Work(seed), EVERY_S), Steady("looks", looks, LOOK_EVERY_S)]
    watch = Watch({part: [psutil.Process(one.pid)] for part, one in started.items()})
    for each in steady:
        each.start()
    _sampled(watch, "warming up", max(WARM_S, min(600.0, seconds / 6)))
    watch.forget()
    _sampled(watch, "measuring", seconds)
    for each in steady:
        each.stop()
    said = ", ".join(f"{each.done:,} times {each.name}" for each in steady)
    ended = kit.count("finished_at IS NOT NULL")
    terminal.print(f"[bold]{db.engine().name}[/bold]: {said}; {ended:,} tasks have ended")
    wrong = [f"{part} has ended by itself:\n{one.said()[-1500:]}" for part, one in started.items() if not one.runs()]
    return watch, wrong + [words for each in steady for words in each.errors[:3]]


def _sampled(watch: Watch, what: str, seconds: float) -> None:
    began = told = time.monotonic()
    while (at := time.monotonic()) < began + seconds:
        watch.sample()
        if at - told >= TELL_EVERY_S:
            told = at
            terminal.print(f"{what}, {(at - began) / 60:.0f} of {seconds / 60:.0f} minutes, MB: {watch.memory()}")
        time.sleep(SAMPLE_EVERY_S)


def _grown(each: Watched, hours: float) -> list[str]:
    return [
        f"{each.part} ({each.process.pid}): {name} grow by {each.slope(name):,.1f} an hour, "
        f"more than {figure.allowed(hours):,.1f}"
        for name, figure in FIGURES.items()
        if each.slope(name) > figure.allowed(hours) and each.ends(name)[1] - each.ends(name)[0] > figure.noise / 2
    ]  # fmt: skip


def _show(database: str, watch: Watch) -> None:
    hours = watch.hours
    table = Table(title=f"{database}: first → last, and growth an hour over {60 * hours:.1f} minutes")
    table.add_column("Process")
    for name, figure in FIGURES.items():
        table.add_column(f"{name}\n(allowed {figure.allowed(hours):,.0f}/h)", justify="right")
    for each in watch.lasting():
        cells = []
        for name in FIGURES:
            first, last = each.ends(name)
            cells.append(f"{first:.0f} → {last:.0f}  {each.slope(name):+,.1f}/h")
        table.add_row(each.part, *cells)
    terminal.print(table)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
