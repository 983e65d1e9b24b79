"""`tasks.status` is written in `services/lifecycle` alone."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITES = re.compile(
    r"\.status\s*=(?!=|\s*')|\bstatus\s*=\s*(?:Status\.|literal\(|move\.target)|SET\s+status\b", re.IGNORECASE
)


def writers() -> set[str]:
    """The files that set a status."""
    found = set()
    for folder in ("actors", "console", "models", "providers", "runtime", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            code = "\n".join(line for line in path.read_text().splitlines() if "Field(" not in line)
            if WRITES.search(code):
                found.add(str(path.relative_to(ROOT)))
    return found


def test_the_lifecycle_is_the_only_writer_of_status():
    strays = {name for name in writers() if not name.startswith("services/lifecycle/")}
    assert not strays


def test_the_search_finds_the_writers_there_are():
    assert {"services/lifecycle/ending.py", "services/lifecycle/claim.py"} <= writers()
