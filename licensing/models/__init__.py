"""The heart: titles bought, licenses in use, and their counts over time."""

from licensing.models.apps import LicenseCount, LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.batches import (
    OPEN_ITEMS,
    Batch,
    BatchItem,
    BatchKind,
    BatchPlan,
    BatchState,
    ItemState,
)
from licensing.models.events import events_visible_to
from licensing.models.operations import AppleOperation
from licensing.models.settings import LicensingSettings
from licensing.models.writers import Writer

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
