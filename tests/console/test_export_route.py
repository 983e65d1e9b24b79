"""The export over HTTP: behind the gate, with the page's own filters, as a file with the time in its name."""

import json
import re

import pytest

from models import Role
from services import operators, tasks
from tests.console.conftest import signed_in
from tests.services.kit import a_type, events, known


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
