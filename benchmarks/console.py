"""What the console costs over a large ledger: `python -m benchmarks.console` (see `--help`).

Every page's script run and live tick in CPU milliseconds of its thread, medians of 20, in a real web process that is
asked by websocket as a browser asks; the share of one core that 50 open pages take which tick every 5 seconds; and each
question at 10,000 tasks against 1,000,000. Ledgers are made where there are none (see `benchmarks.ledger`): in SQLite,
or with `--db postgresql` in a PostgreSQL of their own.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.console_client import Tab
from benchmarks.console_ledgers import Ledger, ledgers
from benchmarks.console_questions import milliseconds

PAGES = ("", "tasks", "task", "run", "schedules", "schedule", "errors", "workers", "audit", "settings", "inbox")
RUNS = 20
PAGE_MS, TICK_MS = 150, 40  # the bar
SESSIONS, EVERY_S, WATCHED_S = 50, 5.0, 60.0


@contextmanager
def served(ledger: Ledger, notes: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A web process over this ledger: its address, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["-m", "benchmarks.console_probe", "run", "console/asgi.py", "--server.address", "127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, *command, "--server.port", str(port)],
        env={**ledger.environment(port), "CONSOLE_PROBE": str(notes)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _answers(base):
            if time.monotonic() > deadline:
                raise SystemExit("The console did not start.")
            time.sleep(0.2)
        yield base, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/api/health", timeout=2).ok
    except requests.RequestException:
        return False


def signed_in(base: str, ledger: Ledger) -> str:
    """The cookie of an admin's session."""
    code = "from services import sessions; print(sessions.link())"
    port = int(base.rsplit(":", 1)[1])
    done = subprocess.run(
        [sys.executable, "-c", code], env=ledger.environment(port), capture_output=True, text=True, check=True
    )  # fmt: skip
    browser = requests.Session()
    browser.get(f"{base}/sign-in", params={"link": done.stdout.split()[-1]}, timeout=30)
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


async def pages(base: str, cookie: str, notes: Path, task: int) -> dict[str, dict[str, Any]]:
    """Each page by itself: CPU of a whole run, of a tick of its costliest live part, and of one of each."""
    figures = {}
    for page in PAGES:
        tab = Tab(base, cookie, page, {"task": f"id={task}", "schedule": "id=1"}.get(page, ""))
        await tab.open()
        if tab.broken:
            print(f"{page}: left out, {tab.broken}", file=sys.stderr)
            await tab.close()
            continue
        for _ in range(3):  # what is imported, planned and cached for the first time
            await tab.run()
        full = await _clocked(tab.run, notes)
        tick = await _clocked(tab.tick, notes) if tab.fragments else []
        parts = [_median(list(one)) or 0.0 for one in zip(*tick, strict=False)]  # each has its own clock in a browser
        figures[page or "overview"] = {
            "run_cpu_ms": _median([sum(run) for run in full]), "tick_cpu_ms": max(parts, default=None),
            "all_ticks_cpu_ms": round(sum(parts), 1), "live_parts": len(tab.fragments),
        }  # fmt: skip
        print(f"{page or 'overview':10} {figures[page or 'overview']}", file=sys.stderr)
        await tab.close()
    return figures


async def _clocked(act: Any, notes: Path) -> list[list[float]]:
    """CPU milliseconds of each of some acts: of every script run that it led to, in their order."""
    spent = []
    for _ in range(RUNS):
        before = _noted(notes)
        await act()
        await asyncio.sleep(0.1)  # the note is written after the last message
        spent.append([line["cpu_ms"] for line in _noted(notes)[len(before) :]])
        await asyncio.sleep(0.15)
    return spent


def _noted(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None


async def crowd(base: str, cookie: str, process: psutil.Process, page: str = "") -> dict[str, Any]:
    """Many open pages that tick; the share of one core that the web process takes, and how long a tick takes."""
    tabs = [await Tab(base, cookie, page).open() for _ in range(SESSIONS)]
    took: list[float] = []
    until = time.monotonic() + WATCHED_S + EVERY_S

    async def live(n: int, tab: Tab) -> None:
        await asyncio.sleep(EVERY_S * n / len(tabs))
        while time.monotonic() < until:
            began = time.monotonic()
            await tab.tick()
            took.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))

    going = [asyncio.create_task(live(n, tab)) for n, tab in enumerate(tabs)]
    await asyncio.sleep(EVERY_S)
    before, at, first = process.cpu_times(), time.monotonic(), len(took)
    await asyncio.sleep(WATCHED_S)
    after, seconds = process.cpu_times(), time.monotonic() - at
    ticks = took[first:]
    await asyncio.gather(*going)
    for tab in tabs:
        await tab.close()
    cpu = after.user + after.system - before.user - before.system
    return {
        "sessions": SESSIONS, "every_s": EVERY_S, "share_of_one_core": round(cpu / seconds, 3),
        "ticks_per_s": round(len(ticks) / seconds, 2), "tick_wall_p50_s": round(statistics.median(ticks), 3),
        "tick_wall_p95_s": round(statistics.quantiles(ticks, n=20)[-1], 3),
        "rss_mb": process.memory_info().rss // 10**6,
    }  # fmt: skip


def _asked(ledger: Ledger) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.console", "--questions"], env=ledger.environment(), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print, save."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--ledgers", type=Path, default=Path("var/bench"), help="folder of the ledgers; default: var/bench"
    )
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--large", type=int, default=1_000_000)
    options.add_argument("--small", type=int, default=10_000)
    options.add_argument("--no-crowd", action="store_true", help="leave out the 50 sessions")
    options.add_argument("--questions", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.questions:
        print(json.dumps(milliseconds()))
        return
    folder = given.ledgers.absolute()
    with ledgers(folder, given.db, (given.large, given.small)) as (large, small):
        load = os.getloadavg()
        figures: dict[str, Any] = {"pages": {}, "crowd": None}
        notes = folder / "probe.jsonl"
        notes.unlink(missing_ok=True)
        with served(large, notes) as (base, process):
            cookie = signed_in(base, large)
            figures["pages"] = asyncio.run(pages(base, cookie, notes, given.large // 2))
            if not given.no_crowd:
                figures["crowd"] = asyncio.run(crowd(base, cookie, process))
                print(figures["crowd"], file=sys.stderr)
        few, many = _asked(small), _asked(large)
    figures["questions_ms"] = {q: {str(given.small): few[q], str(given.large): many[q]} for q in few}
    _report(figures, load, given)


def _report(figures: dict[str, Any], load: tuple[float, float, float], given: argparse.Namespace) -> None:
    print(f"| page | run, CPU ms (bar {PAGE_MS}) | tick, CPU ms (bar {TICK_MS}) | all live parts |\n|---|---|---|---|")
    for page, found in figures["pages"].items():
        print(
            f"| {page} | {found['run_cpu_ms']} | {found['tick_cpu_ms'] or '–'} | {found['all_ticks_cpu_ms'] or '–'} |"
        )
    for question, found in figures["questions_ms"].items():
        print(f"{question:28} {' ms, '.join(map(str, found.values()))} ms")
    machine = {
        "cores": os.cpu_count(), "python": platform.python_version(), "load_before": [round(n, 2) for n in load],
        "load_after": [round(n, 2) for n in os.getloadavg()], "database": given.db, "tasks": given.large,
    }  # fmt: skip
    name = "console" if given.db == "sqlite" else f"console-{given.db}"
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
