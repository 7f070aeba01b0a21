"""Ctrl-C and SIGTERM: the first one stops in good order, the second one at once."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tools import paths
from tools.processes import die_with_parent, hurry

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop; everything on the way out cleans up after itself."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal into Stopped, and the next ones into hurry."""

    def ask(number: int, frame: FrameType | None) -> None:
        for each in wanted:
            signal.signal(each, lambda *_: hurry.set())
        raise Stopped

    # nohup ignores one of them for us, and that is to stay so
    wanted = [
        n for n in STOPPING if n is not signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN
    ]
    before = [(number, signal.signal(number, ask)) for number in wanted]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def run_in_foreground(command: Sequence[str | Path], env: dict[str, str]) -> int:
    """Run a program with our terminal and return its exit code; signals are the program's.

    Ctrl-C reaches it from the terminal, so we only wait; other signals we pass on.
    """
    child = subprocess.Popen(
        [str(part) for part in command],
        env=env,
        cwd=paths.ROOT,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda number, _: child.send_signal(number))
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
