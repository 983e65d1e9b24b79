"""Imports go down only, and each outside library stays in its rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = [  # from the roof down; what stands on one line shares a floor
    {"console", "scheduler"},
    {"actors"},
    {"runtime"},
    {"services", "providers"},
    {"models"},
    {"settings"},
]
OURS = set().union(*FLOORS) | {"analytics"}
ROOMS = {
    "dramatiq": {"runtime"},
    "apscheduler": {"scheduler"},
    "streamlit": {"console"},
    "alembic": {"models", "migrations"},
}
BY_NAME = {  # the demonstration is a face of its own: it enqueues task types as a person would
    ("runtime/demo.py", "actors"),
}


def modules() -> list[Path]:
    """Our source files, without tests, benchmarks and migrations."""
    places = [ROOT / f"{name}.py" for name in ("settings", "scheduler")]
    for name in OURS:
        places += (ROOT / name).rglob("*.py")
    return sorted(path for path in places if path.exists())


def imported(path: Path) -> set[str]:
    """The top-level names a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def room(path: Path) -> str:
    """The package or top-level module a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    """How deep a package lies."""
    return next(depth for depth, names in enumerate(FLOORS) if name in names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path):
    mine, where = room(path), str(path.relative_to(ROOT))
    wanted = {name for name in imported(path) & OURS if name != mine and (where, name) not in BY_NAME}
    if mine == "analytics":
        assert not wanted, f"{where} imports {wanted}: the library of the trade knows nothing of ours"
        return
    upward = {name for name in wanted - {"analytics"} if floor(name) < floor(mine)}
    assert not upward, f"{where} imports upward: {upward}"
    assert "analytics" not in wanted or mine == "actors", f"{where} imports analytics, which is for actors"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_outside_library_stays_in_its_rooms(path):
    strays = {name for name in imported(path) & ROOMS.keys() if room(path) not in ROOMS[name]}
    assert not strays, f"{path.relative_to(ROOT)} imports {strays}"
