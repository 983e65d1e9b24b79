"""What a stage means for a deal: won, lost, or still open."""

import re
from typing import Literal

from analytics.deals.labels import plain

Outcome = Literal["won", "lost", "open"]

_WON = "won, closed won, close won, won closed, win, closed win, deal won, signed, contract signed, successful, success"
_LOST = (
    "lost, closed lost, close lost, lost closed, loss, closed loss, deal lost, disqualified, "
    "unqualified, abandoned, dead, rejected, declined, no decision, cancelled, canceled, withdrawn, "
    "unsuccessful"
)
_OPEN = (
    "open, new, lead, new lead, prospect, prospecting, qualification, qualified, qualifying, qualified "
    "to buy, engaging, engaged, contacted, discovery, needs analysis, value proposition, id decision "
    "makers, decision makers, perception analysis, appointment, appointment scheduled, meeting, meeting "
    "scheduled, demo, demo scheduled, presentation, presentation scheduled, decision maker bought in, "
    "evaluation, evaluating, trial, pilot, poc, proposal, proposal sent, proposal made, proposal price "
    "quote, quote, quote sent, quoted, negotiation, negotiating, negotiation review, negotiations, "
    "contract, contract sent, contracting, legal, procurement, verbal, verbal agreement, commit, "
    "committed, best case, in progress, active, pipeline, pending, on hold, stalled, follow up, "
    "nurturing, opportunity, working"
)
VOCABULARY: dict[str, Outcome] = {
    **{plain(word): "open" for word in _OPEN.split(", ")},
    **{plain(word): "won" for word in _WON.split(", ")},
    **{plain(word): "lost" for word in _LOST.split(", ")},
}
_NUMBERED = re.compile(r"^\s*\d+\s*[-.):]*\s*|\s*\(?\d+\s*%\)?\s*$")


def outcome(stage: str) -> Outcome | None:
    """What a stage stands for, whatever its case, spacing, number ("6 - Closed won") or percentage; None if unknown."""
    return VOCABULARY.get(plain(stage)) or VOCABULARY.get(plain(_NUMBERED.sub("", stage)))
