"""For the tests of those who write task types: a run without a queue, and a queue without workers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import now, transaction
from runtime import execution, outcome
from runtime.held import Held
from runtime.link import LocalLink
from runtime.run import Need, Run
from services import catalog
from services.lifecycle import details
from services.lifecycle.claim import claim
from services.lifecycle.ending import Batch, Ending, end
from services.lifecycle.needs import settle_rest
from services.lifecycle.release import expire, release

LEASE_S = 3600.0


class FakeRun(Run):
    """A run for calling a body by itself: `resize_album.body(FakeRun(), album="lisbon")`.

    It keeps what the body said: `progress_seen`, `logs`, `artifacts` (with their `data`).
    """

    def __init__(
        self,
        *,
        needs: Iterable[Need] = (),
        artifacts: Mapping[int, Path] | None = None,
        task_id: int = 1,
        attempt: int = 1,
        interrupt_after: int | None = None,
    ) -> None:
        link = FakeLink(list(needs), dict(artifacts or {}), interrupt_after)
        super().__init__(task_id, attempt, link)
        self.progress_seen, self.logs, self.artifacts = link.progress_seen, link.logs, link.artifacts


class FakeLink:
    """Keeps everything in lists; after `interrupt_after` checkpoints it asks the body to leave."""

    def __init__(self, needs: list[Need], paths: dict[int, Path], interrupt_after: int | None) -> None:
        self._needs, self._paths, self._left = needs, paths, interrupt_after
        self.progress_seen: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.artifacts: list[FakeArtifact] = []

    def checkpoint(self) -> None:
        """Raise `Cancelled` once enough checkpoints have passed."""
        from runtime.errors import Cancelled

        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Cancelled

    def progress(self, values: dict[str, Any]) -> None:
        """Keep it."""
        self.progress_seen.append(values)

    def log(self, line: dict[str, Any]) -> None:
        """Keep it."""
        self.logs.append(line)

    def artifact(self, name: str, data: bytes | Path, media_type: str | None) -> "FakeArtifact":
        """Keep it in memory, with size and SHA-256 as the store would give them."""
        import hashlib
        import mimetypes

        content = data if isinstance(data, bytes) else Path(data).read_bytes()
        made = FakeArtifact(
            id=len(self.artifacts) + 1, name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest(),
            media_type=media_type or mimetypes.guess_type(name)[0] or "application/octet-stream", uri=f"memory/{name}",
            data=content,
        )  # fmt: skip
        self.artifacts.append(made)
        return made

    def artifact_path(self, artifact_id: int) -> Path:
        """The file that was given for this id."""
        return self._paths[artifact_id]

    def needs(self) -> list[Need]:
        """What was given."""
        return self._needs


@dataclass(frozen=True)
class FakeArtifact:
    """An artifact that never left memory."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    uri: str
    data: bytes

    @property
    def url(self) -> str:
        """Where the console would serve it."""
        return f"/api/artifacts/{self.id}"


def drain(limit: int = 1_000) -> int:
    """Run everything that is due, one task after the other, in this process and thread; returns how many attempts.

    What a task makes due is run too: children, and retries whose time has come.
    """
    done = 0
    while done < limit:
        while release() + settle_rest() + expire():
            pass
        claimed = claim("drain", list(catalog.local()), None, 1, LEASE_S)
        if not claimed:
            return done
        _perform(Held(claimed[0]))
        done += 1
    raise AssertionError(f"more than {limit} attempts were due: do the tasks make each other without an end?")


def _perform(held: Held) -> None:
    held.start()
    task_type = catalog.local()[held.claimed.type]
    straight = StraightWriter()
    try:
        result = execution.run_inline(held, task_type, LocalLink(held, straight))  # type: ignore[arg-type]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        ending = outcome.ended(held, error, "drain")
    else:
        ending = outcome.completed(held, result, "drain")
    straight.hand_over(ending)


class StraightWriter:
    """The writer's interface without its thread: everything is written at once."""

    def hand_over(self, ending: Ending) -> None:
        """Commit the ending."""
        with transaction() as session:
            end(session, Batch([ending]))

    def progress(self, key: tuple[int, int], values: dict[str, Any]) -> None:
        """Write it."""
        self._details(progress=[{**values, "id": key[0], "epoch": key[1], "at": now()}])

    def log(self, key: tuple[int, int], line: dict[str, Any]) -> None:
        """Write it."""
        self._details(lines=[{**line, "id": key[0], "epoch": key[1], "at": now()}])

    def _details(self, lines: Iterable[dict[str, Any]] = (), progress: Iterable[dict[str, Any]] = ()) -> None:
        with transaction() as session:
            details.tell(session, lines, progress=progress)
