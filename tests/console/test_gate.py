"""Nobody passes the gate without a session, on any path, by any protocol; and a session ends when it should."""

import threading
from datetime import timedelta

import pytest
import time_machine
from websockets.exceptions import ConnectionClosed, InvalidStatus

from console import gate
from models import now
from services import artifacts, operators, sessions
from services.errors import Forbidden
from settings import settings
from tests.console.conftest import PASSWORD, signed_in
from tests.services.kit import events, execute, hooked, scalar
from tests.support import one_ledger

pytestmark = one_ledger
SECRET_PLACES = [
    "/",
    "/tasks",
    "/_stcore/health",
    "/_stcore/metrics",
    "/media/abc.csv",
    "/api/audit.csv",
    "/api/artifacts/1",
]


@pytest.mark.parametrize("path", SECRET_PLACES)
def test_a_stranger_gets_no_answer_but_where_to_sign_in(client, path):
    answer = client().get(path)
    assert (answer.status_code, answer.text.strip('"')) == (401, gate.NOT_SIGNED_IN)
    shown = client().get(path, headers={"accept": "text/html"})
    assert "session" not in shown.text
    assert shown.status_code == (401 if path.startswith(("/_stcore", "/api")) else 303)


def test_a_stranger_gets_no_websocket(client):
    with pytest.raises(InvalidStatus, match="403"):
        client().socket()


def test_a_stranger_cannot_claim_a_session_by_header(client, ada):
    assert client().get("/", headers={"x-callboard-session": "1"}).status_code == 401
    browser = signed_in(client(), ada)
    claimed = browser.get("/", headers={"x-callboard-session": "999"})
    assert claimed.text == f"session {scalar('SELECT max(id) FROM sessions')}"


def test_a_page_leads_to_the_form_and_back_to_where_it_was_asked_for(client, ada):
    browser = client()
    where = browser.get("/task?id=7", headers={"accept": "text/html"}).headers["location"]
    assert where == "/sign-in?next=%2Ftask%3Fid%3D7"
    assert 'value="/task?id=7"' in browser.get(where).text
    given = {"name": "ada", "password": PASSWORD, "next": "/task?id=7"}
    answer = browser.post("/sign-in", data=given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/task?id=7")
    assert browser.get("/task?id=7").text.startswith("session ")


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:1"],
)
def test_signing_in_leads_nowhere_else(client, ada, target):
    answer = client().post("/sign-in", data={"name": "ada", "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


def test_a_link_signs_in_once(client, ada):
    link = sessions.link()
    first, second = client(), client()
    assert first.get("/sign-in", params={"link": link}).status_code == 200
    assert first.get("/").status_code == 200
    again = second.get("/sign-in", params={"link": link})
    assert again.status_code == 403
    assert "has been used" in again.text
    assert second.get("/").status_code == 401


def test_looking_whether_a_link_is_there_does_not_use_it_up(client, ada):
    link = sessions.link()
    client().head("/sign-in", params={"link": link})
    assert client().get("/sign-in", params={"link": link}).status_code == 200


def test_a_link_is_no_cookie_and_a_cookie_is_no_link(client, ada):
    link = sessions.link()
    assert client(cookies={gate.cookie_name(): link}).get("/").status_code == 401
    secret = sessions.redeem(link, None, None)
    with pytest.raises(Forbidden):
        sessions.redeem(secret, None, None)


def test_a_link_is_too_old_after_an_hour(client, ada):
    link = sessions.link()
    with time_machine.travel(now() + sessions.LINK_FOR):
        assert client().get("/sign-in", params={"link": link}).status_code == 403


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client, ada):
    said = client().get("/sign-in", params={"link": sessions.link()}).headers["set-cookie"]
    assert said.startswith(f"{gate.cookie_name()}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in said.split(";")}


def test_secrets_are_not_in_the_ledger(client, ada):
    browser = signed_in(client(), ada)
    secret = browser.cookies[gate.cookie_name()]
    assert scalar("SELECT count(*) FROM sessions WHERE secret_sha256 = :s", s=secret) == 0
    assert operators.get(ada.id).password_hash.startswith("$argon2id$")


def test_a_session_falls_asleep_and_ends(client, ada):
    browser = signed_in(client(), ada)
    start = now()
    for minutes in range(20, 12 * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert browser.get("/").status_code == 200
    with time_machine.travel(start + timedelta(hours=12, minutes=1)):
        assert browser.get("/").status_code == 401
    idle = signed_in(client(), ada)
    with time_machine.travel(now() + timedelta(minutes=31)):
        assert idle.get("/").status_code == 401


def test_signing_out_ends_the_session_for_every_tab(client, ada):
    browser = signed_in(client(), ada)
    other = client(cookies=dict(browser.cookies))
    assert browser.get("/sign-out").status_code == 303
    assert other.get("/").status_code == 401


def test_an_open_page_is_closed_when_its_session_is_revoked(client, ada, monkeypatch):
    monkeypatch.setattr(gate, "LOOK_EVERY_S", 0.05)
    browser = signed_in(client(), ada)
    with browser.socket() as page:
        mine = int(page.recv(10))
        page.send(b"hello")
        assert page.recv(10) == b"hello"
        sessions.revoke(mine)
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(10)
    assert closed.value.rcvd.code == gate.CLOSED


def test_a_page_that_opens_while_the_others_are_looked_at_stays_open(client, ada, monkeypatch):
    """The look asked for those that were open then: of this one it knows nothing."""
    monkeypatch.setattr(gate, "LOOK_EVERY_S", 0.05)
    looked, opened = threading.Semaphore(0), []
    late = signed_in(client(), ada)

    def open_meanwhile(_connection, _cursor, statement, *_):
        if "sessions.id IN" in statement:
            if not opened:
                opened.append(late.socket())
            looked.release()

    with signed_in(client(), ada).socket(), hooked("before_cursor_execute", open_meanwhile):
        for _ in range(3):
            assert looked.acquire(timeout=30)
        with opened[0] as page:
            page.recv(10)
            page.send(b"hello")
            assert page.recv(10) == b"hello"


def test_a_page_of_another_site_gets_no_websocket(client, ada):
    browser = signed_in(client(), ada)
    with pytest.raises(InvalidStatus, match="403"):
        browser.socket(origin="http://evil.example")


def test_a_name_that_is_not_ours_is_not_answered(client, ada):
    browser = signed_in(client(), ada)
    assert browser.get("/", headers={"host": "evil.example"}).status_code == 400
    assert browser.get("/sign-in", headers={"host": "evil.example:8501"}).status_code == 400
    assert "ALLOWED_HOSTS" in browser.get("/", headers={"host": "evil.example"}).text
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    key = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
    refused = browser.get("/_stcore/stream", headers={"host": "evil.example", **upgrade, **key})
    assert refused.status_code == 403
    assert browser.get("/api/health", headers={"host": "10.0.0.7"}).json() == {"status": "ok"}


def test_the_names_that_are_allowed_are_answered_beside_those_of_loopback(client, ada, monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "board.example.org, *.callboard.example")
    settings.cache_clear()
    browser = client()  # who is asked to sign in has been let through to the door
    named = ("Board.example.org:443", "a.callboard.example", "localhost:8501", "127.0.0.1", "[::1]:8501")
    assert [browser.get("/", headers={"host": name}).status_code for name in named] == [401] * 5
    strange = ("callboard.example", "board.example.org.evil.example", "", "a@board.example.org.evil.example")
    assert [browser.get("/", headers={"host": name}).status_code for name in strange] == [400] * 4


def test_a_disabled_account_is_out_at_once(client, ada):
    operators.create("bob", "admin", PASSWORD)
    browser = signed_in(client(), ada)
    operators.disable(ada.id)
    assert browser.get("/").status_code == 401
    assert client().post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 401


def test_guessing_is_stopped_and_written_down(client, ada):
    browser = client()
    tries = [browser.post("/sign-in", data={"name": "ada", "password": f"wrong {n}"}).status_code for n in range(7)]
    assert tries == [401] * 5 + [429] * 2
    assert browser.post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 429
    assert len(events("sign-in refused")) == 5
    with time_machine.travel(now() + timedelta(minutes=6)):
        assert browser.post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 303


def test_coming_and_going_are_events_with_where_from(client, ada):
    browser = signed_in(client(headers={"user-agent": "Firefox/150"}), ada)
    browser.get("/sign-out")
    found = [(e.verb, e.actor_id, e.user_agent, e.ip) for e in (*events("sign in"), *events("sign out"))]
    assert found == [(verb, "ada", "Firefox/150", "127.0.0.1") for verb in ("sign in", "sign out")]


def test_a_form_sent_from_another_site_is_refused(client, ada):
    given = {"name": "ada", "password": PASSWORD}
    assert client().post("/sign-in", data=given, headers={"origin": "http://evil.example"}).status_code == 403
    assert client().post("/sign-in", data=given, headers={"origin": client().base}).status_code == 303


def test_every_answer_carries_the_policy(client, ada):
    browser = signed_in(client(), ada)
    for answer in (client().get("/"), browser.get("/"), browser.get("/sign-in"), browser.get("/api/nothing")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_hostile_words_stay_words_in_the_form(client, ledger):
    answer = client().post("/sign-in", data={"name": '"><script>alert(1)</script>', "password": "x"})
    assert "<script>" not in answer.text


def test_a_stored_file_is_a_download_whatever_it_is(client, ada):
    stored = artifacts.save('a "b" – ü.html'.replace('"', "'"), b"<script>alert(1)</script>", "text/html")
    answer = signed_in(client(), ada).get(stored.url)
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_what_is_not_there_is_a_404_and_no_page(client, ada):
    browser = signed_in(client(), ada)
    assert browser.get("/api/artifacts/99").json() == {"error": "there is no artifact 99"}
    assert browser.get("/api/artifacts/99").status_code == 404
    assert browser.get("/api/typo").status_code == 404


def test_a_database_that_is_away_is_said_in_a_sentence(client, ada):
    browser = signed_in(client(), ada)
    execute("ALTER TABLE sessions RENAME TO gone")
    try:
        answer = browser.get("/")
    finally:
        execute("ALTER TABLE gone RENAME TO sessions")
    assert answer.status_code == 503
    assert "database" in answer.text
