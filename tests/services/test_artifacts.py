"""Files: write-once, under our own names, shown when their attempt has completed; a store that keeps to itself."""

import hashlib
import io
import os
import socket
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from models import Artifact, Move, Operator, Role, transaction
from providers import store as stores
from services import artifacts, audit
from services.errors import Forbidden, InvalidInput, NotFound, StaleTask
from settings import settings
from tests.conftest import use
from tests.services import kit


@pytest.fixture(params=["folder", "object store"])
def kept(request, core, tmp_path, monkeypatch) -> Path:
    """Artifacts in a folder, and in an object store (one on this disk); the value is where they lie."""
    stores.store_at.cache_clear()
    if request.param == "folder":
        return settings().var_dir / "artifacts"
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    use(monkeypatch, settings().var_dir, os.environ.get("DATABASE_URL"), ARTIFACTS_URL=bucket.as_uri())
    return bucket


def files(kept: Path) -> list[str]:
    return sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())


def running() -> tuple[int, int]:
    """A task that runs: its id and epoch."""
    claimed = kit.take_one(kit.greet())
    return claimed.id, claimed.epoch


CSV = "client;amount\nÅse;12\n".encode()


def test_what_was_saved_is_read_back(kept):
    made = artifacts.save("deals.csv", CSV)
    assert (made.name, made.media_type, made.size) == ("deals.csv", "text/csv", len(CSV))
    assert made.sha256 == hashlib.sha256(CSV).hexdigest()
    assert made.url == f"/api/artifacts/{made.id}"
    assert artifacts.read(made.id) == CSV
    assert artifacts.open_local(made.id).read_bytes() == CSV
    assert artifacts.open_local(made.id).read_bytes() == CSV  # a remote one from its copy
    assert artifacts.get(made.id).sha256 == made.sha256


@pytest.mark.parametrize("size", [0, 1, stores.CHUNK, 6 * stores.CHUNK + 7])
def test_bytes_files_and_paths_are_stored_alike(kept, tmp_path, size):
    content = os.urandom(size)
    path = tmp_path / "given"
    path.write_bytes(content)
    with path.open("rb") as file:
        made = [
            artifacts.save("x.bin", data) for data in (content, bytearray(content), path, io.BytesIO(content), file)
        ]
    assert {(a.size, a.sha256) for a in made} == {(size, hashlib.sha256(content).hexdigest())}
    assert all(artifacts.read(a.id) == content for a in made)


def test_files_lie_under_our_own_ids_and_for_nobody_else(kept):
    task, epoch = running()
    artifacts.save("report.pdf", b"%PDF", task=task, epoch=epoch)
    artifacts.save("deals.csv", CSV)
    inputs, ours = sorted(files(kept), reverse=True)
    assert inputs.startswith("inputs/")
    assert ours.startswith(f"{task}/{epoch}/")
    assert "report" not in ours
    if kept == settings().var_dir / "artifacts":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o700
        assert stat.S_IMODE((kept / ours).stat().st_mode) == 0o600


def test_a_copy_of_a_remote_file_is_private(kept):
    made = artifacts.save("deals.csv", CSV)
    local = artifacts.open_local(made.id)
    assert stat.S_IMODE(local.stat().st_mode) == 0o600
    assert stat.S_IMODE(local.parent.parent.stat().st_mode) & 0o077 == 0 or local.parent.stat().st_mode & 0o077 == 0


PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


@pytest.mark.parametrize(
    ("name", "given_type", "media_type"),
    [
        ("a.csv", None, "text/csv"),
        ("a.pdf", None, "application/pdf"),
        ("a", None, "application/octet-stream"),
        ("a.pptx", PPTX, PPTX),
        ("a.csv", "Application/X-Own+json", "application/x-own+json"),
    ],
)
def test_the_media_type_is_guessed_where_none_is_given(core, name, given_type, media_type):
    assert artifacts.save(name, b"", given_type).media_type == media_type


@pytest.mark.parametrize("wrong", ["csv", "text/csv; charset=utf-8", "text/csv\r\nX: y", "a/" + "b" * 99, 7])
def test_media_types_that_cannot_be_are_refused(core, wrong):
    with pytest.raises(InvalidInput, match="media_type"):
        artifacts.save("a.csv", b"", wrong)


def test_a_file_open_as_text_is_refused_and_leaves_nothing(kept):
    with pytest.raises(InvalidInput, match="binary"):
        artifacts.save("a.txt", io.StringIO("text"))  # type: ignore[arg-type]
    assert files(kept) == []


def test_a_file_that_breaks_off_leaves_nothing(kept):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            chunk = super().read(size)
            if not chunk:
                raise OSError("the cable was pulled")
            return chunk

    with pytest.raises(Exception, match="the cable was pulled"):
        artifacts.save("a.bin", Broken(b"x" * stores.CHUNK))
    assert files(kept) == []


# Whose they are, and when they show


def test_files_show_once_their_attempt_has_completed(core):
    task = kit.greet(retries=1)
    first = kit.take_one(task)
    cut = artifacts.save("a.csv", b"1", task=first.id, epoch=first.epoch)
    kit.finish(first, Move.defer)
    kit.execute("UPDATE tasks SET status = 'queued'")
    kit.execute("UPDATE rollup_deltas SET measure = 'queued' WHERE measure = 'pending' AND n > 0")
    second = kit.take_one(task)
    whole = artifacts.save("a.csv", b"2", task=second.id, epoch=second.epoch)
    assert artifacts.of_task(task.id) == []
    with pytest.raises(NotFound):
        artifacts.visible(whole.id)
    kit.finish(second)
    assert [a.id for a in artifacts.of_task(task.id)] == [whole.id]
    assert artifacts.visible(whole.id).name == "a.csv"
    with pytest.raises(NotFound):
        artifacts.visible(cut.id)
    assert artifacts.get(cut.id).epoch == first.epoch


def test_files_of_a_failed_task_never_show(core):
    claimed = kit.take_one(kit.greet())
    made = artifacts.save("a.csv", b"1", task=claimed.id, epoch=claimed.epoch)
    kit.finish(claimed, Move.fail)
    assert artifacts.of_task(claimed.id) == []
    with pytest.raises(NotFound):
        artifacts.visible(made.id)


def test_a_zombie_keeps_no_file(core):
    claimed = kit.take_one(kit.greet())
    kit.finish(claimed, Move.hand_back)
    stored = artifacts.store("a.csv", b"1", None, claimed.id, claimed.epoch)
    with pytest.raises(StaleTask, match="no longer owns"):
        artifacts.record(stored, claimed.id, claimed.epoch)
    assert kit.scalar("SELECT count(*) FROM artifacts") == 0


def test_a_file_belongs_to_who_handed_it_in_and_a_tasks_file_to_its_owner(core):
    with transaction() as session:
        session.add(ana := Operator(name="ana", role=Role.member))
    with audit.acting_as(ana):
        handed_in = artifacts.save("a.csv", b"1")
        task = kit.greet()
    claimed = kit.take_one(task)
    assert handed_in.owner == ana.id
    assert artifacts.save("b.csv", b"1", task=task.id, epoch=claimed.epoch).owner == ana.id
    (event,) = kit.events("upload")
    assert (event.actor_id, event.after) == ("ana", {"name": "a.csv", "size": 1})


def test_a_viewer_hands_nothing_in(core):
    with transaction() as session:
        session.add(vera := Operator(name="vera", role=Role.viewer))
    with audit.acting_as(vera), pytest.raises(Forbidden):
        artifacts.save("a.csv", b"1")
    assert not (settings().var_dir / "artifacts").exists()


@pytest.mark.parametrize("wrong", [0, -1, "1", 1.0, True, 2**60])
def test_numbers_that_cannot_be_are_refused(core, wrong):
    with pytest.raises(InvalidInput):
        artifacts.read(wrong)


def test_there_is_no_such_artifact(core):
    with pytest.raises(NotFound, match="no artifact 7"):
        artifacts.open_local(7)


def test_a_file_that_is_gone_is_said_to_be_gone(kept):
    made = artifacts.save("a.csv", b"1")
    (kept / made.uri).unlink()
    for ask in (artifacts.read, artifacts.open_local):
        with pytest.raises(NotFound, match=r"artifact 1 \(a\.csv\) is gone"):
            ask(made.id)


# The store keeps to itself


STRANGE = [
    "../x", "inputs/../../x", "/etc/passwd", "1/1/x", "inputs/" + "A" * 32, "", "1/2/3/" + "a" * 32,
    "inputs/" + "a" * 32 + "\n",
]  # fmt: skip


@pytest.mark.parametrize("key", STRANGE)
def test_no_key_leads_out_of_the_store(kept, key):
    store = stores.store()
    for act in (
        lambda: store.put(key, [b"x"]),
        lambda: store.read(key),
        lambda: store.local(key),
        lambda: store.delete([key]),
    ):
        with pytest.raises(ValueError, match="not the key"):
            act()


def test_a_row_with_a_strange_uri_opens_nothing(core, tmp_path):
    (tmp_path / "secret").write_text("geheim")
    with transaction() as session:
        session.add(
            row := Artifact(name="x", media_type="a/b", size=6, sha256="0", uri=f"../../{tmp_path.name}/secret")
        )
    with pytest.raises(ValueError, match="not the key"):
        artifacts.read(row.id)


def test_links_are_refused(core, tmp_path):
    folder = settings().var_dir / "artifacts"
    made = artifacts.save("a.csv", b"1")
    (tmp_path / "secret").write_text("geheim")
    (folder / made.uri).unlink()
    (folder / made.uri).symlink_to(tmp_path / "secret")
    with pytest.raises(NotFound):
        artifacts.read(made.id)
    (folder / made.uri).unlink()
    (folder / "inputs").rmdir()
    (folder / "inputs").symlink_to(tmp_path)
    (tmp_path / Path(made.uri).name).write_text("geheim")
    with pytest.raises(NotFound):
        artifacts.open_local(made.id)


def test_what_is_no_ordinary_file_is_refused(core, tmp_path):
    """A link leads elsewhere, a pipe would be waited for, a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for odd in (*(tmp_path / name for name in ("pipe", "link", "s")), tmp_path, Path("/dev/zero")):
            assert kit.refused(lambda odd=odd: artifacts.save("a.csv", odd)).startswith("data: ")
    assert not (settings().var_dir / "artifacts").exists()


def test_a_file_is_written_once(kept):
    made = artifacts.save("a.csv", b"1")
    if kept == settings().var_dir / "artifacts":
        with pytest.raises(FileExistsError):
            stores.store().put(made.uri, [b"2"])
    assert artifacts.read(made.id) == b"1"


# Letting go


def test_a_sweep_takes_files_without_a_row_and_no_others(kept):
    task, epoch = running()
    mine = artifacts.save("a.csv", b"1", task=task, epoch=epoch)
    given_in = artifacts.save("b.csv", b"1")
    for _ in range(3):
        artifacts.store("lost.csv", b"1", None, task, epoch)
    artifacts.store("lost.csv", b"1")
    artifacts.store("lost.csv", b"1", None, 999, 1)
    assert artifacts.sweep() == 0  # their rows may still be on their way
    assert artifacts.sweep(timedelta(seconds=-1)) == 5
    assert files(kept) == sorted([mine.uri, given_in.uri])
    assert artifacts.sweep(timedelta(seconds=-1)) == 0


def test_what_else_lies_in_the_folder_is_left_alone(core):
    folder = settings().var_dir / "artifacts"
    artifacts.save("a.csv", b"1")
    (folder / "README").write_text("not ours")
    assert artifacts.sweep(timedelta(seconds=-1)) == 0
    assert (folder / "README").exists()
