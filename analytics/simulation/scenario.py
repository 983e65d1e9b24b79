"""What-ifs: how a scenario differs from the base one."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

BASE = "base"
MOST = 20

Multiplier = Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)]


class Scenario(BaseModel):
    """One what-if; a multiplier of 1 changes nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    win_rate_mult: Annotated[Multiplier, Field(description="times each deal's chance to be won")] = 1.0
    cycle_mult: Annotated[Multiplier, Field(description="times the days from now to the close")] = 1.0
    amount_mult: Annotated[Multiplier, Field(description="times each amount won")] = 1.0
    drop_segments: Annotated[list[str], Field(max_length=100, description="segments left out")] = []

    @property
    def changes_nothing(self) -> bool:
        return self.win_rate_mult == self.cycle_mult == self.amount_mult == 1 and not self.drop_segments


def with_base(scenarios: list[Scenario]) -> list[Scenario]:
    """The same scenarios, the base one first, added where nobody named it. Raises ValueError in sentences."""
    names = [scenario.name.casefold() for scenario in scenarios]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ValueError(
                f"scenarios has the name {scenarios[position].name!r} twice: give each scenario its own name."
            )
    base = next((one for one in scenarios if one.name.casefold() == BASE), Scenario(name=BASE))
    if not base.changes_nothing:
        raise ValueError(
            f"scenarios: {base.name!r} is what the others are compared with and changes nothing itself: "
            "give that scenario another name."
        )
    return [base, *(one for one in scenarios if one is not base)]


Scenarios = Annotated[list[Scenario], Field(max_length=MOST), AfterValidator(with_base)]

DEFAULTS = [
    Scenario(name=BASE),
    Scenario(name="win rate +10 %", win_rate_mult=1.1),
    Scenario(name="slower cycle +25 %", cycle_mult=1.25),
    Scenario(name="smaller deals −10 %", amount_mult=0.9),
]
