"""`python -m runtime.doctor`: exit codes 0, 1 and 2, and sentences."""

from models.schema import HEAD
from runtime import doctor as command
from services import doctor
from tests.conftest import forget, use
from tests.services import kit
from tests.services.doctor.harms import change


def test_all_is_sound(patient, capsys):
    assert command.main([]) == 0
    assert f"The ledger is sound: {len(doctor.CHECKS)} rules" in capsys.readouterr().out


def test_something_is_wrong_and_then_mended(patient, capsys):
    task = change("UPDATE tasks SET waits_on = 5 WHERE id = :id", "pending")
    change("DELETE FROM attempts WHERE task_id = :id")
    assert command.main([]) == 1
    said = capsys.readouterr().out
    assert f"#{task} is pending and waits on 5 tasks, but 1 of its needs are open" in said
    assert "mendable" in said
    assert command.main(["--repair"]) == 1, "what cannot be mended is left"
    said = capsys.readouterr().out
    assert "mended  A task waits on as many others as its open needs: 1" in said
    assert "breaks 1 of" in said


def test_the_ledger_cannot_be_looked_at(patient, capsys):
    kit.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        assert command.main([]) == 2
        assert "revision 0001" in capsys.readouterr().err
    finally:
        kit.execute("UPDATE alembic_version SET version_num = :head", head=HEAD)


def test_there_is_no_database(tmp_path, monkeypatch, capsys):
    use(monkeypatch, tmp_path, "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert command.main([]) == 2
    assert "cannot be looked at" in capsys.readouterr().err
    forget()
