"""`tasks.status` is written in `services/lifecycle` alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_SQL = re.compile(r"\bSET\b[^;]*\bstatus\s*=", re.IGNORECASE)


def writes_status(code: str) -> bool:
    """Whether the code sets a task's status: by an attribute, by `.values(…)`, by SQL."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets):
                return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("values", "_set"):
            said = {keyword.arg for keyword in node.keywords}
            said |= {
                k.value for a in node.args if isinstance(a, ast.Dict) for k in a.keys if isinstance(k, ast.Constant)
            }
            if "status" in said:
                return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            if any(isinstance(a, ast.Constant) and a.value == "status" for a in node.args):
                return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            return True
    return False


def sources() -> list[Path]:
    """Our source files."""
    folders = ("actors", "analytics", "console", "models", "providers", "runtime", "services")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + [ROOT / "scheduler.py"]


def test_the_lifecycle_is_the_only_writer_of_status():
    writers = {str(path.relative_to(ROOT)) for path in sources() if writes_status(path.read_text())}
    assert {"services/lifecycle/ending.py", "services/lifecycle/claim.py"} <= writers
    assert not {name for name in writers if not name.startswith("services/lifecycle/")}


@pytest.mark.parametrize(
    "code",
    [
        "task.status = Status.failed",
        "session.execute(update(tables.tasks).where(c.id == 1).values(title='', status=found))",
        "query.values({'status': 'queued'})",
        "session.execute(text('UPDATE tasks SET parked = FALSE, status = :s WHERE id = 1'))",
        "setattr(task, 'status', new)",
    ],
)
def test_every_way_of_writing_it_is_seen(code):
    assert writes_status(code)


@pytest.mark.parametrize(
    "code", ["if task.status == new: pass", "select(t).where(t.status == s)", "'SELECT id FROM tasks WHERE status = 1'"]
)
def test_reading_it_is_not_writing_it(code):
    assert not writes_status(code)
