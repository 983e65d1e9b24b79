"""A worker is light until it has heavy work; the console and the scheduler know nothing of actors."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "pandas", "duckdb", "scipy", "reportlab", "pptx", "streamlit", "pyarrow", "alembic", "lxml", "PIL"}


@cache
def loaded_by(statement: str) -> set[str]:
    """The top-level modules that are there after a statement, in a fresh process."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import actors", "import runtime.worker_process", "import scheduler"])
def test_importing_it_loads_nothing_heavy(statement):
    assert not loaded_by(statement) & HEAVY


def test_the_scheduler_does_not_load_the_actors():
    assert "actors" not in loaded_by("import scheduler")
