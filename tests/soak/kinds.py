"""What the soak's workers run: bodies short and long, sound and shaky, inline and alone."""

import time

from runtime import GiveUp, Retry, Run, actor


@actor(retries=2)
def quick(run: Run, n: int = 0) -> int:
    """Next to nothing."""
    return n


@actor(retries=2)
def busy(run: Run, seconds: float = 0.5) -> float:
    """Take a while, and look at every step whether to stop."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
        run.progress(seconds - (until - time.monotonic()), seconds, "busy")
    return seconds


@actor(retries=1)
def deaf(run: Run, seconds: float = 0.5) -> float:
    """The same without ever looking."""
    time.sleep(seconds)
    run.log("it is over")
    return seconds


@actor(retries=3)
def shaky(run: Run, fails: int = 1) -> int:
    """Fail some times."""
    if run.attempt <= fails:
        raise Retry("not yet", after=0.2)
    return run.attempt


@actor(retries=3)
def hopeless(run: Run) -> None:
    """Fail for good."""
    raise GiveUp("as it was meant to")


@actor(retries=1, isolated=True)
def alone(run: Run, seconds: float = 0.1) -> float:
    """A while in a process of its own."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
        run.checkpoint()
    return seconds


@actor(retries=2)
def fruitful(run: Run, children: int = 2) -> list[int]:
    """Enqueue others. An attempt that is repeated enqueues others again."""
    return [quick.enqueue(n=n).id for n in range(children)]


@actor(retries=2)
def tick(run: Run) -> None:
    """What a schedule fires."""
    time.sleep(0.05)
