"""Every setting of Callboard: named, typed, defaulted, explained. Read from the environment and from a `.env` file."""

import hashlib
import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107  # bytes of sockaddr_un.sun_path, less the closing zero


class Settings(BaseSettings):
    """One value a variable; the field's name in capitals is the variable's name."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # Where things are
    var_dir: Path = Field(ROOT / "var", description="Folder of the embedded database, artifacts and sockets.")
    database_url: SecretStr | None = Field(
        None, description="`postgresql+psycopg://…` or `sqlite:///path`; unset: SQLite in `VAR_DIR`."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="`redis://`, `rediss://` or `unix://`, for the bell; unset: the embedded Valkey in `VAR_DIR`.",
    )
    artifacts_url: str | None = Field(
        None,
        description="Object store for artifacts (`s3://bucket/prefix`, `gs://…`, …); unset: `VAR_DIR/artifacts`.",
    )
    host: str = Field("127.0.0.1", description="Address the console listens on; loopback unless you mean it.")
    port: int = Field(8501, ge=1, le=65535, description="Port the console listens on.")

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names by which browsers reach the console, separated by commas (`board.example.org`, "
        "`*.example.org`; `*`: any). A page of a stranger that points its name at this machine gets no answer. "
        "`HOST` and the names of loopback always count.",
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token that `/api/metrics` asks for; unset: there are no metrics."
    )

    # Workers
    actor_modules: Annotated[tuple[str, ...], NoDecode] = Field(
        ("actors",), description="Modules that define task types, separated by commas; a package imports its own."
    )
    worker_processes: int = Field(2, ge=1, le=256, description="Worker processes that one `worker` line supervises.")
    worker_threads: int = Field(8, ge=1, le=256, description="Tasks that one worker process runs at once.")
    worker_queues: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Queues served, separated by commas; empty: every queue of the known types."
    )
    lease_s: float = Field(
        10.0, gt=0.5, le=600, description="How long a worker may be silent before its tasks run elsewhere."
    )
    beat_s: float = Field(
        1.0, gt=0.05, le=60, description="How often a worker extends its leases and looks for cancellations."
    )
    poll_s: float = Field(1.0, gt=0.02, le=60, description="How often a worker looks for work when no bell rings.")
    stop_grace_s: float = Field(
        4.0, ge=0, le=3600, description="Time running tasks get to finish when a worker is asked to stop."
    )
    cancel_grace_s: float = Field(
        5.0,
        ge=0,
        le=3600,
        description="Time a running task gets to see its cancellation before it is stopped by force.",
    )
    max_losses: int = Field(3, ge=1, le=20, description="Workers a task may take down before it is given up.")
    isolated_memory_mb: int = Field(
        2048, ge=64, description="Memory an isolated task may use unless its type says otherwise."
    )

    # Housekeeping
    keep_finished_days: int = Field(90, ge=1, description="Days a finished task is kept before retention deletes it.")
    keep_events_days: int = Field(365, ge=1, description="Days the audit trail is kept.")
    keep_stats_days: int = Field(400, ge=1, description="Days the hourly statistics are kept.")

    # Telling what happens
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto`: text on a terminal, JSON lines elsewhere."
    )
    code_version: str | None = Field(
        None, description="Version shown for workers; unset: the Git commit, where there is one."
    )

    @field_validator("worker_queues", "actor_modules", "allowed_hosts", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        """`a, b` as it is written in an environment variable."""
        return tuple(q.strip() for q in value.split(",") if q.strip()) if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """The database's URL; holds the password, so it is never logged."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.var_dir / 'callboard.sqlite3'}"

    @property
    def valkey_socket(self) -> Path:
        """The embedded Valkey's Unix socket: in `VAR_DIR`, or in a short folder where that path is too long for one."""
        wanted = (self.var_dir / "valkey.sock").absolute()
        if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
            return wanted
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"callboard-{os.getuid()}-{name}" / "valkey.sock"

    @property
    def bell_url(self) -> str:
        """Where the bell is rung; may hold a password, so it is never logged."""
        if self.redis_url:
            return self.redis_url.get_secret_value()
        return f"unix://{self.valkey_socket}"

    @property
    def version(self) -> str:
        """What runs here: `CODE_VERSION`, else the Git commit, else `unknown`."""
        return self.code_version or _git_commit()


@lru_cache(1)
def _git_commit() -> str:
    done = (
        subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if (ROOT / ".git").exists()
        else None
    )
    return done.stdout.strip() if done and done.returncode == 0 else "unknown"


@lru_cache(1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
