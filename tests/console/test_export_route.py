"""The export over HTTP: behind the gate, with the page's own filters, as a file with the time in its name."""

import json
import re

import pytest

from models import Role
from services import operators, tasks
from services.audit import acting_as
from tests.console.conftest import signed_in
from tests.services.kit import a_type, events, execute, finish, known, take


@pytest.fixture
def some(ledger):
    with known(a_type("greet")):
        made = [tasks.enqueue("greet", {}, title=title) for title in ("=1+1", "b", "c")]
        tasks.cancel(made[1].id)
        yield made


def test_a_stranger_gets_nothing(client, some):
    answer = client().get("/api/tasks.csv")
    assert (answer.status_code, "b" in answer.text.split()) == (401, False)


def test_a_viewer_exports_what_the_address_asks_for(client, some, ada):
    vera = signed_in(client(headers={"user-agent": "Firefox/150"}), operators.create("vera", Role.viewer))
    answer = vera.get("/api/tasks.jsonl?status=Queued&type=greet&nonsense=1")
    assert [json.loads(line)["title"] for line in answer.text.splitlines()] == ["c", "=1+1"]
    assert re.search(r'filename="callboard-tasks-\d{8}T\d{6}Z\.jsonl"', answer.headers["content-disposition"])
    assert answer.headers["cache-control"] == "no-store"
    (event,) = events("export")
    assert (event.actor_id, event.user_agent) == ("vera", "Firefox/150")
    assert event.after["filter"] == {"status": ["queued"], "type": "greet"}


def test_csv_is_guarded_against_formulas(client, some, ada):
    answer = signed_in(client(), ada).get("/api/tasks.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbfid,type,title")
    assert ",'=1+1," in answer.text
    assert answer.text.count("\r\n") == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/tasks.csv?text=%00", 400), ("/api/tasks.csv?error=a%0Ab", 400), ("/api/tasks.xlsx", 404)],
)
def test_what_cannot_be_is_refused_in_a_sentence(client, some, ada, path, status):
    answer = signed_in(client(), ada).get(path)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_all_that_a_run_left_is_text_and_nothing_else(client, some, ada):
    (task, _) = take(2)
    finish(task, result='{"words": "<script>alert(1)</script> \\u202e"}')
    browser = signed_in(client(), ada)
    answer = browser.get(f"/api/tasks/{task.id}/output")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "<script>" in answer.text
    assert browser.get("/api/tasks/999/output").status_code == 404
    assert client().get(f"/api/tasks/{task.id}/output").status_code == 401


def test_what_a_person_or_a_schedule_asked_for_is_found(client, some, ada):
    with acting_as(ada):
        tasks.enqueue("greet", {}, title="hers")
    tasks.enqueue("greet", {}, title="nightly")
    execute("UPDATE tasks SET schedule_id = 4, parent_id = 1 WHERE title = 'nightly'")
    browser = signed_in(client(), ada)

    def titles(by: str) -> list[str]:
        answer = browser.get("/api/tasks.jsonl", params={"by": by})
        return [json.loads(line)["title"] for line in answer.text.splitlines()]

    assert titles("ada") == titles("operator ada") == ["hers"]
    assert titles("schedule 4") == titles("schedule #4") == titles("task 1") == ["nightly"]
    assert titles("schedule 5") == []
    assert titles("People") == ["hers"]
    assert titles("Schedules") == titles("Other tasks") == []
    execute("UPDATE tasks SET created_by_kind = 'schedule' WHERE title = 'nightly'")
    assert titles("Schedules") == ["nightly"]
    refused = browser.get("/api/tasks.jsonl", params={"by": "adda"})
    assert refused.status_code == 400
    assert "did you mean ada?" in refused.json()["error"]
