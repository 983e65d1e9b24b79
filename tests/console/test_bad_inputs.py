"""What cannot be, at the console's doors: forms, addresses, routes, names of files and people. Nothing breaks."""

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from console.ui import form
from models import Role, now
from services import catalog, operators, tasks
from services.errors import InvalidInput, ServiceError
from tests.console.conftest import signed_in
from tests.console.kit import PAGES, fine, some_tasks
from tests.services import kit
from tests.services.bad_inputs import OPTIONS, PAYLOADS, TEXTS, typed
from tests.services.test_filenames import NAMES
from tests.support import one_ledger

GAP = datetime(2027, 3, 28, 2, 30)  # noqa: DTZ001 - as a form says it
JSON, RUN = "run/greet/0#text", "run_it"
ODD = [
    "\0", "a\nb", "x" * 5_000, "'; DROP TABLE tasks;--", "%", "_", "-1", "9" * 30, "1e3", "１２", "<script>",
    "../../etc", "\u202eabc", "[]", "null", "true", "NaN", "#0", "#" + "9" * 15, "{{ slot }}", "é", "🦆",
]  # fmt: skip
PARAMETERS = {
    "overview": ["span"],
    "tasks": ["status", "type", "queue", "text", "error", "tag", "created", "ended", "held", "deleted"],
    "task": ["id", "tab"], "run": ["run_type", "again", "task"],
    "schedules": ["schedules_state", "schedules_text", "schedules_view"], "schedule": ["id", "schedule_tab", "fired"],
    "inbox": ["dismissed"], "errors": ["errors_state", "span"], "workers": ["span"],
    "audit": ["audit_thing", "audit_which", "audit_by", "audit_did"],
}  # fmt: skip


@pytest.fixture
def run(page: Any) -> AppTest:
    """The form of `greet`, which the console knows by what a worker declared of it; its arguments as JSON."""
    catalog.unregister("greet")
    test = fine(page("run", "member", run_type="greet"))
    return fine(test.toggle(key="run/greet/0#json").set_value(True).run())


def tried(run: AppTest) -> str:
    """What the form refused with, at once or when it was sent."""
    button = fine(run.run()).button(key=RUN)
    return sentence(run if button.disabled else button.click().run())


def sentence(test: AppTest) -> str:
    """What the form refused with, without the signs that keep it from being markup."""
    (error,) = [one.value for one in fine(test).error]
    return re.sub(r"\\(.)", r"\1", str(error).replace(":small[]", ""))


@one_ledger
def test_the_form_refuses_arguments_that_cannot_be_in_the_same_words_as_python(run):
    rows = {name: (text, PAYLOADS[name][1]) for name in PAYLOADS if (text := typed(name)) is not None} | TEXTS
    before = kit.written()
    for name, (text, expected) in rows.items():
        run.text_area(key=JSON).set_value(text)
        shown = tried(run)
        if "\\n" not in expected:
            assert re.search(expected, shown), name
        assert kit.written() == before, name
    assert len(rows) > 35


def in_words(options: dict[str, Any]) -> dict[str, str] | None:
    """Fields of the form that say these options; None where it has none for them.

    A queue may be typed, too, but `AppTest` can only choose; priority is a slider, what runs alone is not asked.
    """
    fields = {"title": "title", "unique_key": "unique"}
    ((name, value),) = options.items() if len(options) == 1 else [("", None)]
    if (name == "tags" and _all(value, str)) or (name == "needs" and _all(value, int)):
        return {name: ", ".join(map(str, value))}
    fits = isinstance(value, str) and value.strip() and len(value) <= 200  # the field cuts what is longer
    lone = isinstance(value, str) and re.search("[\ud800-\udfff]", value)  # no browser can send it
    return {fields[name]: value} if name in ("title", "unique_key") and fits and not lone else None


def _all(values: Any, kind: type) -> bool:
    return isinstance(values, list | range) and {type(value) for value in values} == {kind}


@one_ledger
def test_the_form_refuses_options_that_cannot_be_in_the_same_words_as_python(run):
    rows = {name: (words, OPTIONS[name][1]) for name in OPTIONS if (words := in_words(OPTIONS[name][0])) is not None}
    run.text_area(key=JSON).set_value("{}").run()
    before = kit.written()
    for name, (words, expected) in rows.items():
        for field, text in words.items():
            run.text_input(key=f"run/greet/0#{field}").set_value(text)
        shown = tried(run)
        assert re.search(expected.partition(":")[0], shown), name
        assert kit.written() == before, name
        for field in words:
            run.text_input(key=f"run/greet/0#{field}").set_value("")
    assert {"title control", "unique_key NUL", "too many tags", "unknown need"} <= set(rows)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (GAP, "clocks in Europe/Berlin never show 2027-03-28 02:30.*give 2027-03-28 01:30 or 2027-03-28 03:30"),
        (now().replace(tzinfo=None) + timedelta(days=7 * 366), ".* is out of range; give a time from yesterday"),
        (now().replace(tzinfo=None) - timedelta(days=3), ".* is out of range; give a time from yesterday"),
    ],
)  # fmt: skip
@one_ledger
def test_a_time_that_no_clock_shows_or_that_is_out_of_range_is_refused(run, start, expected):
    run.text_area(key=JSON).set_value("{}")
    run.datetime_input(key="run/greet/0#start").set_value(start)
    assert re.match(f"run_at: {expected}", tried(run))


class File(io.BytesIO):
    """A file as the uploader hands it over."""

    def __init__(self, name: Any) -> None:
        super().__init__(b"x")
        self.name = name


@one_ledger
@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(name, str)], ids=lambda name: ascii(name)[:20])
def test_an_upload_with_a_name_that_cannot_be_is_refused_before_its_siblings_are_stored(ledger, types, name):
    payload = {"data": form.Upload(File("fine.csv")), "n": form.Upload(File(name))}
    assert kit.refused(lambda: tasks.check("greet", form.standing_in(payload)), InvalidInput).startswith("name: ")


def test_whatever_an_address_asks_no_page_breaks(page):
    some_tasks()
    test = page("overview")
    assert {*PARAMETERS, "settings"} == {*PAGES, "task", "schedule"}
    before = kit.written()
    for n in range(0, len(ODD), 3):
        for name, parameters in PARAMETERS.items():
            for m, parameter in enumerate(parameters):
                test.query_params[parameter] = ODD[(n + m) % len(ODD)]
            fine(test.switch_page(f"views/{name}.py").run())
            test.query_params.clear()
    assert kit.written() == before


PATHS = {
    "/api/tasks.{}csv": 404, "/api/tasks.xlsx": 404, "/api/tasks.": 404, "/api/tasks.csv%00": 404,
    "/api/artifacts/0": 404, "/api/artifacts/999999": 404, "/api/artifacts/" + "9" * 30: 404, "/api/artifacts/-1": 404,
    "/api/artifacts/1%00": 404, "/api/artifacts/..%2f..%2fetc%2fpasswd": 404, "/api/artifacts/999/view": 404,
    "/api/artifacts/" + "9" * 5000: 404, "/api/audit.csv?thing=task&which=%00": 400, "/api/audit.csv?by=%00": 400,
    "/api/audit.csv?did=a%0Ab": 400, "/api/audit.csv?thing=" + "x" * 101: 400, "/api/tasks.csv?text=%00": 400,
    "/api/tasks.csv?queue=a%00": 400, "/api/tasks.csv?type=" + "x" * 201: 400, "/api/tasks.csv?tag=%E2%80%AE": 400,
    "/api/tasks.csv?error=a%0Ab": 400, "/api/tasks.jsonl?text=" + "x" * 201: 400, "/api/tasks.jsonl?text=%25": 400,
    "/api/tasks.csv?created=x&status=Nonsense&deleted=maybe": 200, "/api/tasks.csv?queue=%ED%A0%80": 200,
    "/api/audit.csv?which=%00": 200, "/api/nothing": 404,
}  # fmt: skip


def test_whatever_a_route_is_asked_it_answers_in_a_sentence(client, ada):
    browser = signed_in(client(), ada)
    for path, status in PATHS.items():
        answer = browser.get(path)
        assert answer.status_code == status, path[:60]
        if status == 400:
            assert re.match(r"[\w/]+: .{10,}", answer.json()["error"]), path[:60]


@pytest.mark.parametrize("name", ["a\0da", "x" * 3_000])
@one_ledger
def test_nobody_signs_in_by_odd_names_or_passwords(client, ledger, name):
    stranger = client()
    for password in ("", "\0" * 10, "x" * 900):
        answer = stranger.post("/sign-in", data={"name": name, "password": password}, headers={"origin": stranger.base})
        assert answer.status_code == 401
    for body in (b"\xff\xfe", b"name=%ED%A0%80&password=%00", b"&&&=", b"x" * 5_000):
        answer = stranger.post("/sign-in", data=body, headers={"origin": stranger.base})
        assert answer.status_code == (413 if len(body) == 5_000 else 401)
    assert not stranger.cookies


PEOPLE: dict[str, tuple[Any, Any, Any]] = {
    **{f"name {n}": (name, Role.viewer, None) for n, name in enumerate(
        ["", "  ", " ada", "x" * 101, "a\0", "a\nb", "\ud800", "\u202eada", "ada", 7, None, b"x"]
    )},
    **{f"password {n}": ("bob", Role.viewer, wrong) for n, wrong in enumerate(
        ["", "short", "x" * 201, "\ud800" * 10, "\0" * 12, 1234567890, b"x" * 12]
    )},
    **{f"role {n}": ("bob", wrong, None) for n, wrong in enumerate(["root", "", None, 1, [], "Admin"])},
}  # fmt: skip


@one_ledger
def test_an_account_that_cannot_be_is_refused(ada):
    for what, (name, role, password) in PEOPLE.items():
        spoken = kit.refused(lambda: operators.create(name, role, password), InvalidInput)  # noqa: B023
        assert spoken.startswith(f"{what.split()[0]}: "), what
        if what.startswith("password"):
            assert kit.refused(lambda: operators.set_password(ada.id, password), InvalidInput) == spoken  # noqa: B023
    for name in ("\0", "\ud800", "x" * 101, "", None, 7, "nobody"):
        kit.refused(lambda: operators.by_name(name), ServiceError)  # noqa: B023


@one_ledger
def test_the_form_of_settings_refuses_a_name_in_a_sentence(page):
    test = fine(page("settings"))
    before = kit.written()
    for name in ("a\0b", " admin", " ", "admin-1"):
        test.text_input(key="new_name").set_value(name)
        fine(test.button[[b.label for b in test.button].index("Add, and make a sign-in link")].click().run())
        assert any(toast.value.startswith("name") for toast in test.toast), [t.value for t in test.toast]
    assert kit.written() == before
