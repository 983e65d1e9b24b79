"""Stages become outcomes; labels that look alike are reported, and repaired only where spelling alone differs."""

import pytest

from analytics.deals import read
from analytics.deals.labels import are_alike, join, lookalikes
from analytics.deals.stages import outcome
from analytics.errors import BadData
from tests.analytics.deals.deal_files import checks


@pytest.mark.parametrize(
    ("stage", "means"),
    [
        ("Won", "won"), ("Closed Won", "won"), ("CLOSED-WON", "won"), ("6 - Closed won", "won"), ("closedwon", "won"),
        ("Lost", "lost"), ("Closed Lost", "lost"), ("Closed/Lost", "lost"), ("No decision", "lost"),
        ("Prospecting", "open"), ("Engaging", "open"), ("Negotiation/Review", "open"), ("03. Negotiation", "open"),
        ("Proposal (75%)", "open"), ("Id. Decision Makers", "open"),
        ("Closed", None), ("Purgatory", None), ("", None), ("12", None),
    ],
)  # fmt: skip
def test_stages_are_won_lost_open_or_unknown(stage: str, means: str | None) -> None:
    assert outcome(stage) == means


def test_an_unknown_stage_counts_as_open_and_is_reported() -> None:
    deals = read([{"stage": "Purgatory", "amount": 5}, {"stage": "won", "amount": 5}])
    assert deals.frame["outcome"].tolist() == ["open", "won"]
    [issue] = [issue for issue in deals.issues if issue.check == "unknown_stage"]
    assert issue.sentence.startswith("1 deal at a stage not known to be won, lost or open")
    assert issue.examples == ["Purgatory"]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("technology", "technolgy", True), ("GTX Pro", "GTXPro", True), ("Acme Corporation", "Acme Corporaton", True),
        ("Tier 1", "Tier 2", False), ("North East", "North West", False), ("Team A", "Team B", False),
        ("GTX Pro", "GTX Plus Pro", False), ("medical", "mechanical", False), ("retail", "finance", False),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_told_from_another_name(one: str, other: str, alike: bool) -> None:
    assert are_alike(one, other) is are_alike(other, one) is alike


def test_the_commoner_spelling_is_suggested() -> None:
    counts = {"technology": 40, "technolgy": 2, "GTX Pro": 9, "gtx-pro": 8, "retail": 40}
    assert [(found.label, found.suggested, found.same) for found in lookalikes(counts)] == [
        ("gtx-pro", "GTX Pro", True),
        ("technolgy", "technology", False),
    ]


def test_a_misspelt_sector_is_found_where_nobody_spells_it_right() -> None:
    rows = [
        {"stage": "won", "amount": 5, "sector": sector} for sector in ("technolgy", "technolgy", "retail", "odd one")
    ]
    deals = read(rows)
    [issue] = [issue for issue in deals.issues if issue.check == "similar_segment"]
    assert (issue.count, issue.action, issue.examples) == (2, "reported", ["technolgy → technology (2)"])
    assert deals.frame["segment"].tolist() == [row["sector"] for row in rows]


def test_names_join_a_list_exactly_or_by_spelling_and_strangers_get_the_nearest_name() -> None:
    joined = join(["GTX Pro", "GTXPro", "gtx  basic", "GTX Prow", "Zebra"], ["GTX Pro", "GTX Basic"])
    assert joined.repairs == {"GTXPro": "GTX Pro", "gtx  basic": "GTX Basic"}
    assert joined.strangers == {"GTX Prow": "GTX Pro", "Zebra": None}


def test_a_product_list_repairs_spelling_and_reports_strangers(tmp_path) -> None:
    products = tmp_path / "products.csv"
    products.write_text("product,price\nGTX Pro,5\nLoom,6\n")
    rows = [{"stage": "won", "amount": 5, "product": name} for name in ("GTXPro", "GTX Pro", "Loomm", "Zebra")]
    deals = read(rows, lookup_path=products)
    assert deals.frame["product"].tolist() == ["GTX Pro", "GTX Pro", "Loomm", "Zebra"]
    found = {issue.check: issue for issue in deals.issues}
    assert found["product_spelling"].action == "repaired"
    assert "repaired: GTXPro → GTX Pro (1)" in found["product_spelling"].sentence
    assert found["product_not_listed"].action == "reported"
    assert "Loomm (1), nearest Loom" in found["product_not_listed"].sentence
    assert "similar_product" not in checks(deals)


def test_a_list_without_names_is_refused_and_one_for_nothing_is_mentioned(tmp_path) -> None:
    products = tmp_path / "products.csv"
    products.write_text("colour,price\nred,5\n")
    with pytest.raises(
        BadData, match=r"The product list cannot be used. No column is called product or name.*It has: colour, price"
    ):
        read([{"stage": "won", "amount": 5, "product": "Loom"}], lookup_path=products)
    assert "the product list was not used" in " ".join(
        read([{"stage": "won", "amount": 5}], lookup_path=products).warnings
    )
