"""Which column of a source is which: by the names that CRM exports use, or as the sender says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.deals.labels import plain
from analytics.errors import BadData

REQUIRED = ("stage", "amount")

# In order of preference: where a file has two of them, the first wins and the other is reported as unused.
ALIASES: dict[str, tuple[str, ...]] = {
    "deal": (
        "deal id", "opportunity id", "deal number", "deal no", "deal", "opportunity", "id",
        "opportunity name", "deal name",
    ),
    "client": (
        "client", "account", "account name", "client name", "customer", "customer name", "company",
        "company name", "organisation", "organization", "account id", "client id", "customer id",
    ),
    "owner": (
        "owner", "sales agent", "agent", "deal owner", "opportunity owner", "account owner", "owner name",
        "sales rep", "rep", "salesperson", "seller", "assigned to",
    ),
    "segment": ("segment", "sector", "industry", "vertical", "market", "category"),
    "product": ("product", "product name", "item", "sku", "offering", "plan"),
    "stage": (
        "stage", "deal stage", "status", "deal status", "opportunity stage", "stage name", "sales stage",
        "pipeline stage", "outcome",
    ),
    "amount": (
        "amount", "close value", "deal value", "value", "deal amount", "opportunity amount", "revenue",
        "price", "total", "amount usd", "amount eur", "contract value", "acv", "tcv", "arr",
    ),
    "opened_on": (
        "opened on", "engage date", "open date", "opened", "created", "created at", "created on",
        "create date", "created date", "creation date", "start date", "date opened", "opened at",
    ),
    "closed_on": (
        "closed on", "close date", "closed", "closed at", "closing date", "closed date", "won date",
        "date closed", "end date", "expected close date",
    ),
    "region": ("region", "regional office", "territory", "area", "country", "location", "office location"),
}  # fmt: skip


@dataclass(frozen=True)
class Recognised:
    """Canonical name → position in the source's columns; the positions nobody claimed are `unused`."""

    positions: dict[str, int]
    unused: list[str]


def recognise(names: Sequence[str], told: Mapping[str, str]) -> Recognised:
    """Find each canonical column among `names`; `told` (canonical → source) goes first. Raises BadData."""
    positions = {canonical: _position(canonical, source, names) for canonical, source in told.items()}
    spelt = [plain(name) for name in names]
    for canonical, aliases in ALIASES.items():
        if canonical in positions:
            continue
        for alias in map(plain, aliases):
            if alias in spelt and spelt.index(alias) not in positions.values():
                positions[canonical] = spelt.index(alias)
                break
    unused = [name for place, name in enumerate(names) if place not in positions.values()]
    for canonical in REQUIRED:
        if canonical not in positions:
            raise BadData(_missing(canonical, names, unused))
    return Recognised(positions, unused)


def _position(canonical: str, source: str, names: Sequence[str]) -> int:
    if canonical not in ALIASES:
        fields = ", ".join(ALIASES)
        raise BadData(f"columns names {canonical!r}, which is no field of a deal. Fields are: {fields}.")
    if source in names:
        return names.index(source)
    spelt = [plain(name) for name in names]
    if plain(source) in spelt:
        return spelt.index(plain(source))
    raise BadData(
        f"columns says that {canonical} is {source!r}, but there is no such column. The data has: {seen(names)}."
    )


def _missing(canonical: str, names: Sequence[str], unused: Sequence[str]) -> str:
    remedy = (
        f'Say which one it is, for example columns={{"{canonical}": "{unused[0][:60]}"}}.'
        if unused
        else f"Add a column called {canonical}."
    )
    return f"No column was recognised as {canonical}. The data has: {seen(names)}. {remedy}"


def seen(names: Sequence[str], limit: int = 30) -> str:
    """The names of columns, for a sentence."""
    shown = ", ".join(name[:60] for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
