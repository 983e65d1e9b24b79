"""Every change of a task's status. No other module writes it: `tests/house` keeps that so.

create    new tasks, with what they wait for
claim     queued → running, the best first, within all limits
ending    running → what became of the attempt, a batch in one transaction
needs     what an ending means for the tasks that wait for it
release   pending → queued when the time has come; expiry; room for parked tasks
rescue    the tasks of workers that died
look      whether there is anything to do, one question for many loops
acts      what persons ask for: cancel, let go
restart   failed, cancelled → once more from the start, with what was struck by it
"""
