"""The heart: titles bought, licenses in use, and their counts over time."""

from licensing.models.apps import LicenseCount, LicensedApp
from licensing.models.assignments import Assignment
from licensing.models.events import events_visible_to

__all__ = ["Assignment", "LicenseCount", "LicensedApp", "events_visible_to"]
