"""What a won deal is worth where the data does not say: a draw from what such deals brought in before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import BadData

Floats = NDArray[np.float64]

ENOUGH = 5  # won amounts that a product or a segment needs to be drawn from alone


@dataclass(frozen=True)
class Pools:
    """Historic won amounts, one after the other; group g owns `amounts[first[g] : first[g] + size[g]]`."""

    amounts: Floats
    first: NDArray[np.int64]
    size: NDArray[np.int64]

    def at(self, luck: Floats, group: NDArray[np.int64]) -> Floats:
        """The amounts that `luck` (uniform, 0..1) points at in each `group`'s pool."""
        return self.amounts[self.first[group] + (luck * self.size[group]).astype(np.int64)]


def pools(known: pd.DataFrame, deals: pd.DataFrame) -> Pools:
    """A pool for each of `deals`: amounts of its product, else of its segment, else of all in `known`.

    Raises BadData where no amount is known.
    """
    known = known[known["amount"].notna()]
    if known.empty:
        raise BadData(
            "amount is missing or zero in every deal that could stand in for others: map the column that "
            "holds the amounts."
        )
    kept = [known["amount"].to_numpy(float)]
    number: dict[tuple[str, str], int] = {}
    for by in ("product", "segment"):
        for name, amounts in known.groupby(by, observed=True)["amount"]:
            if len(amounts) >= ENOUGH:
                number[by, str(name)] = len(kept)
                kept.append(amounts.to_numpy(float))
    size = np.array([len(amounts) for amounts in kept])
    start = size.cumsum() - size
    chosen = np.array(
        [
            number.get(("product", str(product)), number.get(("segment", str(segment)), 0))
            for product, segment in zip(deals["product"], deals["segment"], strict=True)
        ],
        dtype=np.int64,
    )
    return Pools(np.concatenate(kept), start[chosen], size[chosen])
