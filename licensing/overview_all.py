"""Many organizations side by side: what in each of them needs somebody.

Six statements, however many organizations there are. Accounts count where the admin sees them, their
licenses where the accounts are open to them (`VppAccountQuerySet.visible_to`, `open_to`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from licensing import lookups
from licensing.models import Batch, LicensedApp
from organizations.models import Membership, NetworkAccess, Organization
from vpp_accounts.models import (
    AccountState,
    AllowedAdmins,
    SyncRun,
    VppAccount,
)
from vpp_accounts.models.accounts import EXPIRY_WARNING
from vpp_accounts.models.sets import VppAccountQuerySet
from vpp_accounts.states import COLOURS, WORDS, Urgency

READ = ("pk", "organization", "state", "token_expires_at", "last_synced_at")
EARLY, LATE = "", "~"  # before and after every moment as text


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the overview reads of one account."""

    pk: int
    organization_id: int
    state: str
    token_expires_at: datetime
    last_synced_at: datetime | None

    @property
    def urgency(self) -> Urgency:
        return WORDS[AccountState(self.state)].urgency


@dataclass
class OrganizationRow:
    """One organization. `is_shown`: its own pages would let this sign-in see the numbers."""

    membership: Membership
    is_shown: bool
    now: datetime
    accounts: list[AccountFacts] = field(default_factory=list)
    shortages: int = 0  # titles
    batches: int = 0
    syncs: int = 0

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def pk(self) -> int:
        return self.organization.pk

    @property
    def name(self) -> str:
        return self.organization.name

    @cached_property
    def folded_name(self) -> str:
        return self.name.casefold()

    @cached_property
    def number(self) -> int:
        return len(self.accounts)

    @cached_property
    def in_trouble(self) -> int:
        """A person has to do something, or Apple cannot be reached."""
        return sum(each.urgency > Urgency.NONE for each in self.accounts)

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """What is wrong, the worst first: label, colour, how many accounts."""
        counted = Counter(each.state for each in self.accounts if each.urgency > Urgency.NONE)
        words = sorted((WORDS[AccountState(state)] for state in counted), key=lambda w: -w.urgency)
        return [(each.label, each.colour, counted[each.state]) for each in words]

    @cached_property
    def expired(self) -> int:
        return sum(each.token_expires_at <= self.now for each in self.accounts)

    @cached_property
    def expiring(self) -> int:
        soon = self.now + EXPIRY_WARNING
        return sum(self.now < each.token_expires_at <= soon for each in self.accounts)

    @cached_property
    def first_to_expire(self) -> datetime | None:
        """Of the tokens that are valid still, or the last that was."""
        ends = [each.token_expires_at for each in self.accounts]
        return min((end for end in ends if end > self.now), default=max(ends, default=None))

    @cached_property
    def running(self) -> int:
        return self.batches + self.syncs

    @cached_property
    def last_synced_at(self) -> datetime | None:
        """Of the account that was synced longest ago: so old its numbers may be."""
        moments = [each.last_synced_at for each in self.accounts]
        return None if None in moments else min(filter(None, moments), default=None)

    @property
    def has_never_synced(self) -> bool:
        return any(each.last_synced_at is None for each in self.accounts)

    # What it is sorted by, never null.

    @cached_property
    def worst(self) -> int:
        """The urgency of what is worst; people who wait for licenses are a warning."""
        urgencies = [each.urgency for each in self.accounts]
        urgencies += [Urgency.WARNING] if self.shortages or self.expiring else []
        urgencies += [Urgency.DANGER] if self.expired else []
        return int(max(urgencies, default=Urgency.NONE))

    @property
    def colour(self) -> str:
        return COLOURS[Urgency(self.worst)]

    @property
    def expires(self) -> str:
        ends = (each.token_expires_at.isoformat() for each in self.accounts)
        return min(ends, default=LATE)

    @property
    def synced(self) -> str:
        if self.last_synced_at is None:
            return EARLY if self.accounts else LATE
        return self.last_synced_at.isoformat()

    @property
    def access(self) -> str:
        return (
            self.membership.get_access_display()
            if self.membership.sees_organization
            else "Networks"
        )


def overview(
    memberships: Sequence[Membership], shown: Iterable[Membership]
) -> list[OrganizationRow]:
    """A row for each membership, with numbers for those `shown`. To be read `among` them."""
    open_ones = {each.pk for each in shown}
    now = timezone.now()
    rows = [OrganizationRow(each, each.pk in open_ones, now) for each in memberships]
    _fill({row.pk: row for row in rows if row.is_shown})
    return rows


def _fill(rows: dict[int, OrganizationRow]) -> None:
    if not rows:
        return
    theirs = [row.membership for row in rows.values()]
    wide = [each.organization_id for each in theirs if each.sees_organization]
    opened = set(open_accounts(theirs).values_list("pk", flat=True))
    visible = VppAccount.objects.filter(Q(organization__in=wide) | Q(pk__in=opened))
    for facts in visible.order_by().values_list(*READ):
        account = AccountFacts(*facts)
        rows[account.organization_id].accounts.append(account)
    _count(rows, opened)


def _count(rows: dict[int, OrganizationRow], opened: set[int]) -> None:
    """Shortages and running work, of accounts that are open; syncs of all that are seen."""
    accounts = {each.pk: row for row in rows.values() for each in row.accounts}
    for organization_id, _ in short_titles(opened):
        rows[organization_id].shortages += 1
    running = Batch.objects.filter(finished_at=None, account__in=opened)
    for account_id in running.values_list("account", flat=True):
        accounts[account_id].batches += 1
    syncs = SyncRun.objects.open().filter(account__in=accounts)
    for account_id in syncs.values_list("account", flat=True):
        accounts[account_id].syncs += 1


def open_accounts(memberships: Sequence[Membership]) -> VppAccountQuerySet:
    """`VppAccountQuerySet.open_to` for the memberships of one admin in many organizations."""
    wide = [each.organization_id for each in memberships if each.sees_organization]
    access = NetworkAccess.objects.filter(membership__in=memberships)
    allowed = VppAccount.allowed_networks.through.objects.filter(
        network__in=access.values("network")
    )
    named = VppAccount.named_admins.through.objects.filter(
        admin__in={each.admin_id for each in memberships}
    )
    return VppAccount.objects.filter(
        Q(allowed_admins=AllowedAdmins.ALL, organization__in=wide)
        | Q(allowed_admins=AllowedAdmins.NAMED, pk__in=named.values("vppaccount"))
        | Q(allowed_admins=AllowedAdmins.NETWORKS, pk__in=allowed.values("vppaccount")),
        organization__in=[each.organization_id for each in memberships],
    )


def short_titles(account_ids: Iterable[int]) -> set[tuple[int, int]]:
    """(organization, title) of each that is low on licenses, or that somebody waits for."""
    ids = list(account_ids)
    low = LicensedApp.objects.present().filter(low_since__isnull=False, account__in=ids)
    waited_for = lookups.titles_waited_for.all(ids)
    return {
        *low.order_by().values_list("organization", "pk"),
        *((found.organization_id, found.id) for found in waited_for),
    }
