"""The rows of the table on Organization > MDM, at a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from licensing.models import LicensedApp
from licensing.models.apps import UNLIMITED
from organizations.models import Membership
from vpp_accounts.models import (
    AllowedAdmins,
    AssignableNetworks,
    Notification,
    SyncRun,
    VppAccount,
    VppAccountQuerySet,
)
from vpp_accounts.permissions import in_short, why_not
from vpp_accounts.states import StateWords, Urgency, words_for

SHOWN_NAMES = 20
A_LONG_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account's location holds. Unlimited titles are counted, never added up."""

    titles: int = 0
    available: int = 0
    unlimited: int = 0

    @property
    def in_words(self) -> str:
        titles = f"{self.titles:,} title{'' if self.titles == 1 else 's'}"
        licenses = f"{self.available:,} license{'' if self.available == 1 else 's'} available"
        return f"{titles}, {licenses}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice of admins or networks in one word, with the names for a tooltip."""

    text: str
    names: str = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: VppAccount
    words: StateWords
    allowed_admins: Chosen
    assignable_networks: Chosen
    # None when this admin may not see the account's licenses.
    holdings: Holdings | None
    run: SyncRun | None
    error_number: int | None
    last_notified_at: datetime | None
    # Why this admin may not ask for a sync; empty where they may.
    obstacle: str
    has_managers: bool

    @property
    def trouble(self) -> bool:
        """Whether there is something to say about the state."""
        return self.words.urgency > Urgency.NONE and not self.run

    @property
    def waits_for_a_worker(self) -> bool:
        """Queued for so long that probably no worker runs."""
        if self.run is None or self.run.phase != SyncRun.Phase.QUEUED:
            return False
        return self.run.created_at < timezone.now() - A_LONG_WAIT


def account_rows(membership: Membership, accounts: VppAccountQuerySet) -> list[AccountRow]:
    """Three statements, however many accounts there are."""
    found = list(_with_rights(accounts, membership))
    ids = [account.pk for account in found]
    runs = {run.account_id: run for run in SyncRun.objects.open().filter(account__in=ids)}
    holdings = _holdings(membership, ids)
    return [_row(account, membership, runs.get(account.pk), holdings) for account in found]


def _row(
    account: Any, membership: Membership, run: SyncRun | None, holdings: dict[int, Holdings]
) -> AccountRow:
    return AccountRow(
        account=account,
        words=words_for(account),
        allowed_admins=_allowed_admins(account, membership),
        assignable_networks=_assignable_networks(account, membership),
        obstacle=why_not(account, membership),
        has_managers=account.is_managed,
        holdings=holdings.get(account.pk, Holdings()) if account.is_open else None,
        run=run,
        error_number=account.last_error_number,
        last_notified_at=account.last_notified_at,
    )


def _with_rights(accounts: VppAccountQuerySet, membership: Membership) -> VppAccountQuerySet:
    newest = SyncRun.objects.filter(account=OuterRef("pk"), finished_at__isnull=False)
    told = Notification.objects.filter(account=OuterRef("pk")).order_by("-pk")
    return accounts.with_rights(membership).annotate(
        last_error_number=Subquery(newest.order_by("-pk").values("error_number")[:1]),
        last_notified_at=Subquery(told.values("received_at")[:1]),
    )


def _holdings(membership: Membership, account_ids: list[int]) -> dict[int, Holdings]:
    limited = Q(total_count__lt=UNLIMITED)
    rows = (
        LicensedApp.objects.visible_to(membership)
        .present()
        .filter(account__in=account_ids)
        .values_list("account")
        .annotate(
            titles=Count("pk"),
            available=Coalesce(Sum("available_count", filter=limited), 0),
            unlimited=Count("pk", filter=~limited),
        )
    )
    return {account: Holdings(*counts) for account, *counts in rows}


def _allowed_admins(account: VppAccount, membership: Membership) -> Chosen:
    """Admins of networks are told of nobody else's name, and of no other networks."""
    if account.allowed_admins == AllowedAdmins.NAMED:
        if not membership.sees_organization:
            return Chosen("Certain admins")
        return _chosen(account.admin_names, "admins")
    if account.allowed_admins == AllowedAdmins.NETWORKS:
        networks = _chosen(account.network_names, "networks")
        return Chosen(f"Admins of {networks.text}", networks.names)
    return Chosen("All")


def _assignable_networks(account: VppAccount, membership: Membership) -> Chosen:
    if account.assignable_networks == AssignableNetworks.SOME:
        if not (account.assignable_names or membership.sees_organization):
            return Chosen("None of yours")
        return _chosen(account.assignable_names, "networks")
    if account.assignable_networks == AssignableNetworks.NONE:
        return Chosen("—", "No network: licenses cannot be assigned to devices")
    return Chosen("All")


def _chosen(names: list[str], what: str) -> Chosen:
    """A single one by its name; several as a number, with their names beside it."""
    if len(names) == 1:
        return Chosen(names[0])
    return Chosen(f"{len(names):,} {what}", in_short(names, SHOWN_NAMES))
