"""Simulate a pipeline: the way in."""

from datetime import date
from typing import Any

import pandas as pd

from analytics.errors import BadData
from analytics.simulation import engine, notes, snapshot, summary
from analytics.simulation.arrivals import Arrivals
from analytics.simulation.pipeline import Pipeline
from analytics.simulation.scenario import DEFAULTS, Scenario, with_base

ENGINE = "local:monte-carlo-pipeline@1"


def simulate(
    frame: pd.DataFrame,
    scenarios: list[Scenario] = DEFAULTS,
    *,
    iterations: int = 10_000,
    horizon_days: float = 90,
    seed: int = 1,
    correlation: float = 0.15,
    target: float | None = None,
    as_of: date | None = None,
    step: engine.Step = lambda done, total, note: None,
) -> dict[str, Any]:
    """What the open deals of a canonical frame bring in within `horizon_days` of `as_of`, by scenario.

    Where no deal is open: what the next such period brings in at the pace of the history. Amounts are in the
    data's currency. `step` (done, total, note) is called between batches and may raise to stop. BadData says
    what the data lacks.
    """
    scenarios = with_base(scenarios)
    if frame.empty:
        raise BadData("The data has no usable deal: nothing can be simulated.")
    taken = snapshot.take(frame, as_of)
    _refuse_unknown_segments(scenarios, taken.segments)
    kind = Arrivals if taken.open.empty else Pipeline
    model = kind(taken, horizon_days, correlation)
    totals = engine.run(model, scenarios, iterations, seed, step)
    return {
        "engine": ENGINE,
        "engine_kind": "local",
        "warnings": notes.warnings(model, scenarios),
        "limits": notes.limits(model),
        "scenarios_run": len(scenarios),
        "seed": seed,
        "iterations": iterations,
        "horizon_days": horizon_days,
        "as_of": taken.as_of.isoformat(),
        "target": target,
        "correlation": correlation,
        "basis": model.basis,
        "deals_simulated": model.deals,
        "rows": summary.rows(totals, scenarios, target),
        "histogram": summary.histogram(totals, scenarios),
        "drivers": summary.drivers(totals, model.segments),
    }


def _refuse_unknown_segments(scenarios: list[Scenario], known: list[str]) -> None:
    for scenario in scenarios:
        for segment in scenario.drop_segments:
            if segment not in known:
                listed = ", ".join(known[:10]) + (" …" if len(known) > 10 else "")
                raise BadData(
                    f"drop_segments of {scenario.name!r} names {segment!r}, which the data does not have: "
                    f"choose from {listed}."
                )
