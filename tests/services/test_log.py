"""Logs: one line an act, no secret, no payload, and nobody's text may pass for a line of its own."""

import json
import logging
import re
import warnings
from collections.abc import Iterator

import pytest
import structlog

import settings as settings_module
from services import log, secrecy
from tests.conftest import log_plainly


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(False)
    structlog.reset_defaults()
    log_plainly()
    settings_module.settings.cache_clear()


@pytest.fixture(params=["json", "text"])
def form(request, configured, monkeypatch) -> str:
    use(monkeypatch, LOG_FORMAT=request.param)
    return request.param


@pytest.fixture
def as_json(configured, monkeypatch) -> None:
    use(monkeypatch, LOG_FORMAT="json")


def use(monkeypatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings_module.settings.cache_clear()
    log.configure("worker")


def ours() -> structlog.stdlib.BoundLogger:
    return structlog.get_logger("services.tasks")


def lines(capsys) -> list[str]:
    return capsys.readouterr().err.splitlines()


def one(capsys) -> dict:
    (line,) = lines(capsys)
    return json.loads(line)


def fail(error: Exception, **variables: str) -> None:
    """Log an error with its traceback."""

    def body(variables: dict[str, str]) -> None:
        raise error

    try:
        body(variables)
    except type(error):
        ours().exception("a body failed")


def test_an_act_is_one_line_with_time_level_and_process(as_json, capsys):
    ours().info("cancel", task=41, by="operator:ana")
    line = one(capsys)
    assert (line["event"], line["level"], line["task"], line["by"]) == ("cancel", "info", 41, "operator:ana")
    assert (line["process"], line["logger"]) == ("worker", "services.tasks")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


@pytest.mark.parametrize(
    "text", ["a\nforged line", "a\r\nforged", "\x1b[2J\x1b[31mred", "bell\a", "c1 \x9b31m", "\u2028x"]
)
def test_text_cannot_forge_a_line_or_steer_the_terminal(form, capsys, text):
    ours().info("cancel " + text, reason=text, many=[text])
    logging.getLogger("urllib3").warning("%s", text)
    written = capsys.readouterr().err
    assert len(written.split("\n")) == 3  # two lines and the end
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]", written)


def test_a_traceback_keeps_its_lines_but_none_begins_at_the_margin(configured, monkeypatch, capsys):
    use(monkeypatch, LOG_FORMAT="text")
    fail(ValueError("no\n2026-01-01 00:00:00 [info] forged \x1b[31m"))
    first, *traceback = lines(capsys)
    assert "a body failed" in first
    assert len(traceback) > 3
    assert all(line.startswith("    ") for line in traceback)
    assert "\x1b" not in "".join(traceback)


def test_a_traceback_never_shows_the_values_of_variables(form, capsys):
    fail(ValueError("no"), hunter2="the-very-" + "secret")
    assert "the-very-secret" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["payload", "result", "context", "args", "kwargs"])
def test_payloads_are_never_logged(form, capsys, name):
    ours().info("enqueue", **{name: {"patient": "Ana"}})
    written = capsys.readouterr().err
    assert "Ana" not in written
    assert "(not logged)" in written


@pytest.mark.parametrize(
    "name",
    [
        "password", "db_password", "dbPassword", "pass", "secret", "client_secret", "token", "access_token", "apiToken",
        "key", "api_key", "apiKey", "API_KEY", "x-api-key", "private_key", "Authorization", "cookie", "set-cookie",
        "credentials", "passphrase", "keys",
    ],
)  # fmt: skip
def test_values_of_secret_names_are_hidden(as_json, capsys, name):
    ours().info("connect", **{name: "hunter2", "nested": [{"deep": {name: {"value": "hunter2"}}}]})
    written = capsys.readouterr().err
    assert "hunter2" not in written
    assert json.loads(written)[name] == "***"


@pytest.mark.parametrize(
    "name", ["unique_key", "concurrency_key", "primary_key", "key_id_count", "author", "passed", "monkey", "keyboard"]
)
def test_values_of_harmless_names_are_shown(name):
    shown = secrecy.hidden({name: "customer-7"})[name]
    assert shown == ("***" if name == "key_id_count" else "customer-7")


def test_counts_of_tokens_are_shown():
    told = {"tokens_in": 1200, "tokens_out": 80, "tokens_cached": None, "keys": 3, "password": 1234}
    assert secrecy.hidden(told) == told | {"password": "***"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://u:hunter2@db:5432/x", "postgresql+psycopg://***@db:5432/x"),
        ("rediss://:hunter2@cache/0", "rediss://***@cache/0"),
        ("https://hunter2@example.org/a?b=c@d", "https://***@example.org/a?b=c@d"),
        ("https://example.org/mail@example.org", "https://example.org/mail@example.org"),
        ("host=db password=hunter2 user=u", "host=db password=*** user=u"),
        ("Authorization: Bearer hunter2.hunter2", "Authorization: Bearer ***"),
        ("GET /x?api_key=hunter2&page=2", "GET /x?api_key=***&page=2"),
        ("ana@example.org wrote", "ana@example.org wrote"),
    ],
)
def test_secrets_inside_text_are_hidden(text, shown):
    assert secrecy.text(text) == shown


def test_secrets_in_messages_and_tracebacks_of_libraries_are_hidden(form, capsys):
    fail(ConnectionError("could not reach postgresql://u:hunter2@db/x"))
    logging.getLogger("sqlalchemy.pool").error("lost %s", "redis://:hunter2@cache")
    assert "hunter2" not in capsys.readouterr().err


def test_libraries_speak_from_warnings_on(as_json, capsys):
    for name in ("sqlalchemy.engine", "alembic.runtime", "dramatiq.worker", "urllib3"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    logging.getLogger("apscheduler.scheduler").warning("skipped: maximum number of running instances reached")
    logging.getLogger("apscheduler.scheduler").error("trouble")
    assert [json.loads(line)["event"] for line in lines(capsys)] == ["trouble"] * 5


def test_what_dramatiq_informs_of_is_debug(configured, monkeypatch, capsys):
    use(monkeypatch, LOG_FORMAT="json", LOG_LEVEL="debug")
    logging.getLogger("dramatiq.worker").info("Worker is booting")
    logging.getLogger("dramatiq.worker").debug("Received message %s", "greet('hunter2')")
    line = one(capsys)
    assert (line["event"], line["level"]) == ("Worker is booting", "debug")


def test_the_level_of_the_settings_is_the_least_shown(configured, monkeypatch, capsys):
    use(monkeypatch, LOG_FORMAT="json", LOG_LEVEL="warning")
    ours().info("quiet")
    ours().warning("loud")
    assert one(capsys)["event"] == "loud"


def test_warnings_of_python_are_lines_too(as_json, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in one(capsys)["event"]


def test_off_a_terminal_lines_are_json(configured, monkeypatch, capsys):
    use(monkeypatch, LOG_FORMAT="auto")
    ours().info("cancel")
    assert one(capsys)["event"] == "cancel"
