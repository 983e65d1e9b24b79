"""One clock, aware and UTC."""

import ast
import re
from pathlib import Path

from sqlmodel import SQLModel, UTCDateTime

import models  # noqa: F401 - fills the metadata

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("actors", "analytics", "console", "models", "providers", "runtime", "services")


def test_every_time_column_is_aware():
    naive = [
        str(column)
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if "DATE" in str(column.type).upper() and not isinstance(column.type, UTCDateTime)
    ]
    assert not naive


def test_nobody_asks_a_naive_clock():
    asked = []
    for path in (p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            without_zone = not node.args and not node.keywords
            naive = node.func.attr in ("utcnow", "today") or (node.func.attr == "now" and without_zone)
            if naive and ast.unparse(node.func) not in ("models.now", "base.now"):
                asked.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not asked


def test_the_ledgers_clock_is_read_in_one_place():
    others = [
        str(path.relative_to(ROOT))
        for folder in ("actors", "models", "runtime", "services")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"= datetime\.now\(|return datetime\.now\(", path.read_text()) and path.name != "base.py"
    ]
    assert not others
