"""Several programs under one terminal: prefixed output, restarts, an end in good order."""

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import paths, processes
from tools.console import Problem, paint, plain_unless_tty, say
from tools.state import State

PALETTE = ("blue", "magenta", "yellow", "green", "cyan")
STEADY_SECONDS = 10  # one that ends by itself sooner would only end again


@dataclass(frozen=True)
class Program:
    """Something to keep running, or a step to run once; later stages are stopped first."""

    name: str
    command: Sequence[str | Path]
    stage: int = 0
    grace: float = 10


@dataclass(frozen=True)
class Run:
    """A program while it runs."""

    program: Program
    child: processes.Child
    output: threading.Thread
    started: float = field(default_factory=time.monotonic)

    @property
    def code(self) -> int | None:
        return self.child.popen.poll()


@dataclass
class Supervisor:
    """Starts programs, follows their output, starts them again when they end on their own."""

    env: dict[str, str]
    state: State
    runs: dict[str, Run] = field(default_factory=dict)
    colours: Iterator[str] = field(default_factory=lambda: itertools.cycle(PALETTE))

    def start(self, program: Program) -> None:
        child = processes.start(
            program.name,
            program.command,
            grace=program.grace,
            env=self.env,
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.state.remember(child)
        prefix = paint(f"{program.name:>8} │ ", next(self.colours))
        self.runs[program.name] = Run(program, child, follow(child, prefix))

    def finish(self, name: str) -> None:
        """Wait for a step; a failure is a Problem, the step's own words stand above it."""
        run = self.runs[name]
        code = run.child.popen.wait()
        run.output.join(timeout=5)
        self._forget(name)
        if code != 0:
            raise Problem(f"{name} failed with exit code {code}; its last lines above say why.")

    def tend(self, seconds: float) -> None:
        """Watch for a while, and start again what ends; Problem when that does not help."""
        processes.wait_until(lambda: bool(self._ended()), time.monotonic() + seconds, every=0.2)
        for run in self._ended():
            self._restart(run)

    def stop(self) -> None:
        by_stage = sorted(self.runs.values(), key=lambda run: -run.program.stage)
        for _, stage in itertools.groupby(by_stage, key=lambda run: run.program.stage):
            children = [run.child for run in stage]
            processes.stop(children)
            for child in children:
                self._forget(child.name)

    def _restart(self, run: Run) -> None:
        name = run.program.name
        processes.kill_group(run.child.popen.pid)  # its children, if it was killed alone
        self._forget(name)
        killed = run.code is not None and run.code < 0
        if not killed and time.monotonic() - run.started < STEADY_SECONDS:
            raise Problem(f"{name} ended right after its start (exit code {run.code}).")
        say(f"{name} ended (exit code {run.code}) and is started again.")
        self.start(run.program)

    def _ended(self) -> list[Run]:
        return [run for run in self.runs.values() if run.code is not None]

    def _forget(self, name: str) -> None:
        self.runs.pop(name, None)
        self.state.forget(name)


def follow(child: processes.Child, prefix: str) -> threading.Thread:
    """Copy a child's lines to our terminal, each with its name in front."""

    def copy() -> None:
        assert child.popen.stdout
        with child.popen.stdout as lines:
            for line in lines:
                say(prefix + plain_unless_tty(line.decode(errors="replace").rstrip()))

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread
