"""Words of others are shown as they are; browsers are told by name."""

import pytest

from console.ui import browsers, say


@pytest.mark.parametrize(
    "words", ["see http://evil.example/x", "HTTPS://evil.example", "www.evil.example", "a@b.example"]
)
def test_an_address_in_words_of_others_becomes_no_link(words):
    shown = say.plain(words)
    assert shown.replace(":small[]", "").replace("\\", "") == words
    assert ":small[]" in shown  # an empty piece of markup: Markdown makes links of whole addresses alone


def test_words_without_an_address_are_left_as_they_are():
    assert say.plain("it broke, page 7 of 9") == "it broke, page 7 of 9"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox 150 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0",
         "Edge 156 on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605 (KHTML, like Gecko) Version/26.1 Safari/605",
         "Safari 26 on macOS"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", "Chrome 156 on Android"),
        ("curl/8.1", "curl/8.1"), ("", "A browser that does not say its name"),
        (None, "A browser that does not say its name"),
    ],
)  # fmt: skip
def test_a_browser_is_told_by_its_own_name(said, name):
    assert browsers.name(said) == name
