"""How a body in this very process reaches the ledger; an isolated child's requests end here too."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from models import Artifact, reading, tables
from runtime.held import Held
from runtime.run import Need
from runtime.writer import Writer
from services import artifacts


class LocalLink:
    """The link of one attempt to this process's writer and to the services."""

    def __init__(self, held: Held, writer: Writer) -> None:
        self._held = held
        self._writer = writer

    def checkpoint(self) -> None:
        """Raise what was ordered."""
        self._held.checkpoint()

    def progress(self, values: dict[str, Any]) -> None:
        """Hand it to the writer."""
        self._writer.progress(self._held.key, values)

    def log(self, line: dict[str, Any]) -> None:
        """Hand it to the writer."""
        self._writer.log(self._held.key, line)

    def artifact(self, name: str, data: bytes | Path, media_type: str | None) -> Artifact:
        """Store it and write its row."""
        return self.record(artifacts.store(name, data, media_type, *self._held.key))

    def record(self, stored: Any) -> Artifact:
        """Write the row of a file that is stored already."""
        return artifacts.record(stored, *self._held.key)

    def artifact_path(self, artifact_id: int) -> Path:
        """A local file."""
        return artifacts.open_local(artifact_id)

    def needs(self) -> list[Need]:
        """The tasks this one waited for."""
        t, need, body = tables.tasks.c, tables.task_needs.c, tables.task_bodies.c
        with reading() as session:
            rows = session.execute(
                select(t.id, t.type, t.title, t.status, body.result)
                .join(tables.task_needs, need.parent == t.id)
                .join(tables.task_bodies, body.task_id == t.id)
                .where(need.child == self._held.claimed.id)
                .order_by(t.id)
            ).all()
        return [Need(r.id, r.type, r.title, r.status.value, r.result) for r in rows]
