"""What documents name is there."""

import ast
import re

from settings import ROOT

PROOF = re.compile(r"\[(`test_\w+`(?:, `test_\w+`)*)\]\((tests/[\w/]+\.py)\)")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_the_table_of_faults_names_exists():
    named = NAMED.findall((ROOT / "docs/faults.md").read_text())
    assert named
    defined = {path: functions(path) for path, _ in named if (ROOT / path).is_file()}
    assert not [f"{path}::{test}" for path, test in named if test not in defined.get(path, ())]


def test_every_test_that_the_readme_gives_as_proof_exists():
    cells = PROOF.findall((ROOT / "README.md").read_text())
    assert len(cells) > 15
    assert not [test for tests, path in cells for test in re.findall(r"`(\w+)`", tests) if test not in functions(path)]


def functions(path: str) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
