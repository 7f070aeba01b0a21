"""Places where a worker may die. A test makes it die there; otherwise nothing happens."""

from __future__ import annotations

from typing import Final

LOOKED: Final = "looked"  # devices are asked again, as far as the database knows
INSTALLS_STORED: Final = "installs_stored"  # nobody else has heard of them
REMOVALS_STORED: Final = "removals_stored"
MARKED: Final = "marked"  # the UUID of a request is stored; the server has not heard of it
ANSWERED: Final = "answered"  # the server has answered, and the database does not know
SENT: Final = "sent"

STEPS = (LOOKED, INSTALLS_STORED, REMOVALS_STORED, MARKED, ANSWERED, SENT)


def reached(step: str) -> None:
    """Called at each of the steps."""
