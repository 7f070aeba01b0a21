"""Why the demo cannot be made."""

from __future__ import annotations

from organizations.refusals import Refusal

START_ANEW = "Start the demo from nothing: ./dev demo --reset"


class CannotSeed(Refusal):
    """The demo cannot be made here; the text says why and what to do."""

    code = "cannot_seed"


class AppleDoesNotAnswer(CannotSeed):
    """There is no fake Apple at the address, or it refuses what the demo asks of it."""
