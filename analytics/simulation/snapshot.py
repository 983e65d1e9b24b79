"""The pipeline as it stood at the end of a day: what was open, and what was known by then."""

from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from analytics.errors import BadData

NO_SEGMENT = "No segment"
OTHER_SEGMENTS = "Other segments"
MOST_SEGMENTS = 60
ABSURD = 1e15  # squares and sums of such numbers stay finite; no deal is worth it


@dataclass(frozen=True)
class Snapshot:
    """Deals in the canonical columns, and more: `age` (days) in `open`; `won` and `cycle` (days, NaN where a
    date is missing) in `closed`. `segment` is never missing; `amount` is positive or NaN."""

    as_of: date
    open: pd.DataFrame
    closed: pd.DataFrame
    segments: list[str]
    warnings: list[str] = field(default_factory=list)


def take(frame: pd.DataFrame, as_of: date | None = None) -> Snapshot:
    """The canonical deals as they stood at the end of `as_of` (None: the last day the data knows).

    An earlier day rewinds: deals opened later are left out, deals closed later are open. That is also how the
    simulation is checked against what really happened. Raises BadData where there is no day to stand on.
    """
    warnings: list[str] = []
    day = pd.Timestamp(as_of) if as_of else _last_day(frame)
    frame = _rewound(frame, day, warnings)
    frame = frame.assign(segment=_segments(frame, warnings), amount=_amounts(frame["amount"], warnings))
    is_open = frame["outcome"].eq("open")
    return Snapshot(
        as_of=day.date(),
        open=_with_age(frame[is_open], day, warnings),
        closed=_with_cycle(frame[~is_open], warnings),
        segments=sorted(frame["segment"].unique()),
        warnings=warnings,
    )


def _last_day(frame: pd.DataFrame) -> pd.Timestamp:
    # An open deal's closing date is a hope, often far in the future: it says nothing about today.
    closed_on = frame.loc[frame["outcome"].ne("open"), "closed_on"]
    last = pd.concat([frame["opened_on"], closed_on]).max()
    if pd.isna(last):
        raise BadData("as_of is empty and no deal has a date to take it from: give as_of.")
    return last.normalize()


def _rewound(frame: pd.DataFrame, day: pd.Timestamp, warnings: list[str]) -> pd.DataFrame:
    end = day + pd.Timedelta(days=1)
    later = frame["opened_on"].ge(end)
    frame = frame[~later]
    undone = frame["outcome"].ne("open") & frame["closed_on"].ge(end)
    if later.any() or undone.any():
        warnings.append(
            f"As of {day:%Y-%m-%d}: {counted(undone.sum(), 'deal')} closed later and taken as open, "
            f"{counted(later.sum(), 'deal')} opened later and left out."
        )
    # Their stage says how they ended, which nobody knew on that day.
    return frame.assign(outcome=frame["outcome"].mask(undone, "open"), stage=frame["stage"].mask(undone, None))


def _segments(frame: pd.DataFrame, warnings: list[str]) -> pd.Series:
    name = "segment"
    if frame["segment"].isna().all() and frame["product"].notna().any():
        name = "product"
        warnings.append("The data has no segments: products stand in for them.")
    labels = frame[name].astype("object").where(frame[name].notna(), NO_SEGMENT).astype(str)
    known = labels.value_counts()
    if len(known) > MOST_SEGMENTS:
        warnings.append(
            f"The data has {len(known):,} segments: the {MOST_SEGMENTS} largest are kept apart, the rest are "
            f"counted as “{OTHER_SEGMENTS}”."
        )
        labels = labels.where(labels.isin(known.index[:MOST_SEGMENTS]), OTHER_SEGMENTS)
    return labels


def _amounts(amount: pd.Series, warnings: list[str]) -> pd.Series:
    """Missing, zero, negative and absurd amounts are all unknown ones."""
    numbers = pd.to_numeric(amount, errors="coerce").astype(float)
    absurd = int((numbers > ABSURD).sum())
    if absurd:
        warnings.append(f"An amount above {ABSURD:,.0f} in {counted(absurd, 'deal')}: taken as unknown.")
    return numbers.where((numbers > 0) & (numbers <= ABSURD))


def _with_age(deals: pd.DataFrame, day: pd.Timestamp, warnings: list[str]) -> pd.DataFrame:
    age = (day - deals["opened_on"]).dt.days.astype(float).clip(lower=0)
    unknown = int(age.isna().sum())
    if unknown:
        typical = 0.0 if unknown == len(age) else float(age.median())
        warnings.append(
            f"No opening date in {counted(unknown, 'open deal')}: taken to be {counted(round(typical), 'day')} old."
        )
        age = age.fillna(typical)
    return deals.assign(age=age).reset_index(drop=True)


def _with_cycle(deals: pd.DataFrame, warnings: list[str]) -> pd.DataFrame:
    cycle = (deals["closed_on"] - deals["opened_on"]).dt.days.astype(float)
    if (cycle < 0).any():
        warnings.append(
            f"Closed before they were opened: {counted((cycle < 0).sum(), 'deal')}, whose dates are not used."
        )
    # Opened and closed on one day took part of a day, not none: a Gamma curve has no place for zero.
    cycle = cycle.where(cycle >= 0).clip(lower=0.5)
    return deals.assign(cycle=cycle, won=deals["outcome"].eq("won")).reset_index(drop=True)


def counted(number: int, noun: str) -> str:
    """ "1 deal", "1,200 deals"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
