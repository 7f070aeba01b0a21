"""The heart: titles bought, licenses in use, and their counts over time."""

from licensing.models.apps import LicenseCount, LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.automation import Automation, AutomationChange, AutomationHold
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
from licensing.models.reclaim import ProtectedHolder, Reclaim, ReclaimCause, ReclaimRule
from licensing.models.settings import DepartureChoice, LicensingSettings
from licensing.models.writers import Writer

__all__ = [
    "OPEN_ITEMS",
    "AppleOperation",
    "Assignment",
    "Automation",
    "AutomationChange",
    "AutomationHold",
    "Batch",
    "BatchItem",
    "BatchKind",
    "BatchPlan",
    "BatchState",
    "DepartureChoice",
    "ItemState",
    "LicenseCount",
    "LicensedApp",
    "LicensingSettings",
    "ProtectedHolder",
    "Reclaim",
    "ReclaimCause",
    "ReclaimRule",
    "Writer",
    "events_visible_to",
]
