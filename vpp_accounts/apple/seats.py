"""Subscriptions as Apple tells of them, and reading them. No I/O.

Their ids are integers, unlike those of assets (protocol reference 2.15; Apple: "managing-subscriptions").
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

from vpp_accounts.apple.cursors import CursorPage
from vpp_accounts.apple.decoding import JsonObject, listed, text_or_none, truth
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.items import count, each, needed, whole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats that renew at the end of their period, and seats that end with it."""

    renewing: int = 0
    expiring: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription product of the location. `parent_adam_id` is the app it belongs to.

    `status` is ACTIVE, INACTIVE, PAUSED or empty. `total` follows the licenses, `assigned` the way
    each was assigned, so that only their sums add up.
    """

    parent_adam_id: int | None
    adam_id: int
    status: str
    period_ends_on: date | None
    assigned: Seats
    available: Seats
    total: Seats


@dataclass(frozen=True, slots=True)
class SubscriptionAssignment:
    """One seat in use by one client user."""

    adam_id: int
    client_user_id: str
    renewing: bool


@dataclass(frozen=True, slots=True)
class SubscriptionAdmin:
    """A client user who administers a subscription; `user_status` only where it was asked for."""

    adam_id: int
    client_user_id: str
    id_hash: str | None
    user_status: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionSupport:
    """Whether content managers may buy subscriptions into the location."""

    is_enabled: bool


@dataclass(frozen=True, slots=True)
class AdminsChanged:
    """Done at once, without an event; `version_id` is the new version of the list of admins."""

    version_id: str


def support(data: JsonObject) -> SubscriptionSupport:
    if "subscriptionManagement" not in data:
        raise Unavailable("Apple's answer does not say whether subscriptions are enabled")
    return SubscriptionSupport(truth(data["subscriptionManagement"], default=False))


def admins_changed(data: JsonObject) -> AdminsChanged:
    return AdminsChanged(text_or_none(data.get("versionId")) or "")


def _page(key: str, kind: str, read: Callable[[JsonObject], T], data: JsonObject) -> CursorPage[T]:
    rows, unreadable = each(kind, listed(data, key), read)
    return CursorPage(
        rows=rows,
        next_cursor=text_or_none(data.get("nextCursor")),
        version_id=text_or_none(data.get("versionId")) or "",
        unreadable=unreadable,
    )


def _subscription(item: JsonObject) -> Subscription:
    counts = item.get("counts")
    assigned, available, total = (_seats(counts, key) for key in ("assigned", "available", "total"))
    return Subscription(
        parent_adam_id=count(item, "parentAdamId"),
        adam_id=whole(item, "adamId"),
        status=text_or_none(item.get("status")) or "",
        period_ends_on=_day(item.get("periodEndDate")),
        assigned=assigned,
        available=available,
        total=total,
    )


def _seats(counts: object, key: str) -> Seats:
    value = counts.get(key) if isinstance(counts, dict) else None
    if not isinstance(value, dict):
        return Seats()
    return Seats(count(value, "renewing") or 0, count(value, "expiring") or 0)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _assignment(item: JsonObject) -> SubscriptionAssignment:
    return SubscriptionAssignment(
        adam_id=whole(item, "adamId"),
        client_user_id=needed(item, "clientUserId"),
        renewing=truth(item.get("renewing"), default=False),
    )


def _admin(item: JsonObject) -> SubscriptionAdmin:
    return SubscriptionAdmin(
        adam_id=whole(item, "adamId"),
        client_user_id=needed(item, "clientUserId"),
        id_hash=text_or_none(item.get("idHash")),
        user_status=text_or_none(item.get("userStatus")),
    )


subscription_page = partial(_page, "subscriptions", "subscription", _subscription)
assignment_page = partial(_page, "assignments", "subscription assignment", _assignment)
admin_page = partial(_page, "admins", "subscription admin", _admin)
