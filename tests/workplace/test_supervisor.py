"""Programs under one terminal: order, restarts, and what a kill leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tools import paths, processes
from tools.console import Problem
from tools.state import State
from tools.supervisor import Program, Supervisor

# A program that says it is up and notes in a file when it was asked to stop.
NOTING = """
import signal, sys
name, notes = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("up", flush=True)
signal.sigwait({signal.SIGTERM})
open(notes, "a").write(name + " ")
"""
# One that will not hear, with a child that will not either.
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print("up", flush=True)
while True:
    signal.pause()
"""
SUPERVISOR = """
import os, sys
from pathlib import Path
from tools.state import State
from tools.supervisor import Program, Supervisor
supervisor = Supervisor(dict(os.environ), State(Path(sys.argv[1])))
supervisor.start(Program("program", [sys.executable, "-c", *sys.argv[2:]]))
while True:
    supervisor.tend(seconds=3600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(dict(os.environ), State(tmp_path / "state.json"))
    yield supervisor
    supervisor.stop()


@pytest.fixture
def killed(tmp_path: Path) -> Callable[..., State]:
    """What is known after a supervisor of one program was killed with -9."""

    def run(*program: str) -> State:
        command = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "state.json"), *program]
        with subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True) as popen:
            assert popen.stdout
            while "up" not in popen.stdout.readline():
                pass
            popen.send_signal(signal.SIGKILL)
            popen.stdout.close()
        return State.load(tmp_path / "state.json")

    return run


def soon(done: Callable[[], bool]) -> bool:
    return processes.wait_until(done, time.monotonic() + 20)


def noting(name: str, notes: Path, stage: int = 0) -> Program:
    return Program(name, [sys.executable, "-c", NOTING, name, str(notes)], stage=stage)


def test_later_stages_stop_first_and_the_output_carries_names(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes"
    shown = []

    def all_up() -> bool:
        shown.append(capsys.readouterr().out)
        return "".join(shown).count("up") == 3

    for stage, name in enumerate(["apple", "web", "seed"]):
        supervisor.start(noting(name, notes, stage))
    assert soon(all_up)

    supervisor.stop()

    assert notes.read_text() == "seed web apple "
    assert set("".join(shown).splitlines()) == {"   apple │ up", "     web │ up", "    seed │ up"}
    assert State.load(supervisor.state.path).processes == {}


def test_a_program_that_is_killed_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(noting("worker", tmp_path / "notes"))
    supervisor.runs["worker"].child.popen.kill()

    supervisor.tend(seconds=20)

    again = supervisor.runs["worker"].child.popen
    assert again.poll() is None
    assert State.load(supervisor.state.path).processes["worker"].pid == again.pid


def test_a_program_that_cannot_stay_up_is_a_problem(supervisor: Supervisor) -> None:
    supervisor.start(Program("web", [sys.executable, "-c", "raise SystemExit(3)"]))

    with pytest.raises(Problem, match=r"web ended right after its start \(exit code 3\)"):
        supervisor.tend(seconds=20)


def test_a_step_that_fails_is_a_problem(supervisor: Supervisor) -> None:
    supervisor.start(Program("migrate", [sys.executable, "-c", "raise SystemExit(1)"]))

    with pytest.raises(Problem, match="migrate failed with exit code 1"):
        supervisor.finish("migrate")


def test_a_program_that_will_not_hear_is_ended_with_its_children(supervisor: Supervisor) -> None:
    supervisor.start(Program("worker", [sys.executable, "-c", STUBBORN], grace=0.1))
    child = supervisor.runs["worker"].child
    assert soon(lambda: len(processes.session_members(child.popen.pid)) == 2)

    supervisor.stop()

    assert soon(lambda: processes.session_members(child.popen.pid) == [])


def test_programs_die_with_a_killed_supervisor(
    killed: Callable[..., State], tmp_path: Path
) -> None:
    state = killed(NOTING, "program", str(tmp_path / "notes"))

    assert list(state.processes) == ["program"]
    assert soon(lambda: not state.processes["program"].group())
    assert state.end_leftovers() == []


def test_what_outlives_a_killed_supervisor_is_ended_at_the_next_start(
    killed: Callable[..., State], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = killed(STUBBORN)
    left = state.processes["program"]
    assert soon(lambda: len(left.group()) == 2)

    with monkeypatch.context() as impatient:
        impatient.setattr(processes, "GRACE", 0.2)
        ended = state.end_leftovers()

    assert ended == ["program"]
    assert left.group() == []
    assert State.load(state.path).processes == {}


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "state.json")
    us = processes.ProcessId.of(os.getpid(), signal.SIGTERM)
    state.processes["web"] = replace(us, started="long ago")

    assert state.end_leftovers() == []
    assert state.processes == {}
