"""What a stored file shows is told by its own bytes; what a browser could run is only ever text."""

import json

import pytest

from services import artifacts, previews
from services.errors import NotFound

pytestmark = pytest.mark.usefixtures("core")

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def shown(name: str, data: bytes, media_type: str | None = None) -> previews.Preview | None:
    return previews.of(artifacts.save(name, data, media_type))


@pytest.mark.parametrize(
    ("data", "kind", "media_type"),
    [
        (PNG, "image", "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "image", "image/jpeg"),
        (b"GIF89a" + b"\0" * 20, "image", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp"),
        (b"%PDF-1.7\n", "pdf", "application/pdf"),
    ],
)
def test_pictures_and_pdf_are_known_by_their_beginning_whatever_they_are_called(data, kind, media_type):
    for name in ("a.png", "a.html", "a"):
        found = shown(name, data)
        assert found is not None
        assert (found.kind, found.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    ("name", "said"), [("a.svg", "image/svg+xml"), ("a.html", "text/html"), ("a.png", "image/png")]
)
@pytest.mark.parametrize("data", [SVG, HTML])
def test_what_a_browser_could_run_is_text(name, said, data):
    found = shown(name, data, said)
    assert found is not None
    assert (found.kind, found.content) == ("text", data.decode())
    assert previews.media_type(data) is None


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_is_its_rows(sign):
    data = "\n".join(
        sign.join(row) for row in (["name", "n"], ["lisbon", "1"], ["porto, north" if sign != "," else "x", "2"])
    )
    found = shown("a.csv", ("\ufeff" + data).encode())
    assert found is not None
    assert (found.kind, found.content[0], len(found.content), found.cut) == ("table", ["name", "n"], 3, False)


def test_a_long_table_shows_its_beginning_in_whole_rows():
    lines = ["name,n"] + [f"row-{n:06},{n}" for n in range(60_000)]
    found = shown("a.csv", "\n".join(lines).encode())
    assert found is not None
    assert found.cut
    assert len(found.content) == previews.MOST_ROWS + 1
    assert all(len(row) == 2 for row in found.content)


def test_json_is_its_value_and_broken_json_is_text():
    found, broken = shown("a.json", json.dumps({"a": [1]}).encode()), shown("b.json", b'{"a": ')
    assert found is not None
    assert broken is not None
    assert (found.kind, found.content, broken.kind) == ("json", {"a": [1]}, "text")


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 50_000])
def test_json_that_is_too_deep_is_text(data):
    found = shown("deep.json", data)
    assert found is not None
    assert found.kind == "text"


@pytest.mark.parametrize("data", [b"\0\1\2", b"\xff\xfe\xfd" * 20, b"PK\x03\x04\x14\0"])
def test_what_is_neither_text_nor_a_picture_is_not_shown(data):
    assert shown("a.bin", data) is None
    assert shown("a.csv", data) is None


def test_a_letter_cut_in_two_at_the_end_spoils_no_text():
    data = "é".encode() * previews.LARGEST_TEXT
    found = shown("a.txt", b"x" + data)
    assert found is not None
    assert found.cut
    assert set(found.content) == {"x", "é"}


def test_a_huge_picture_is_not_shown(monkeypatch):
    monkeypatch.setattr(previews, "LARGEST_SHOWN", 20)
    assert shown("a.png", PNG) is None


def test_a_file_that_is_gone_is_said_to_be():
    one = artifacts.save("a.txt", b"x")
    artifacts.open_local(one.id).unlink()
    with pytest.raises(NotFound, match="is gone from the store"):
        previews.of(one)


def test_an_empty_file_is_empty_text():
    found = shown("a.txt", b"")
    assert found is not None
    assert (found.kind, found.content) == ("text", "")
