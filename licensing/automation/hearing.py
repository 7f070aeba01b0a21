"""What makes automatic licensing look again: announced by lower apps, and by what moves licenses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count

from apps_catalog import hooks as apps
from apps_catalog.models import Installation, ManagedApp
from licensing.automation import news
from licensing.automation.changes import ASKED, request
from licensing.automation.counting import recount
from licensing.batches.tallies import batches_moved
from licensing.changes import licenses_moved, supply_moved
from licensing.models import Assignment
from organizations import hooks as organizations
from organizations.models import Network, Organization
from users import hooks as people
from vpp_accounts import hooks as accounts
from vpp_accounts.models import VppAccount


def connect() -> None:
    for signal, receiver in (
        (organizations.devices_changed, devices_changed),
        (organizations.organization_reopened, reopened),
        (organizations.network_deletion, apps_ending),
        (apps.managed_apps_changed, apps_changed),
        (apps.installs_asked, installs_asked),
        (apps.installations_moved, installations_moved),
        (accounts.rights_changed, account_changed),
        (accounts.writing_changed, account_changed),
        (accounts.account_removed, account_removed),
        (people.people_added, people_changed),
        (people.people_moved, people_changed),
        (licenses_moved, licenses_changed),
        (supply_moved, supply_changed),
        (batches_moved, batches_changed),
    ):
        signal.connect(receiver, dispatch_uid=f"licensing.automation.{receiver.__name__}")


def devices_changed(
    sender: Any,
    *,
    organization: Organization,
    device_ids: Iterable[int] | None,
    cause: str,
    **kwargs: Any,
) -> None:
    request(organization.pk, device_ids=device_ids, cause=cause)


def apps_changed(
    sender: Any,
    *,
    organization: Organization,
    managed_app_ids: Iterable[int],
    cause: str,
    **kwargs: Any,
) -> None:
    request(organization.pk, managed_app_ids=managed_app_ids, cause=cause)


def installs_asked(
    sender: Any, *, organization: Organization, managed_app_ids: Iterable[int], **kwargs: Any
) -> None:
    request(organization.pk, managed_app_ids=managed_app_ids, cause=ASKED)


def installations_moved(sender: Any, *, managed_app_ids: Collection[int], **kwargs: Any) -> None:
    recount(managed_app_ids)


def reopened(sender: Any, *, organization: Organization, **kwargs: Any) -> None:
    request(organization.pk, cause="reopened")


def account_changed(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    news.hear_of_account(account)


def account_removed(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    news.hear_of_account(account, lost=True)


def people_changed(sender: Any, *, account: VppAccount, **kwargs: Any) -> None:
    news.hear_of_people(account)


def licenses_changed(
    sender: Any, *, account: VppAccount, title_ids: Collection[int], **kwargs: Any
) -> None:
    news.hear_of_titles(account, title_ids)


def supply_changed(
    sender: Any, *, account: VppAccount, title_ids: Collection[int], **kwargs: Any
) -> None:
    news.hear_of_supply(account, title_ids)


def batches_changed(
    sender: Any, *, organization_ids: Collection[int], over: Iterable[int], **kwargs: Any
) -> None:
    news.hear_of_batches(organization_ids, over)


def apps_ending(sender: Any, *, network: Network, **kwargs: Any) -> list[str]:
    """What a network's end means for the apps that it deploys."""
    managed = ManagedApp.objects.filter(network=network)
    number = managed.count()
    if not number:
        return []
    installed = Installation.objects.filter(managed_app__in=managed, is_managed=True).count()
    held = Assignment.objects.filter(
        organization=network.organization_id,
        origin=Assignment.Origin.RULE,
        rule_id__in=list(managed.values_list("pk", flat=True)),
    ).aggregate(n=Count("*"))["n"]
    told = {
        "Apps that it deploys, with their scopes and settings": number,
        "Licenses that these apps granted, and that stay assigned": held,
        "Managed copies of them on devices, which stay there": installed,
    }
    return [f"{what}: {count:,}." for what, count in told.items() if count]
