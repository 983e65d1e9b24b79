"""What of the programs' logs reaches the terminal, and how long a log may grow."""

import json
from pathlib import Path

import pytest

from runtime import follow


class Seen(list[tuple[str, str]]):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "worker.1.log"
    path.write_text(json.dumps({"level": "error", "event": "of the last run"}) + "\n")
    return path


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_warnings_and_errors_that_are_added_are_shown_and_nothing_else(log):
    seen = Seen()
    follower = follow.Follower([log], seen)
    for level in ("debug", "info", "warning", "error"):
        add(log, json.dumps({"event": "lost a lease", "level": level, "timestamp": "2026-11-22", "task": 7}) + "\n")
    follower.look()
    follower.look()
    assert seen == [("worker.1", "warning: lost a lease task=7"), ("worker.1", "error: lost a lease task=7")]


def test_a_line_is_shown_when_it_is_complete(log):
    seen = Seen()
    follower = follow.Follower([log], seen)
    whole = json.dumps({"event": "é", "level": "error"}, ensure_ascii=False) + "\n"
    add(log, whole[:12])
    follower.look()
    assert seen == []
    add(log, whole[12:])
    follower.look()
    assert seen == [("worker.1", "error: é")]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-11-22 WARNING streamlit: slow", "2026-11-22 WARNING streamlit: slow"),
        ("ModuleNotFoundError: No module named 'x'", "ModuleNotFoundError: No module named 'x'"),
        ("sqlalchemy.exc.OperationalError: gone", "sqlalchemy.exc.OperationalError: gone"),
        ('  File "a.py", line 1, in <module>', None),
        ("You can now view your app", None),
        ("{not json", None),
        ('["warning"]', None),
        (
            '{"level": "error", "event": "died", "exception": "Traceback\\n  …\\nKeyError: 1"}',
            "error: died KeyError: 1",
        ),
    ],
)
def test_what_is_worth_seeing(line, shown):
    assert follow.worth_seeing(line) == shown


def test_a_log_that_grew_too_long_is_begun_anew_and_its_writer_goes_on(log, monkeypatch):
    monkeypatch.setattr(follow, "MOST_BYTES", 1000)
    seen = Seen()
    follower = follow.Follower([log], seen)
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 999 + b"\n")
        follower.look()
        assert log.stat().st_size == 0
        assert log.with_suffix(".log.1").read_bytes().endswith(b"x\n")
        writer.write(b"ERROR after the cut\n")
    follower.look()
    assert log.read_bytes() == b"ERROR after the cut\n"
    assert seen == [("worker.1", "ERROR after the cut")]


def test_a_log_that_appears_later_is_followed_from_its_beginning(tmp_path):
    seen, log = Seen(), tmp_path / "web.log"
    follower = follow.Follower([log], seen)
    follower.look()
    log.write_text("ERROR at boot\n")
    follower.look()
    assert seen == [("web", "ERROR at boot")]


def test_what_was_added_last_is_shown_before_the_end(log):
    seen = Seen()
    follower = follow.Follower([log], seen)
    follower.start()
    add(log, "ERROR in the end\n")
    follower.finish()
    assert seen == [("worker.1", "ERROR in the end")]


def test_the_tail_of_a_log_is_its_last_lines(tmp_path):
    log = tmp_path / "a.log"
    assert follow.tail(log) == ""
    log.write_text("".join(f"{n}\n" for n in range(10000)))
    assert follow.tail(log, lines=3) == "9997\n9998\n9999"
