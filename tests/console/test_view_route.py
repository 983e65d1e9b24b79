"""Files shown in place: what a browser gets is a picture or a PDF under its true type, or nothing."""

import pytest

from services import artifacts
from tests.console.conftest import signed_in
from tests.services.test_previews import HTML, PNG, SVG
from tests.support import one_ledger

pytestmark = one_ledger


@pytest.fixture
def browser(client, ada):
    return signed_in(client(), ada)


@pytest.mark.parametrize(
    ("name", "data", "kind"), [("a.html", PNG, "image/png"), ("a", b"%PDF-1.7\n", "application/pdf")]
)
def test_a_picture_or_pdf_is_shown_under_the_type_of_its_bytes(browser, name, data, kind):
    one = artifacts.save(name, data, "text/html")
    answer = browser.get(f"{one.url}/view")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, data, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline;")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert ("sandbox" in policy) == (kind != "application/pdf")


@pytest.mark.parametrize("data", [HTML, SVG, b"%!PS", b" %PDF-1.7", b"", b"\0"])
@pytest.mark.parametrize("said", ["image/png", "application/pdf", "text/html", "image/svg+xml"])
def test_whatever_else_is_not_shown_whatever_it_is_said_to_be(browser, data, said):
    one = artifacts.save("a.png", data, said)
    answer = browser.get(f"{one.url}/view")
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/json"


def test_a_stranger_sees_no_file(client, ledger):
    one = artifacts.save("a.png", PNG)
    assert client().get(f"{one.url}/view").status_code == 401


def test_there_is_no_view_of_what_is_not_there(browser):
    assert browser.get("/api/artifacts/999/view").status_code == 404
