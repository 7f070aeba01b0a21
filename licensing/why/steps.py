"""What a step of the way says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from apps_catalog.reasons import Stage


class Verdict(StrEnum):
    OK = "ok"
    WAITS = "waits"  # goes on by itself
    WRONG = "wrong"
    UNKNOWN = "unknown"
    NOT_REACHED = "not reached"

    @property
    def label(self) -> str:
        return LABELS[self]

    @property
    def icon(self) -> str:
        return ICONS[self]

    @property
    def colour(self) -> str:
        return COLOURS.get(self, "secondary")


LABELS: Mapping[Verdict, str] = {
    Verdict.OK: "In order",
    Verdict.WAITS: "On its way",
    Verdict.WRONG: "Held up here",
    Verdict.UNKNOWN: "Not known here",
    Verdict.NOT_REACHED: "Not reached",
}
ICONS: Mapping[Verdict, str] = {
    Verdict.OK: "circle-check",
    Verdict.WAITS: "clock",
    Verdict.WRONG: "alert-triangle",
    Verdict.UNKNOWN: "help-circle",
    Verdict.NOT_REACHED: "circle-off",
}
COLOURS: Mapping[Verdict, str] = {
    Verdict.OK: "success",
    Verdict.WAITS: "info",
    Verdict.WRONG: "danger",
}

# In the order in which things happen.
TITLES: Mapping[Stage, str] = {
    Stage.SCOPE: "Scope",
    Stage.LICENSE: "License",
    Stage.APPLE: "Apple",
    Stage.CHANNEL: "Way to the device",
    Stage.DEVICE: "Device",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """A line below a step: what it was decided by. `at`: as of when, or when it happened."""

    text: str
    at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, and the button that leads there; without an address it is not the reader's."""

    text: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    stage: Stage
    verdict: Verdict
    sentence: str
    as_of: datetime | None = None
    fix: Fix | None = None
    details: tuple[Detail, ...] = ()

    @property
    def title(self) -> str:
        return TITLES[self.stage]

    @classmethod
    def not_reached(cls, stage: Stage) -> Step:
        return cls(stage, Verdict.NOT_REACHED, "Looked at as soon as the step before is in order.")
