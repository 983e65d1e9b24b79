"""`tasks.status` is written in `services/lifecycle` alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_SQL = re.compile(r"\bSET\b[^;]*\bstatus\s*=", re.IGNORECASE)


def writes_status(code: str) -> bool:
    """Whether the code sets a task's status: by an attribute, by `.values(…)`, by name, by SQL."""
    return any(_assigns(node) or _passes(node) or _says(node) for node in ast.walk(ast.parse(code)))


def _assigns(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets)


def _passes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = getattr(node.func, "attr", getattr(node.func, "id", None))
    keys = [key for arg in node.args if isinstance(arg, ast.Dict) for key in arg.keys]
    named = {keyword.arg for keyword in node.keywords} | {key.value for key in keys if isinstance(key, ast.Constant)}
    texts = {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return (function in ("values", "_set") and "status" in named) or (function == "setattr" and "status" in texts)


def _says(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(IN_SQL.search(node.value))


def sources() -> list[Path]:
    """Our source files."""
    folders = ("actors", "analytics", "console", "models", "providers", "runtime", "services")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + [ROOT / "scheduler.py"]


def test_the_lifecycle_is_the_only_writer_of_status():
    writers = {str(path.relative_to(ROOT)) for path in sources() if writes_status(path.read_text())}
    assert {"services/lifecycle/ending.py", "services/lifecycle/take.py"} <= writers
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
