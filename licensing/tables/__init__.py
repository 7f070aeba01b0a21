"""The lists of the pages: their columns, their order, their CSV."""

from licensing.tables.events import EventList, EventRow, event_rows
from licensing.tables.holders import DeviceHolderList, UserHolderList
from licensing.tables.titles import LicensedAppList

__all__ = [
    "DeviceHolderList",
    "EventList",
    "EventRow",
    "LicensedAppList",
    "UserHolderList",
    "event_rows",
]
