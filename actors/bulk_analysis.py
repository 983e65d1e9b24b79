"""Funnels, pace, risks and oddities of all deals at once."""

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from analytics.source import Data
from models import now
from runtime import GiveUp, Run, actor

Client = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Clients = Annotated[list[Client], Field(max_length=1_000)]


@actor(
    queue="analysis",
    retries=2,
    timeout=timedelta(minutes=10),
    isolated=True,
    memory_mb=1024,
    preload=("analytics.bulk",),
)
def bulk_analysis(
    run: Run,
    data: Annotated[Data, Field(description="The deals, open and closed.")],
    client_ids: Annotated[Clients, Field(description="Only these clients, by name; empty: all.")] = [],
    as_of: Annotated[
        date | None, Field(description="Count ages to this day; empty: today, or the data's last day if none is open.")
    ] = None,
) -> dict[str, Any]:
    """Analyse many deals: win rates, months, stale deals, concentration, anomalies, clients."""
    from analytics import bulk
    from analytics.deals import read
    from analytics.errors import BadData

    try:
        analysis = bulk.analyse(
            lambda: read(**data.arguments(run.artifact_path)),
            source=data.label,
            today=now().date(),
            client_ids=client_ids,
            as_of=as_of,
            track=run.track,
        )
    except BadData as error:
        raise GiveUp(str(error)) from error
    file = run.artifact("per_client.csv", analysis.per_client_csv, "text/csv")
    counts = analysis.result["analysed_count"], analysis.result["rejected_rows"]
    run.log("deals analysed: {:,}; rows rejected: {:,}".format(*counts))
    kept = {name: getattr(file, name) for name in ("id", "name", "media_type", "size", "sha256", "url")}
    return analysis.result | {"artifacts": [kept]}
