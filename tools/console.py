"""Talking to the person at the terminal."""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "bold": 1}
_one_line_at_a_time = threading.Lock()


class Problem(Exception):
    """Something a person can mend: one sentence with the cause and the way out."""


def has_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, colour: str) -> str:
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if has_colours() else text


def plain_unless_tty(text: str) -> str:
    """What a program wrote, without its colours where these would only be noise."""
    return text if has_colours() else re.sub(r"\033\[[0-9;]*m", "", text)


def say(text: str = "") -> None:
    with _one_line_at_a_time:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            # Whoever read along has left (`./dev demo | head`); the work goes on.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"  {what} {paint(f'{time.monotonic() - started:.1f} s', 'cyan')}")
