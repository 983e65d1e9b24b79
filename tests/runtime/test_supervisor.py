"""The supervisor over real processes: what dies is replaced, what must stop stops, nothing stays behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runtime.program import STEADY_S
from settings import ROOT
from tests.forked import Forked
from tests.support import wait_until

SLOW_S = 40.0  # for what takes a moment on a quiet machine
SLEEPER = "import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('I am deaf', flush=True)\n"
    "while True: signal.pause()"
)
TELLS = """
import signal, sys

def note(word):
    with open("DIARY", "a") as file:
        file.write(f"NAME {word}\\n")

def stop(*_):
    note("stops")
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
note("listens")
while True:
    signal.pause()
"""


class Running:
    """A supervisor in a process of its own, and the diary its children write."""

    def __init__(self, folder: Path, programs: str, on_death: str = "None") -> None:
        self.diary = folder / "diary"
        self.output = folder / "output"
        self.diary.touch()
        script = f"""
            import signal
            import sys
            from pathlib import Path
            from threading import Event
            from runtime.program import Program
            from runtime.supervisor import Supervisor
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests were started by nohup
            diary = Path({str(self.diary)!r})
            def note(line):
                with diary.open("a") as file:
                    file.write(line + "\\n")
            def program(name, code, **options):
                told = f"open({{str(diary)!r}}, 'a').write('{{name}} starts\\\\n')\\n"
                return Program(name, [sys.executable, "-I", "-S", "-c", told + code], **options)
            def tells(name):  # says when it is asked to stop
                return TELLS.replace("NAME", name).replace("DIARY", str(diary))
            SLEEPER, STUBBORN, TELLS = {SLEEPER!r}, {STUBBORN!r}, {TELLS!r}
            sys.exit(Supervisor({programs}, on_death={on_death}).run())
        """
        self.output.touch()
        self.process = Forked(textwrap.dedent(script), says=self.output)
        self.family = psutil.Process(self.process.pid)

    def lines(self) -> list[str]:
        return self.diary.read_text().splitlines()

    def wait_for(self, line: str, times: int = 1) -> None:
        wait_until(lambda: self.lines().count(line) >= times, what=f"{times} × {line!r}")

    def children(self) -> list[psutil.Process]:
        return self.family.children(recursive=True)

    def pid_of(self, index: int) -> int:
        """The pid of the child that was started as number `index` of those that live."""
        return sorted(self.children(), key=lambda p: (p.create_time(), p.pid))[index].pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def said(self) -> str:
        return self.output.read_text()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(programs: str, on_death: str = "None") -> Running:
        started.append(Running(tmp_path, programs, on_death))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_a_killed_child_is_replaced_within_a_second_and_its_siblings_are_untouched(supervise):
    began = time.monotonic()
    running = supervise('[program("a", SLEEPER), program("b", SLEEPER), program("c", SLEEPER)]')
    for name in "abc":
        running.wait_for(f"{name} starts")
    a_start_here = time.monotonic() - began  # so long, on this machine at this moment
    before = {p.pid for p in running.children()}
    victim = running.pid_of(0)
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(
        lambda: len({p.pid for p in running.children()} - before) == 1 and len(running.children()) == 3,
        what="a replacement",
    )
    assert time.monotonic() - killed < 1 + 2 * a_start_here
    assert "restart_in_s=0.0" in deaths(running)[-1]
    assert before - {p.pid for p in running.children()} == {victim}


def test_a_child_that_keeps_dying_is_started_again_ever_more_slowly(supervise):
    running = supervise('[program("fails", "raise SystemExit(3)")]')
    wait_until(lambda: len(deaths(running)) >= 3, what="three deaths")
    delays = [float(line.rpartition("restart_in_s=")[2].split()[0]) for line in deaths(running)]
    assert delays[:3] == [0.0, 0.5, 1.0]
    assert "code=3" in deaths(running)[0]


def test_a_child_that_lived_for_a_while_is_started_again_at_once(supervise):
    running = supervise('[program("a", SLEEPER)]')
    running.wait_for("a starts")
    for times in (2, 3):
        os.kill(running.pid_of(0), signal.SIGKILL)
        running.wait_for("a starts", times=times)
    steady_from = time.monotonic() + STEADY_S + 0.1
    wait_until(lambda: time.monotonic() > steady_from, what="a steady life")
    os.kill(running.pid_of(0), signal.SIGKILL)
    running.wait_for("a starts", times=4)
    assert "restart_in_s=0.0" in deaths(running)[-1]


def deaths(running: Running) -> list[str]:
    return [plain(line) for line in running.said().splitlines() if "program died" in line]


def plain(line: str) -> str:
    """The line without a terminal's colours."""
    while "\x1b[" in line:
        head, _, tail = line.partition("\x1b[")
        line = head + tail.partition("m")[2]
    return line


def test_a_child_that_ends_by_itself_without_an_error_is_replaced_too(supervise):
    running = supervise('[program("short", "")]')
    running.wait_for("short starts", times=2)


def test_a_program_that_cannot_be_started_says_so_and_leaves_the_others_alone(supervise):
    running = supervise('[Program("typo", ["/no/such/program"]), program("a", SLEEPER)]')
    running.wait_for("a starts")
    wait_until(lambda: "/no/such/program cannot be started" in running.said(), what="the reason")
    assert "code=127" in wait_until(lambda: deaths(running), what="a death")[0]


def test_a_start_that_raises_is_tried_again(supervise):
    running = supervise(
        '[program("a", SLEEPER, prepare=lambda: note("tries") or 1 / (len(diary.read_text().split()) - 1))]'
    )
    running.wait_for("a starts")
    assert running.lines() == ["tries", "tries", "a starts"]
    assert "ZeroDivisionError" in running.said()


def test_kill_minus_9_of_the_supervisor_leaves_no_child_behind(supervise):
    running = supervise('[program("a", SLEEPER), program("deaf", STUBBORN)]')
    running.wait_for("a starts")
    wait_until(lambda: "I am deaf" in running.said(), what="the stubborn child")
    children = running.children()
    assert len(children) == 2
    running.process.kill()
    wait_until(lambda: gone(children), what="the end of the children")


def test_a_child_is_not_started_for_a_supervisor_that_is_dead():
    launch = subprocess.run(
        [
            sys.executable,
            str(ROOT / "runtime/launch.py"),
            str(2**22 + 1),
            sys.executable,
            "-c",
            "print('lives')",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert launch.returncode == 1
    assert "has died" in launch.stderr
    assert "lives" not in launch.stdout


@pytest.mark.parametrize("request_to_stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopping_goes_from_the_highest_stage_down_and_exits_with_0(supervise, request_to_stop):
    running = supervise(
        '[program("web", tells("web"), stage=2), program("bell", tells("bell")),'
        ' program("worker", tells("worker"), stage=1)]'
    )
    for name in ("web", "bell", "worker"):
        running.wait_for(f"{name} listens")
    children = running.children()
    running.signal(request_to_stop)
    assert running.process.wait(SLOW_S) == 0
    assert [line for line in running.lines() if line.endswith("stops")] == [
        "web stops",
        "worker stops",
        "bell stops",
    ]
    assert gone(children)


def test_a_child_that_ignores_the_request_is_killed_when_its_time_is_over(supervise):
    running = supervise('[program("deaf", STUBBORN, stop_s=0.5)]')
    wait_until(lambda: "I am deaf" in running.said(), what="the stubborn child")
    children, asked = running.children(), time.monotonic()
    running.signal(signal.SIGTERM)
    assert running.process.wait(SLOW_S) == 0
    assert 0.5 <= time.monotonic() - asked < 5  # its own half second, not the five that others get
    assert gone(children)


def test_a_second_request_ends_everything_at_once(supervise):
    running = supervise('[program("deaf", STUBBORN, stop_s=60)]')
    wait_until(lambda: "I am deaf" in running.said(), what="the stubborn child")
    children = running.children()
    running.signal(signal.SIGINT)

    def ends() -> bool:
        running.signal(signal.SIGINT)
        return running.process.poll() is not None

    wait_until(ends, timeout=SLOW_S, every=0.05, what="the end")
    assert running.process.returncode == 0
    assert "stopping at once" in running.said()
    assert gone(children)


def test_a_request_that_arrives_twice_at_once_is_one_request(supervise):
    running = supervise('[program("a", tells("a"))]')
    running.wait_for("a listens")
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGTERM)
    assert running.process.wait(SLOW_S) == 0
    assert running.lines()[-1] == "a stops"


def test_what_a_dead_child_left_running_ends_with_it(supervise):
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
    running = supervise(f'[program("parent", {parent!r} + SLEEPER)]')
    wait_until(lambda: len(running.children()) == 2, what="a child and a grandchild")
    [child] = running.family.children()
    [grandchild] = child.children()
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: gone([grandchild]), what="the end of the grandchild")


def test_deaths_are_reported_without_delaying_the_replacement(supervise):
    running = supervise(
        '[program("a", SLEEPER)]',
        on_death='lambda program, pid, code: note(f"{program.name} {pid} {code}") or Event().wait()',
    )
    running.wait_for("a starts")
    first = running.pid_of(0)
    os.kill(first, signal.SIGKILL)
    running.wait_for(f"a {first} -9")
    running.wait_for("a starts", times=2)
    os.kill(running.pid_of(0), signal.SIGKILL)
    running.wait_for("a starts", times=3)  # though the first report still hangs


def test_a_report_that_fails_is_logged_and_the_next_is_made(supervise):
    running = supervise('[program("a", SLEEPER)]', on_death="lambda program, pid, code: note(str(pid)) or 1 / 0")
    for times in (1, 2):
        running.wait_for("a starts", times=times)
        victim = running.pid_of(0)
        os.kill(victim, signal.SIGKILL)
        running.wait_for(str(victim))
    assert "death not reported" in running.said()
    assert running.process.poll() is None


def test_a_child_killed_while_stopping_is_reported_and_one_that_stops_by_itself_is_not(supervise):
    running = supervise(
        '[program("deaf", STUBBORN, stop_s=0.2), program("a", tells("a"))]',
        on_death='lambda program, pid, code: note(f"{program.name} {code}")',
    )
    running.wait_for("a listens")
    wait_until(lambda: "I am deaf" in running.said(), what="the stubborn child")
    running.signal(signal.SIGTERM)
    assert running.process.wait(SLOW_S) == 0
    assert [line for line in running.lines() if line in ("deaf -9", "a 0")] == ["deaf -9"]


def test_output_goes_to_the_log_of_the_program(supervise, tmp_path):
    running = supervise(f'[program("a", "print(42, flush=True);" + SLEEPER, log=Path({str(tmp_path)!r}) / "a.log")]')
    log = tmp_path / "a.log"
    wait_until(lambda: log.exists() and log.read_text() == "42\n", what="the log")
    assert "42\n" not in running.said()


def test_an_idle_supervisor_uses_no_processor_time(supervise):
    running = supervise('[program("a", SLEEPER)]')
    running.wait_for("a starts")
    before, since = running.family.cpu_times(), time.monotonic()
    wait_until(lambda: time.monotonic() - since > 1.5, what="a while")
    after = running.family.cpu_times()
    assert (after.user + after.system) - (before.user + before.system) <= 0.02
