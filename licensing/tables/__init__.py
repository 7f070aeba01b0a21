"""The lists of the pages: their columns, their order, their CSV."""

from licensing.tables.batch_items import BatchItemList
from licensing.tables.batches import BatchList, BatchRow
from licensing.tables.events import EventList, EventRow, event_rows
from licensing.tables.held_titles import HeldTitleList
from licensing.tables.holders import DeviceHolderList, UserHolderList
from licensing.tables.notifications import NotificationList
from licensing.tables.titles import LicensedAppList
from licensing.tables.waiting import Queue, WaitingList, queue_of

__all__ = [
    "BatchItemList",
    "BatchList",
    "BatchRow",
    "DeviceHolderList",
    "EventList",
    "EventRow",
    "HeldTitleList",
    "LicensedAppList",
    "NotificationList",
    "Queue",
    "UserHolderList",
    "WaitingList",
    "event_rows",
    "queue_of",
]
