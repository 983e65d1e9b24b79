"""What a reader must know: warnings about this data, and the limits of any such simulation."""

import numpy as np
import pandas as pd

from analytics.simulation import timing
from analytics.simulation.arrivals import Arrivals
from analytics.simulation.model import CEILING
from analytics.simulation.pipeline import Pipeline
from analytics.simulation.scenario import Scenario
from analytics.simulation.snapshot import counted

FEW = 30
LOOSE = 0.1


def warnings(model: Pipeline | Arrivals, scenarios: list[Scenario]) -> list[str]:
    own = _of_pipeline(model) if isinstance(model, Pipeline) else _of_arrivals(model)
    return [
        *model.snapshot.warnings,
        *own,
        *_of_history(model.snapshot.closed),
        *_of_curve(model),
        *_of_ceiling(model, scenarios),
    ]


def limits(model: Pipeline | Arrivals) -> list[str]:
    """What the model does not know, whatever the data."""
    if isinstance(model, Pipeline):
        own = [
            "Only deals open today are counted: deals that open later, even inside the horizon, are not.",
            "How long deals take is learnt from won ones; the slowest, those still open, are not among them.",
            "A deal's age moves when it closes, not how likely it is won.",
            "A deal's amount is taken as it stands: discounts and changes on the way are not simulated.",
        ]
        if not model.rates.stages:
            own.append("A deal's stage is not used: the history does not say how closed deals fared from each stage.")
    else:
        own = [
            "Deals in progress today are not in the data: the period starts with nothing in hand.",
            "Deals are taken to arrive at one steady pace: growth, seasons and campaigns are not simulated.",
        ]
    return [
        *own,
        "The future is taken to be like the history: no trend, season or change of market, prices or people.",
        "Of a deal, only segment, stage, age and amount are used; client, owner and what was said are not.",
        f"The correlation between deals ({model.correlation:g}) is an assumption, not learnt from the data.",
        "The spread includes chance and the uncertainty of win rates"
        + (" and of the pace of arrivals" if isinstance(model, Arrivals) else "")
        + ", not that of the time curves or of the model itself.",
        "Scenarios say what would follow from a change, not whether it can be reached or what it costs.",
        "Standard errors measure the noise of the simulation only; more iterations lower them, nothing else.",
    ]


def _of_pipeline(model: Pipeline) -> list[str]:
    found = []
    if len(model.unknown):
        found.append(
            f"No amount in {counted(len(model.unknown), 'open deal')} of {model.deals:,}: drawn from won deals of the "
            "same product or, where there are few, of the same segment or of all."
        )
    oldest = model.snapshot.closed["cycle"].max()
    old = model.age > oldest
    if old.any():
        worth = np.nansum(model.amount[old]) / max(np.nansum(model.amount), 1e-9)
        found.append(
            f"Older than any closed deal ever was ({oldest:.0f} days): {counted(old.sum(), 'open deal')}, {worth:.0%} "
            "of the known open amount. The history cannot speak for them, and the simulation is likely to "
            "flatter them: close those that are dead."
        )
    return found


def _of_arrivals(model: Arrivals) -> list[str]:
    pace, days, closed = model.pace, model.horizon, model.snapshot.closed
    what = "opened" if pace.counted == "opened_on" else "closed (too few days to count openings)"
    per_day = pace.counts.sum() / pace.days
    found = [
        f"There is no open deal in the data. Simulated is a period of {days:g} days that starts with none in "
        f"progress: about {counted(model.deals, 'deal')} arrive ({per_day:.1f} a day, as many as were {what} "
        f"between {pace.first:%Y-%m-%d} and {pace.last:%Y-%m-%d}), and those that close within the period count."
    ]
    span = (closed["closed_on"].max() - closed["closed_on"].min()).days + 1
    if span >= days:
        usual = closed.loc[closed["won"] & closed["closed_on"].notna(), "amount"].sum() / span * days
        found.append(
            f"For comparison: {days:g} days of the history brought in {usual:,.0f} on average. That includes deals "
            "begun before, which the simulated period does not have."
        )
    return found


def _of_history(closed: pd.DataFrame) -> list[str]:
    found = []
    if closed.empty:
        found.append("There is no closed deal: any win rate from 0 to 100% is taken to be equally likely.")
    elif len(closed) < FEW:
        found.append(f"Win rates are little more than guesses: only {counted(len(closed), 'closed deal')}.")
    cycles = closed.loc[closed["won"], "cycle"].dropna()
    if closed["cycle"].isna().all():
        found.append(
            f"No closed deal has both dates: deals are taken to last {timing.UNKNOWN_MEAN:.0f} days on average."
        )
    elif cycles.empty:
        found.append("No won deal has both dates: how long deals take is learnt from lost ones.")
    return found


def _of_curve(model: Pipeline | Arrivals) -> list[str]:
    """How far the Gamma curve is from the days that won deals really took, and what that does to this run."""
    closed = model.snapshot.closed
    cycles = closed.loc[closed["won"], "cycle"].dropna()
    gap = timing.fit(cycles).gap(cycles)
    if len(cycles) < FEW or gap <= LOOSE:
        return []
    sentence = f"The Gamma curve fits the days that won deals took only loosely (largest distance {gap:.0%})"
    if isinstance(model, Pipeline) and (known := model.age < np.quantile(cycles, 0.95)).any():
        seen = timing.seen_within(cycles, model.horizon, model.age[known]).mean()
        curve = model.curve.closes_within(model.horizon, model.age)[known].mean()
        sentence += f": it lets {curve:.0%} of the open deals close in time, the history itself {seen:.0%}"
    return [sentence + "."]


def _of_ceiling(model: Pipeline | Arrivals, scenarios: list[Scenario]) -> list[str]:
    chance, found = model.chance(), []
    what = "open deal" if isinstance(model, Pipeline) else "segment"
    for scenario in scenarios:
        held = int((chance * scenario.win_rate_mult > np.maximum(chance, CEILING)).sum())
        if held:
            found.append(
                f"{scenario.name}: × {scenario.win_rate_mult:g} would lift the win rate of {counted(held, what)} above "
                f"{CEILING:.0%}, where it is held."
            )
    return found
