"""Where artifacts are kept: a folder of this machine, or an object store (S3, GCS, Azure) by its URL.

Keys are ours alone (`<task>/<epoch>/<uuid>`, `inputs/<uuid>`), never made of a file's name; no other key is accepted,
so no name can lead out of the store.
"""

import os
import re
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from settings import settings

CHUNK = 1024 * 1024
KEPT_S = 24 * 3600.0  # a downloaded copy that nobody opened for so long may go

_KEY = re.compile(r"(?:inputs|[1-9]\d{0,18}/\d{1,9})/[0-9a-f]{32}")


class ArtifactStore(Protocol):
    """Write-once files. Raises `FileNotFoundError` for an unknown key, `ValueError` for one not of our form."""

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write a new file; durable when this returns. Raises `FileExistsError`."""

    def read(self, key: str) -> bytes:
        """The whole content."""

    def local(self, key: str) -> Path:
        """A file of this machine with the content, for reading; it may be gone after a day."""

    def delete(self, keys: Collection[str]) -> None:
        """Delete files; those that are not there are passed over."""

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """All keys, each with the time it was written."""


@lru_cache(4)
def store_at(url: str | None, var_dir: Path) -> ArtifactStore:
    """The store of these settings."""
    if url is None:
        return FolderStore(var_dir / "artifacts")
    return ObjectStore(url, var_dir / "cache" / "artifacts")


def store() -> ArtifactStore:
    """The store of this process's settings."""
    return store_at(settings().artifacts_url, settings().var_dir)


def checked(key: str) -> str:
    """The key, if it is one of ours."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key[:80]!r} is not the key of an artifact")
    return key


class FolderStore:
    """Files in a folder that only this user may enter."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Written and synchronised, the folder's entry too: a row must never outlive its file."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._root / checked(key)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent, self._root):
            _synchronise(folder)

    def read(self, key: str) -> bytes:
        """The file's bytes."""
        return self.local(key).read_bytes()

    def local(self, key: str) -> Path:
        """The file itself. A link in its place, or on the way to it, is refused: it might lead anywhere."""
        path = self._root.resolve() / checked(key)
        if path.resolve(strict=True) != path or not path.is_file():
            raise FileNotFoundError(f"{key} is not a plain file in the artifact store")
        return path

    def delete(self, keys: Collection[str]) -> None:
        """Delete files, and folders that this leaves empty."""
        for key in keys:
            path = self._root / checked(key)
            path.unlink(missing_ok=True)
            for folder in (path.parent, path.parent.parent):
                if folder != self._root and folder.name != "inputs":
                    _remove_empty(folder)

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """What lies in the folder and is ours."""
        for parent, folders, files in os.walk(self._root):
            folders.sort()
            for name in files:
                path = Path(parent, name)
                key = path.relative_to(self._root).as_posix()
                if _KEY.fullmatch(key):
                    yield key, datetime.fromtimestamp(path.lstat().st_mtime, UTC)


class ObjectStore:
    """Objects below a URL. Credentials come from where each provider's own tools look for them."""

    def __init__(self, url: str, cache: Path) -> None:
        from obstore.store import from_url

        self._store: Any = from_url(url)
        self._cache = cache

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """In parts, so that a large file never lies in memory whole; it shows when all have arrived."""
        import obstore

        obstore.put(self._store, checked(key), iter(chunks))

    def read(self, key: str) -> bytes:
        """The object's bytes."""
        import obstore

        return bytes(obstore.get(self._store, checked(key)).bytes())

    def local(self, key: str) -> Path:
        """A private copy, downloaded once and kept for a day after its last use."""
        import obstore

        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cache.chmod(0o700)
        path = self._cache / checked(key).replace("/", "-")
        if path.is_file() and not path.is_symlink():
            os.utime(path)
            return path
        stream = obstore.get(self._store, key).stream(min_chunk_size=CHUNK)
        with tempfile.NamedTemporaryFile(dir=self._cache, prefix="part-", delete=False) as part:
            try:
                for chunk in stream:
                    part.write(chunk)
            except BaseException:
                Path(part.name).unlink()
                raise
        return Path(part.name).replace(path)

    def delete(self, keys: Collection[str]) -> None:
        """Delete objects, and their copies here."""
        import obstore

        for key in keys:
            (self._cache / checked(key).replace("/", "-")).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                obstore.delete(self._store, key)

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """What the store lists below the URL and is ours; lets old copies here go."""
        import obstore

        self._forget_old_copies()
        for page in obstore.list(self._store, chunk_size=1_000):
            for found in page:
                if _KEY.fullmatch(found["path"]):
                    yield found["path"], found["last_modified"]

    def _forget_old_copies(self) -> None:
        for copy in self._cache.glob("*") if self._cache.is_dir() else ():
            if time.time() - copy.lstat().st_mtime > KEPT_S:
                copy.unlink(missing_ok=True)


def _synchronise(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
