"""The heart: titles bought, licenses in use, and their counts over time."""

from licensing.models.apps import LicenseCount, LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.batches import (
    OPEN_ITEMS,
    AppleOperation,
    Batch,
    BatchItem,
    BatchKind,
    BatchPlan,
    BatchState,
    ItemState,
    LicensingSettings,
    Writer,
)
from licensing.models.events import events_visible_to

__all__ = [
    "OPEN_ITEMS",
    "AppleOperation",
    "Assignment",
    "Batch",
    "BatchItem",
    "BatchKind",
    "BatchPlan",
    "BatchState",
    "ItemState",
    "LicenseCount",
    "LicensedApp",
    "LicensingSettings",
    "Writer",
    "events_visible_to",
]
