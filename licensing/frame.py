"""What stands around every page: navigation, banners, running work. Nothing is asked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from licensing.models import Batch
from licensing.notices import Notice, notices
from licensing.running import (
    Work,
    open_batches,
    open_syncs,
    seconds_until_asked_again,
    started_by,
    work_of_batches,
    work_of_syncs,
)
from organizations.models import Membership, Organization
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.models.accounts import EXPIRY_WARNING
from vpp_accounts.states import WORDS, StateWords, Urgency

ICONS = {
    Urgency.INFORMATION: "info-circle",
    Urgency.WARNING: "alert-triangle",
    Urgency.DANGER: "alert-circle",
}
BANNERS_IN_SIGHT = 2  # the rest is folded away: _banners.html
# Their headline does not say why; the account's reason does.
EXPLAINED = (AccountState.SYNC_FAILED, AccountState.CLAIMED, AccountState.NOT_VERIFIED)
TO_TELL = [state for state, words in WORDS.items() if words.urgency > Urgency.NONE]


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
    Page(
        "Organization", "Activity", "history", "licensing:organization_activity", "activity/", True
    ),
    Page("Monitor", "Devices", "devices", "licensing:device_list", "monitor/devices/"),
    Page("Manage", "Apps", "apps", "licensing:app_list", "manage/apps/"),
    Page("Manage", "VPP", "license", "licensing:licensed_app_list", "manage/vpp/"),
    Page("Configure", "Owners", "user-circle", "users:owner_list", "configure/owners/", True),
    Page("Configure", "Tags", "tags", "licensing:tag_list", "configure/tags/"),
)
GROUPS = {"Organization": ("Organization",), "Systems Manager": ("Monitor", "Manage", "Configure")}


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
class Banner:
    """One account in one state that somebody should know about."""

    account: VppAccount
    words: StateWords
    since: datetime
    action_url: str  # empty for admins who cannot do it

    @property
    def icon(self) -> str:
        return ICONS[self.words.urgency]

    @property
    def location(self) -> str:
        """The location at Apple, unless the account is simply called like it."""
        name = self.account.location_name
        return "" if name == self.account.name else name

    @property
    def days_left(self) -> int | None:
        return self.account.days_left if self.words.state == AccountState.EXPIRING else None

    @property
    def reason(self) -> str:
        """What happened, where the headline alone cannot say it."""
        return self.account.state_reason if self.words.state in EXPLAINED else ""


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}


class Frame:
    """The frame of one page. At most seven queries, and none on pages outside an organization."""

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
    def organizations(self) -> list[Organization]:
        """The ones this admin may switch between."""
        if self.membership is None:
            return []
        ours = Organization.objects.filter(memberships__admin=self.membership.admin_id)
        return list(ours.order_by("name", "pk"))

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
        return notices(self.membership) if self.membership else []

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


def banners(membership: Membership) -> list[Banner]:
    """What needs a person, most urgent first; in one query."""
    soon = timezone.now() + EXPIRY_WARNING
    accounts = VppAccount.objects.visible_to(membership).filter(
        Q(state__in=TO_TELL) | Q(token_expires_at__lte=soon)
    )
    found = [
        banner_of(account, state, membership)
        for account in accounts.order_by("token_expires_at", "pk")
        for state in troubles(account)
    ]
    return sorted(found, key=lambda banner: -banner.words.urgency)


def troubles(account: VppAccount) -> list[AccountState]:
    """The state of an account and, whatever that is, its token's end: a sync hides neither."""
    state = AccountState(account.state)
    found = [state] if state in TO_TELL else []
    if state in VppAccount.STOPPED or not account.is_expiring:
        return found
    over = account.token_expires_at <= timezone.now()
    ending = AccountState.EXPIRED if over else AccountState.EXPIRING
    return found if ending in found else [ending, *(s for s in found if s != AccountState.EXPIRING)]


def banner_of(account: VppAccount, state: AccountState, membership: Membership) -> Banner:
    words = WORDS[state]
    since = account.state_since
    if state != account.state:
        # Told by the token's date alone: the check of the dates has not run, or something else is worse.
        warned = timedelta() if state == AccountState.EXPIRED else EXPIRY_WARNING
        since = account.token_expires_at - warned
    return Banner(account, words, since, action_url(words, account, membership))


def action_url(words: StateWords, account: VppAccount, membership: Membership) -> str:
    if not words.action_url or not membership.can_write:
        return ""
    try:
        return reverse(words.action_url, args=[account.organization_id, account.pk])
    except NoReverseMatch:
        return f"{reverse('licensing:mdm', args=[account.organization_id])}#account-{account.pk}"
