"""Which clients an analysis is asked for, and which of them the data knows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import duckdb

from analytics.deals.labels import plain


@dataclass(frozen=True)
class Wanted:
    """`found`: names as the data spells them; `unknown`: names it lacks; `nearest`: what those may have meant."""

    all: bool
    found: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    nearest: list[str] = field(default_factory=list)


def wanted(con: duckdb.DuckDBPyConnection, client_ids: Sequence[str]) -> Wanted:
    """Find clients of the table `given` by name, whatever its case, spaces and punctuation; none named means all."""
    if not client_ids:
        return Wanted(all=True)
    rows = con.execute("SELECT DISTINCT client FROM given WHERE client IS NOT NULL ORDER BY client").fetchall()
    names = [name for (name,) in rows]
    spelt: dict[str, list[str]] = {}
    for name in names:
        spelt.setdefault(plain(name), []).append(name)
    exact = set(names)
    found: dict[str, None] = {}
    unknown = []
    for asked in dict.fromkeys(client_ids):
        same = [asked] if asked in exact else spelt.get(plain(asked), [])
        found.update(dict.fromkeys(same))
        if not same:
            unknown.append(asked)
    near = [match for asked in unknown[:5] for match in get_close_matches(asked, names, n=1)]
    return Wanted(all=False, found=list(found), unknown=unknown, nearest=near)
