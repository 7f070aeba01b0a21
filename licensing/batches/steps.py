"""Places where a worker may die. A test makes it die there; otherwise nothing happens."""

from __future__ import annotations

from typing import Final

MARKED: Final = "marked"  # the items are sent as far as the database knows; Apple has heard nothing
ANSWERED: Final = "answered"  # Apple has answered, and the database does not know
ACCEPTED: Final = "accepted"  # the event is known
ASKED: Final = "asked"  # how the event ended is known to us alone
SETTLED: Final = "settled"  # the items are settled, the counts are old
SERVED: Final = "served"  # what waited has been called

STEPS = (MARKED, ANSWERED, ACCEPTED, ASKED, SETTLED, SERVED)


def reached(step: str) -> None:
    """Called at each of the steps."""
