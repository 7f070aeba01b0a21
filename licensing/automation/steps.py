"""Places where a worker may die. A test makes it die there; otherwise nothing happens."""

from __future__ import annotations

from typing import Final

CLAIMED: Final = "claimed"  # nobody else works here
MEMBERS: Final = "members"  # some have joined or left, and the rest has not
NOTED: Final = "noted"  # what nobody wants is noted
REVOKING: Final = "revoking"  # a batch takes licenses back; no installation says so
CALLED_OFF: Final = "called off"  # what waited is cancelled, and not asked for elsewhere yet
GRANTING: Final = "granting"  # a batch grants licenses; no installation says so
MOVED: Final = "moved"  # some installations have moved on
SETTLED: Final = "settled"  # all is done, and the changes that led to it are still there

STEPS = (CLAIMED, MEMBERS, NOTED, REVOKING, CALLED_OFF, GRANTING, MOVED, SETTLED)


def reached(step: str) -> None:
    """Called at each of the steps."""
