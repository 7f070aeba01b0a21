"""What stands around every page: navigation, banners, running work. Nothing is asked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from licensing.banners import Banner, banners
from licensing.elsewhere import Choice, choice_of, page_of
from licensing.models import Batch
from licensing.notices import Notice, notices, of_channel
from licensing.running import (
    Work,
    open_batches,
    open_syncs,
    seconds_until_asked_again,
    started_by,
    work_of_batches,
    work_of_syncs,
)
from organizations import switching
from organizations.access import AdminRequest
from organizations.models import Membership, Network, Organization
from organizations.network_choice import chosen_network, visible_networks
from vpp_accounts.models import SyncRun

MOST_NETWORKS = 50  # in the drop-down
BANNERS_IN_SIGHT = 2  # the rest is folded away: _banners.html


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the navigation. `below` is its address below the organization's own."""

    section: str
    label: str
    icon: str
    url_name: str
    below: str
    organization_wide: bool = False  # hidden from admins of networks only


PAGES = (
    Page("Organization", "Overview", "layout-dashboard", "licensing:overview", ""),
    Page("Organization", "MDM", "certificate", "licensing:mdm", "mdm/"),
    Page("Organization", "Networks", "sitemap", "organizations:network_list", "networks/"),
    Page("Organization", "Administrators", "users", "organizations:admin_list", "admins/", True),
    Page("Organization", "Webhooks", "send", "organizations:webhook_list", "webhooks/", True),
    Page("Organization", "Sign-in", "login", "organizations:sign_in_settings", "sign-in/", True),
    Page(
        "Organization", "Activity", "history", "licensing:organization_activity", "activity/", True
    ),
    Page("Organization", "Settings", "settings", "organizations:settings", "settings/", True),
    Page("Monitor", "Devices", "devices", "licensing:device_list", "monitor/devices/"),
    Page("Manage", "Apps", "apps", "licensing:app_list", "manage/apps/"),
    Page("Manage", "VPP", "license", "licensing:licensed_app_list", "manage/vpp/"),
    Page("Configure", "Owners", "user-circle", "users:owner_list", "configure/owners/", True),
    Page("Configure", "Tags", "tags", "licensing:tag_list", "configure/tags/"),
    Page("Help", "VPP installs", "help-circle", "licensing:why", "help/vpp-installs/"),
)
GROUPS = {
    "Organization": ("Organization",),
    "Systems Manager": ("Monitor", "Manage", "Configure"),
    "Help": ("Help",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    page: Page
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Section:
    title: str  # empty where it would only repeat the group's
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    sections: list[Section]


@dataclass(frozen=True, slots=True)
class Switcher:
    """`page`: the one that is shown in the other organization as well, where it is there."""

    page: str
    recent: list[Choice]


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}


class Frame:
    """The frame of one page. At most eight queries, and none on pages outside an organization."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.membership: Membership | None = getattr(request, "membership", None)

    @property
    def organization(self) -> Organization | None:
        return self.membership.organization if self.membership else None

    @property
    def can_write(self) -> bool:
        return self.membership is not None and self.membership.can_write

    @property
    def demo_inbox_url(self) -> str:
        """Where the mails of a demo can be read; empty where mails reach people."""
        return reverse("demo_inbox") if settings.DEMO_INBOX else ""

    @cached_property
    def switcher(self) -> Switcher | None:
        """None for whoever has one organization only."""
        if self.membership is None or not switching.has_several(self.request):
            return None
        page = page_of(self.request, self.current)
        recent = switching.recent(self.request, but=self.membership.organization_id)
        return Switcher(page, [choice_of(membership, page, PAGES) for membership in recent])

    @cached_property
    def network(self) -> Network | None:
        """What lies in networks is narrowed to this one; None: all of them."""
        return chosen_network(self.request) if self.membership else None

    @cached_property
    def networks(self) -> list[Network]:
        """The first that may be chosen; all others are found by asking the server."""
        if self.membership is None:
            return []
        return list(visible_networks(cast("AdminRequest", self.request))[: MOST_NETWORKS + 1])

    @property
    def shown_networks(self) -> list[Network]:
        return self.networks[:MOST_NETWORKS]

    @property
    def has_many_networks(self) -> bool:
        return len(self.networks) > MOST_NETWORKS

    @cached_property
    def entries(self) -> list[Entry]:
        if self.membership is None:
            return []
        found = (entry_of(page, self.request, self.membership) for page in PAGES)
        return [entry for entry in found if entry]

    @cached_property
    def navigation(self) -> list[Group]:
        groups = [
            Group(title, [section for name in names if (section := self._section(name, title))])
            for title, names in GROUPS.items()
        ]
        return [group for group in groups if group.sections]

    def _section(self, name: str, group: str) -> Section | None:
        entries = [entry for entry in self.entries if entry.page.section == name]
        return Section("" if name == group else name, entries) if entries else None

    @cached_property
    def current(self) -> Page | None:
        return next((entry.page for entry in self.entries if entry.is_current), None)

    @property
    def place(self) -> str:
        """Where this page stands in the navigation, for the line above its heading."""
        if self.current is None:
            return ""
        section = self.current.section
        return section if section in GROUPS else f"Systems Manager > {section}"

    @cached_property
    def banners(self) -> list[Banner]:
        return banners(self.membership) if self.membership else []

    @cached_property
    def notices(self) -> list[Notice]:
        if self.membership is None:
            return []
        page = self.current.url_name if self.current else ""
        return [*of_channel(self.membership, page), *notices(self.membership)]

    @property
    def more_banners(self) -> int:
        return len(self.banners) - BANNERS_IN_SIGHT

    @cached_property
    def running(self) -> list[SyncRun]:
        return open_syncs(self.membership) if self.membership else []

    @cached_property
    def batches(self) -> list[Batch]:
        return open_batches(self.membership) if self.membership else []

    @cached_property
    def work(self) -> list[Work]:
        return [*work_of_syncs(self.running), *work_of_batches(self.batches)]

    @property
    def asks_again_after(self) -> int | None:
        return seconds_until_asked_again(self.work)

    @property
    def watched(self) -> list[int]:
        """The running batches of this admin, whose end is told on whatever page that finds them."""
        if self.membership is None:
            return []
        return [batch.pk for batch in self.batches if started_by(self.membership, batch)]


def entry_of(page: Page, request: HttpRequest, membership: Membership) -> Entry | None:
    if page.organization_wide and not membership.sees_organization:
        return None
    try:
        url = reverse(page.url_name, args=[membership.organization_id])
    except NoReverseMatch:
        return None  # a page of a later release
    here = f"/organizations/{membership.organization_id}/"
    path = request.path.removeprefix(here)
    return Entry(page, url, path.startswith(page.below) if page.below else path == "")
