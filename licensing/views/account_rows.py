"""The rows of the table on Organization > MDM, at a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, Model, OuterRef, Q, Subquery, Sum, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
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
)
from vpp_accounts.models.accounts import VppAccountQuerySet
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
    found = list(_with_names(accounts, membership))
    ids = [account.pk for account in found]
    runs = {run.account_id: run for run in SyncRun.objects.open().filter(account__in=ids)}
    holdings = _holdings(membership, ids)
    return [_row(account, runs.get(account.pk), holdings) for account in found]


def _row(account: Any, run: SyncRun | None, holdings: dict[int, Holdings]) -> AccountRow:
    return AccountRow(
        account=account,
        words=words_for(account),
        allowed_admins=_allowed_admins(account),
        assignable_networks=_assignable_networks(account),
        holdings=holdings.get(account.pk, Holdings()) if account.is_open_to_me else None,
        run=run,
        error_number=account.last_error_number,
        last_notified_at=account.last_notified_at,
    )


def _with_names(accounts: VppAccountQuerySet, membership: Membership) -> VppAccountQuerySet:
    newest = SyncRun.objects.filter(account=OuterRef("pk"), finished_at__isnull=False)
    told = Notification.objects.filter(account=OuterRef("pk")).order_by("-pk")
    open_to_me = VppAccount.objects.open_to(membership).filter(pk=OuterRef("pk"))
    admin_name = Coalesce(
        NullIf("admin__name", Value("")), F("admin__email"), output_field=TextField()
    )
    return accounts.annotate(
        is_open_to_me=Exists(open_to_me),
        last_error_number=Subquery(newest.order_by("-pk").values("error_number")[:1]),
        last_notified_at=Subquery(told.values("received_at")[:1]),
        admin_names=_names(VppAccount.named_admins.through, admin_name),
        network_names=_names(VppAccount.allowed_networks.through, F("network__name")),
        assignable_names=_names(VppAccount.assignable_network_list.through, F("network__name")),
    )


def _names(through: type[Model], name: Combinable) -> ArraySubquery:
    linked = through._default_manager.filter(vppaccount=OuterRef("pk"))
    return ArraySubquery(linked.annotate(word=name).order_by("word").values("word"))


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


def _allowed_admins(account: Any) -> Chosen:
    if account.allowed_admins == AllowedAdmins.NAMED:
        return _chosen(account.admin_names, "admins")
    if account.allowed_admins == AllowedAdmins.NETWORKS:
        networks = _chosen(account.network_names, "networks")
        return Chosen(f"Admins of {networks.text}", networks.names)
    return Chosen("All")


def _assignable_networks(account: Any) -> Chosen:
    if account.assignable_networks == AssignableNetworks.SOME:
        return _chosen(account.assignable_names, "networks")
    if account.assignable_networks == AssignableNetworks.NONE:
        return Chosen("—", "No network: licenses cannot be assigned to devices")
    return Chosen("All")


def _chosen(names: list[str], what: str) -> Chosen:
    """A single one by its name; several as a number, with their names beside it."""
    if len(names) == 1:
        return Chosen(names[0])
    return Chosen(f"{len(names):,} {what}", _listed(names))


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - SHOWN_NAMES
    return ", ".join(every[:SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")
