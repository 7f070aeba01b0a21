"""What an admin should know, on whatever page: few licenses left, changed by others. And where devices
or their apps are shown, how those are reached."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from apps_catalog.channels.worries import worries
from licensing.foreign import ForeignChanges, foreign_changes
from licensing.models import LicensedApp
from organizations.models import Membership

NAMED = 3


CHANNEL_PAGES = ("licensing:device_list", "licensing:app_list")


@dataclass(frozen=True, slots=True)
class Notice:
    """`url` empty: nothing more to see, for this admin."""

    text: str
    url: str
    label: str
    icon: str
    colour: str
    dismiss_url: str = ""


def notices(membership: Membership) -> list[Notice]:
    """In two statements, and a third one where others changed something."""
    found = (few_left(membership), changed_by_others(membership))
    return [notice for notice in found if notice]


def of_channel(membership: Membership, page: str) -> list[Notice]:
    """A statement more, on these pages only."""
    if page not in CHANNEL_PAGES:
        return []
    address = reverse("apps_catalog:channel_settings", args=[membership.organization_id])
    return [
        Notice(
            text=each.text,
            url=address if membership.sees_organization else "",
            label="Device channel",
            icon="alert-triangle" if each.is_trouble else "info-circle",
            colour="warning" if each.is_trouble else "info",
        )
        for each in worries(membership.organization_id)
    ]


def few_left(membership: Membership) -> Notice | None:
    low = LicensedApp.objects.visible_to(membership).present().filter(low_since__isnull=False)
    number = low.values("adam_id", "pricing_param").distinct().count()
    if not number:
        return None
    address = reverse("licensing:licensed_app_list", args=[membership.organization_id])
    return Notice(
        text="1 title is low on licenses."
        if number == 1
        else f"{number:,} titles are low on licenses.",
        url=f"{address}?licenses=low",
        label="Show it" if number == 1 else "Show them",
        icon="alert-triangle",
        colour="warning",
    )


def changed_by_others(membership: Membership) -> Notice | None:
    changes = foreign_changes(membership)
    if changes is None:
        return None
    address = reverse("licensing:vpp_activity", args=[membership.organization_id])
    zone = membership.organization.zone
    query = {"who": "outside", "since": timezone.localdate(changes.since, timezone=zone)}
    if len(changes.accounts) == 1:
        query["account"] = next(iter(changes.accounts))
    verb = "license was" if changes.number == "1" else "licenses were"
    return Notice(
        text=f"{changes.number} {verb} changed outside of this dashboard in the last 24 hours"
        f" ({_names(changes)}).",
        url=f"{address}?{urlencode(query)}",
        label="Show the changes",
        icon="info-circle",
        colour="info",
        dismiss_url=reverse("licensing:foreign_changes_seen", args=[membership.organization_id]),
    )


def _names(changes: ForeignChanges) -> str:
    names = list(changes.accounts.values())
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
