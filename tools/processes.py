"""Starting processes that end with us, and ending them for sure."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

PR_SET_PDEATHSIG = 1
ZOMBIE = "Z"
GRACE = 20.0  # seconds, for a leftover of which nothing else is known
hurry = threading.Event()  # somebody pressed Ctrl-C twice: no more grace
_libc = ctypes.CDLL(None)


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the kernel sends `stop_signal` to the child when we die, even by kill -9."""
    parent = os.getpid()

    def arrange() -> None:
        if sys.platform == "linux":
            _libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
            if os.getppid() != parent:  # we died before the line above
                os._exit(1)

    return arrange


@dataclass(frozen=True)
class ProcessId:
    """A process that can be told from a later one with the same pid."""

    pid: int
    started: str
    command: str
    stop_signal: int

    @classmethod
    def of(cls, pid: int, stop_signal: signal.Signals) -> Self:
        return cls(pid, started_at(pid) or "", command_of(pid), int(stop_signal))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def is_alive(self) -> bool:
        return bool(self.started) and started_at(self.pid) == self.started

    def group(self) -> list[int]:
        """It and its descendants: whoever is in the session that we gave it."""
        now = started_at(self.pid)
        if now and now != self.started:
            return []  # the pid belongs to somebody else by now
        return session_members(self.pid) or ([self.pid] if now else [])


@dataclass
class Child:
    """A process that we started in a session of its own."""

    name: str
    popen: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    grace: float

    @property
    def id(self) -> ProcessId:
        return ProcessId.of(self.popen.pid, self.stop_signal)

    def has_ended(self) -> bool:
        return self.popen.poll() is not None


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace: float = 10,
    **options: Any,
) -> Child:
    """Start a child in its own session, so that Ctrl-C reaches us alone and we decide the order.

    Only for the main thread: the kernel counts the end of the starting *thread* as our death.
    """
    popen = subprocess.Popen(
        [str(part) for part in command],
        start_new_session=True,
        preexec_fn=die_with_parent(stop_signal),
        **options,
    )
    return Child(name, popen, stop_signal, grace)


def stop(children: Iterable[Child]) -> None:
    """Ask all at once, wait for each, then end by force what stayed, descendants included."""
    asked = [child for child in children if not child.has_ended()]
    deadline = time.monotonic()
    for child in asked:
        with suppress(ProcessLookupError):
            child.popen.send_signal(child.stop_signal)
    for child in asked:
        wait_until(child.has_ended, deadline + child.grace)
        kill_group(child.popen.pid)
        child.popen.wait()


def end_stranger(process: ProcessId) -> None:
    """End a process of an earlier `./dev` that is not our child, and its descendants."""
    members = process.group()
    if process.is_alive():
        with suppress(ProcessLookupError):
            os.kill(process.pid, process.stop_signal)
    else:
        signal_all(members, signal.SIGTERM)
    wait_until(lambda: not process.group(), time.monotonic() + GRACE)
    signal_all(process.group(), signal.SIGKILL)
    wait_until(lambda: not process.group(), time.monotonic() + GRACE)


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(done: Callable[[], bool], deadline: float, every: float = 0.02) -> bool:
    while not done():
        if hurry.is_set() or time.monotonic() > deadline:
            return done()
        time.sleep(every)
    return True


# --- What the system says about a process ---------------------------------------------------------


def started_at(pid: int) -> str | None:
    """When a live process was started, in words that only serve to compare; None if it is gone."""
    if sys.platform != "linux":
        return _ask_ps(pid, "lstart") or None
    fields = _stat(pid)
    if not fields or fields[0] == ZOMBIE:
        return None
    return f"{_boot()}:{fields[19]}"


def command_of(pid: int) -> str:
    if sys.platform != "linux":
        return _ask_ps(pid, "command")
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return line.replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def session_members(session: int) -> list[int]:
    pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    stats = ((pid, _stat(pid)) for pid in pids)
    return [pid for pid, s in stats if s and s[0] != ZOMBIE and int(s[3]) == session]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command's name: state, parent, group, session, …"""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _ask_ps(pid: int, field: str) -> str:
    asked = subprocess.run(
        ["ps", "-o", f"{field}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()
