"""Whose licenses moved: which apps that concerns. Told by batches, syncs and notifications."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from apps_catalog.models import ManagedApp, PurchaseMethod
from apps_catalog.models.managed import ManagedAppQuerySet
from licensing.automation.changes import LICENSES, SUPPLY, call_each, request
from licensing.models import Batch, BatchKind, LicensedApp
from vpp_accounts.models import VppAccount

TAKES = (BatchKind.REVOKE, BatchKind.RETIRE)


def hear_of_titles(account: VppAccount, title_ids: Collection[int]) -> None:
    """Licenses of these titles came or went without a rule. In the transaction."""
    _look_at(account, _apps_of_titles(account, title_ids), LICENSES)


def hear_of_supply(account: VppAccount, title_ids: Collection[int]) -> None:
    """There are more licenses of these titles, or the title itself came or went. In the transaction."""
    _look_at(account, _apps_of_titles(account, title_ids), SUPPLY)


def hear_of_people(account: VppAccount) -> None:
    """People of the account came, accepted or went. In the transaction."""
    apps = ManagedApp.objects.filter(accounts__account=account, purchase_method=PurchaseMethod.USER)
    _look_at(account, apps, LICENSES)


def hear_of_account(account: VppAccount, *, lost: bool = False) -> None:
    """Who may use it where is another matter now, or whether it takes changes; or all of its licenses
    are lost with it. In the transaction."""
    apps = ManagedApp.objects.filter(accounts__account=account)
    _look_at(account, apps, LICENSES if lost else SUPPLY)


def hear_of_batches(organization_ids: Collection[int], over: Iterable[int]) -> None:
    """Items of batches were settled; `over`: those that ended with it. After the commit."""
    call_each(organization_ids)
    ended = Batch.objects.filter(pk__in=over, kind__in=TAKES).select_related("account")
    for batch in ended:
        if batch.kind == BatchKind.RETIRE:
            hear_of_people(batch.account)
        else:
            titles = batch.items.order_by().values_list("licensed_app", flat=True)
            hear_of_titles(batch.account, set(titles.distinct()))


def _apps_of_titles(account: VppAccount, title_ids: Collection[int]) -> ManagedAppQuerySet:
    titles = LicensedApp.objects.filter(pk__in=title_ids)
    return ManagedApp.objects.filter(
        organization=account.organization_id, adam_id__in=titles.values("adam_id")
    )


def _look_at(account: VppAccount, apps: ManagedAppQuerySet, cause: str) -> None:
    ids = list(apps.order_by("pk").values_list("pk", flat=True))
    request(account.organization_id, managed_app_ids=ids, cause=cause)
