"""One act on many tasks: counted before it is done, done in batches, and undone where that is possible.

effects   what an act means for one task, and how that is said
plan      the dry run: which tasks would change, and how many would change how
run       the act itself, a batch in one transaction
jobs      both in the background, for pages: progress, stopping, undoing
"""

from services.bulk.effects import Act, Counts, Effect, sentences
from services.bulk.jobs import Job, State, find, mine, start
from services.bulk.plan import Plan, plan
from services.bulk.run import Run

__all__ = ["Act", "Counts", "Effect", "Job", "Plan", "Run", "State", "find", "mine", "plan", "sentences", "start"]
