"""Labels that mean the same and are spelt differently: "GTXPro" and "GTX Pro", "technolgy" and "technology"."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from itertools import combinations

ALIKE = 0.85  # SequenceMatcher.ratio() of two words: "technolgy"/"technology" 0.95, "caldholt"/"alderholt" 0.82
MAX_COMPARED = 300  # labels; beyond it only spelling is compared, since comparing pairs grows with the square
RARE = 1 / 3  # a slip of the pen is rarer than what was meant

SECTORS = (  # noqa: SIM905 - kept as a sentence, not as fifty lines
    "agriculture, automotive, banking, biotechnology, chemicals, construction, consulting, consumer "
    "goods, education, electronics, employment, energy, engineering, entertainment, finance, financial "
    "services, food, government, healthcare, hospitality, insurance, legal, logistics, manufacturing, "
    "marketing, media, medical, mining, non-profit, pharmaceuticals, professional services, public "
    "sector, real estate, retail, security, services, software, technology, telecommunications, tourism, "
    "transport, transportation, travel, utilities, wholesale"
).split(", ")


@dataclass(frozen=True)
class Likeness:
    """`label`, found `count` times, is probably `suggested`; `same` if only case, spaces or punctuation differ."""

    label: str
    suggested: str
    count: int
    same: bool


def plain(label: str) -> str:
    """A label without case, spaces and punctuation: what is left is what was meant."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", label).casefold())


def lookalikes(counts: Mapping[str, int], vocabulary: Iterable[str] = ()) -> list[Likeness]:
    """Labels of one column that look like a commoner label, or like a word of `vocabulary`; the most frequent first."""
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    known: dict[str, str] = {}
    found: dict[str, Likeness] = {}
    for label in ranked:
        first = known.setdefault(plain(label), label)
        if first != label:
            found[label] = Likeness(label, first, counts[label], same=True)
    if len(ranked) <= MAX_COMPARED:
        for commoner, rarer in combinations(ranked, 2):
            if rarer not in found and counts[rarer] <= counts[commoner] * RARE and are_alike(commoner, rarer):
                found[rarer] = Likeness(rarer, commoner, counts[rarer], same=False)
        words = {plain(word): word for word in vocabulary}
        for label in ranked:
            if label not in found and plain(label) not in words:
                for word in get_close_matches(label.casefold(), words.values(), n=3, cutoff=ALIKE):
                    if are_alike(word, label):
                        found[label] = Likeness(label, word, counts[label], same=False)
                        break
    return sorted(found.values(), key=lambda likeness: (-likeness.count, likeness.label))


def are_alike(one: str, other: str) -> bool:
    """Whether a slip of the pen tells two labels apart. Word by word: "North East" and "North West" are not alike."""
    if abs(len(one) - len(other)) > 3:
        return False
    if re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    ours, theirs = one.casefold().split(), other.casefold().split()
    if len(ours) != len(theirs):
        return plain(one) == plain(other)
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return bool(differing) and all(min(len(a), len(b)) >= 5 and _ratio(a, b) > ALIKE for a, b in differing)


@dataclass(frozen=True)
class Joined:
    """`repairs`: name → its spelling in the list. `strangers`: name → the nearest name in the list, or None."""

    repairs: dict[str, str]
    strangers: dict[str, str | None]


def join(names: Iterable[str], listed: Iterable[str]) -> Joined:
    """Match names to a list exactly, else but for case, spaces and punctuation (a repair); the rest are strangers."""
    listed = list(dict.fromkeys(listed))
    exact = set(listed)
    spelt: dict[str, str] = {}
    for name in listed:
        spelt.setdefault(plain(name), name)
    repairs: dict[str, str] = {}
    strangers: dict[str, str | None] = {}
    for name in names:
        if name in exact:
            continue
        if plain(name) in spelt:
            repairs[name] = spelt[plain(name)]
        else:
            nearest = get_close_matches(plain(name), spelt, n=1, cutoff=0.6) if len(strangers) < MAX_COMPARED else []
            strangers[name] = spelt[nearest[0]] if nearest else None
    return Joined(repairs, strangers)


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other)
    return matcher.ratio() if matcher.quick_ratio() > ALIKE else 0.0
