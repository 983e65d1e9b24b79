"""Follows the logs of the programs: shows in the terminal what a person should see, and keeps each from growing."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY_S = 0.5
MOST_BYTES = 20 * 2**20
WORTH_SEEING = {"warning", "error", "critical"}
PLAIN = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^[\w.]+(Error|Exception)\b")
HIDDEN = {"event", "level", "timestamp", "logger", "process", "pid", "exception"}


class Follower(threading.Thread):
    """Hands each line worth seeing that is added to one of the `logs` to `show(name of the log, line)`."""

    def __init__(self, logs: Iterable[Path], show: Callable[[str, str], None]) -> None:
        super().__init__(name="follower", daemon=True)
        self._show = show
        self._ended = threading.Event()
        self._seen = {log: log.stat().st_size if log.exists() else 0 for log in logs}

    def run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self.look()

    def finish(self) -> None:
        """Show what was still added, and end."""
        self._ended.set()
        if self.is_alive():
            self.join()
        self.look()

    def look(self) -> None:
        """Show what was added since the last look."""
        for log, seen in self._seen.items():
            size = log.stat().st_size if log.exists() else 0
            if size == seen:
                continue
            self._seen[log] = self._read(log, seen if size > seen else 0)
            if self._seen[log] > MOST_BYTES:
                cap(log)
                self._seen[log] = 0

    def _read(self, log: Path, start: int) -> int:
        """Show the complete lines from there on; where they end."""
        with log.open("rb") as file:
            file.seek(start)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                start += len(raw)
                if line := worth_seeing(raw.decode(errors="replace").rstrip()):
                    self._show(log.stem, line)
        return start


def worth_seeing(line: str) -> str | None:
    """The line as a person reads it, if it warns of something."""
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return line if PLAIN.search(line) else None
    if entry.get("level") not in WORTH_SEEING:
        return None
    fields = " ".join(f"{name}={value}" for name, value in entry.items() if name not in HIDDEN)
    last = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    return " ".join(part for part in (entry["level"] + ":", str(entry.get("event", "")), fields, last) if part)


def cap(log: Path) -> None:
    """Keep what the log holds as `….log.1` and begin it anew; its writer, which appends, goes on undisturbed."""
    shutil.copyfile(log, log.with_suffix(".log.1"))
    with log.open("r+b") as file:
        file.truncate(0)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for whoever asks what happened."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16 * 2**10))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
