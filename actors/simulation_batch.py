"""Monte Carlo of a sales pipeline, several what-ifs at once."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from analytics.simulation.scenario import DEFAULTS, Scenarios
from analytics.source import Data
from runtime import GiveUp, Run, actor

if TYPE_CHECKING:
    from analytics.deals import Deals


@actor(
    queue="analysis",
    retries=2,
    timeout=timedelta(minutes=10),
    isolated=True,
    memory_mb=1024,
    estimate_s=6,
    preload=("analytics.deals", "analytics.simulation.simulate"),
)
def simulation_batch(
    run: Run,
    data: Annotated[Data, Field(description="The deals, open and closed.")],
    scenarios: Annotated[
        Scenarios, Field(description="What-ifs, compared with a base that changes nothing.")
    ] = DEFAULTS,
    iterations: Annotated[int, Field(ge=100, le=1_000_000, description="More of them, less noise.")] = 10_000,
    horizon_days: Annotated[int, Field(ge=1, le=1_825, description="Only what closes by then counts.")] = 90,
    seed: Annotated[int, Field(ge=0, lt=2**53, description="The same seed gives the same result.")] = 1,
    correlation: Annotated[float, Field(ge=0, lt=1, description="How far deals share good and bad times.")] = 0.15,
    target: Annotated[float | None, Field(gt=0, le=1e18, description="An amount to reach, if any.")] = None,
    as_of: Annotated[date | None, Field(description="Simulate from this day; empty: the data's last day.")] = None,
) -> dict[str, Any]:
    """Simulate what a pipeline brings in, scenario by scenario."""
    from analytics.deals import read
    from analytics.errors import BadData
    from analytics.simulation.simulate import simulate

    run.progress(0, 1, "reading the deals")
    try:
        deals = read(**data.arguments(run.artifact_path))
        result = simulate(
            deals.frame,
            scenarios,
            iterations=iterations,
            horizon_days=horizon_days,
            seed=seed,
            correlation=correlation,
            target=target,
            as_of=as_of,
            step=run.progress,  # also where a cancellation takes effect
        )
    except BadData as error:
        raise GiveUp(str(error)) from error
    run.log(f"{result['scenarios_run']} scenarios of {result['deals_simulated']:,} deals, {iterations:,} times")
    return result | {"warnings": _of_reading(deals) + result["warnings"]}


def _of_reading(deals: "Deals") -> list[str]:
    """What reading the deals found that changes a simulation."""
    told = {"unknown_stage"}  # taken as open, and so simulated
    found = [issue.sentence for issue in deals.issues if issue.severity == "error" or issue.check in told]
    # The columns that other analyses miss are no loss here; those that this one misses it names itself.
    return found + [said for said in deals.warnings if not said.startswith("There is no column for")]
