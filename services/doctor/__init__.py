"""Whether the ledger keeps its own rules: every invariant as one question to the database, and what may be mended.

check      what a check is, and what it found             endings    attempts, tries, losses
examine    all of them over one snapshot                  needs      who waits for whom
repair     what is safe to mend, each repair an event     moving     what should have gone on by now
checkup    both in the background, for pages              keeping    counts, bodies, queues, slots
"""

from services.doctor.check import MOST, Check, Finding, Result, Tended
from services.doctor.examine import CHECKS, examine
from services.doctor.repair import repair, repair_all

__all__ = ["CHECKS", "MOST", "Check", "Finding", "Result", "Tended", "examine", "repair", "repair_all"]
