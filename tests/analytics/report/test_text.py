"""Words of others are made safe before anything is drawn."""

from analytics.report.text import clean, sentence_case, several, shorten, slug


def test_controls_that_turn_text_round_are_dropped():
    assert clean("\u202egnp.exe\u2066\u200b\ufeff") == "gnp.exe"


def test_what_xml_cannot_hold_is_dropped_and_lines_become_one():
    assert clean("a\x00b\ud800c\ufffe\n\td  e") == "abc d e"


def test_accents_are_composed_so_that_one_letter_is_one_glyph():
    assert clean("Zu\u0308rich") == "Zürich"


def test_long_text_ends_in_an_ellipsis_within_its_length():
    assert shorten("abcdef", 4) == "abc…"
    assert len(clean("x" * 10_000)) == 2_000


def test_a_slug_is_a_safe_file_name_whatever_the_title_is():
    assert slug("Übersicht: Q1/2017 …") == "ubersicht-q1-2017"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("株式会社") == "report"
    assert len(slug("word " * 50)) <= 60


def test_keys_read_as_labels_and_counts_agree_with_their_noun():
    assert sentence_case("won_amount") == "Won amount"
    assert [several(n, "deal") for n in (0, 1, 1234)] == ["0 deals", "1 deal", "1,234 deals"]
