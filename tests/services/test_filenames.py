"""A file's name is for people, and safe on any system."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services import artifacts, filenames
from services.errors import InvalidInput
from settings import settings
from tests.support import examples

NAMES = [
    "../../etc/passwd", "a/b", "/etc/passwd", "C:\\x", "a\\b", "CON", "con.txt", "NUL", "LPT1.csv", ".", "..",
    ".hidden", "a.", "a ", " a", "", "   ", "a\0b", "a\nb", "a\x1b[31m", "x" * 256, "é" * 128, "a:b", "a*b", 'a"b',
    "\u202egnp.exe", "half \ud800", 7, None, b"x", Path("x"),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_names_that_cannot_be_are_refused_and_nothing_is_written(core, name):
    with pytest.raises(InvalidInput) as refused:
        artifacts.save(name, b"x")
    assert refused.value.field == "name"
    assert not (settings().var_dir / "artifacts").exists()


ORDINARY = [
    "a", "report 2026-11.pdf", "Übersicht (neu).csv", "数据.csv", "x" * 255, "a.tar.gz", "con1", "console.txt",
]  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_taken(name):
    assert filenames.checked(name) == name


@hypothesis_settings(max_examples=examples(300), database=None)
@given(st.text(max_size=40))
def test_a_name_that_is_taken_is_the_name_of_a_file_in_one_folder(name):
    try:
        filenames.checked(name)
    except InvalidInput:
        return
    path = Path("/folder") / name
    assert path.parent == Path("/folder")
    assert path.name == name
    assert len(os.fsencode(name)) <= 255
