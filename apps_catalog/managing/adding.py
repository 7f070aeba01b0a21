"""An app becomes one of a network's apps."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from apps_catalog import hooks
from apps_catalog.managing.accounts import draw_from
from apps_catalog.managing.checking import checked
from apps_catalog.managing.details import ManagedAppDetails, assign, facts_of
from apps_catalog.managing.methods import methods_for
from apps_catalog.managing.refusals import AppAlreadyThere, NoNetworkChosen, WrongPlatform
from apps_catalog.models import App, ManagedApp, ManagedPlatform
from organizations import audit, tags
from organizations.audit import Actor
from organizations.models import Membership, Network

# What runs on an iPhone may be known to the store by these names alone.
RUN_AS_IOS = {"iOS", "iPadOS", "visionOS", "watchOS"}


@transaction.atomic
def add_apps(
    *,
    by: Actor,
    membership: Membership,
    app: App,
    platform: str,
    networks: Mapping[Network, ManagedAppDetails],
) -> list[ManagedApp]:
    """One for each network, in all of them or in none."""
    if not networks:
        raise NoNetworkChosen
    refuse_platform(app, platform)
    taken = ManagedApp.objects.filter(
        network__in=networks, adam_id=app.adam_id, platform=platform
    ).select_related("network")
    if there := [managed.network for managed in taken]:
        raise AppAlreadyThere(str(app), there)
    added = [
        _add(by, membership, ManagedApp(app=app, platform=platform, network=network), details)
        for network, details in networks.items()
    ]
    hooks.managed_apps_changed.send(
        sender=ManagedApp,
        organization=membership.organization,
        managed_app_ids=[managed_app.pk for managed_app in added],
        cause=f"{app} was added",
    )
    return added


def refuse_platform(app: App, platform: str) -> None:
    """What the store does not tell is no hindrance."""
    names = RUN_AS_IOS if platform == ManagedPlatform.IOS else {platform}
    if app.platforms and names.isdisjoint(app.platforms):
        raise WrongPlatform(str(app), platform, app.platforms)


def default_method(app: App) -> str:
    return str(methods_for(app)[0].value)


def _add(
    by: Actor, membership: Membership, managed_app: ManagedApp, details: ManagedAppDetails
) -> ManagedApp:
    managed_app.organization = membership.organization
    tags.hold(managed_app.organization_id, details.scope.tag_ids)
    managed_app.adam_id = managed_app.app.adam_id
    managed_app.created_by = by.name[:254]
    details = checked(details, managed_app, membership, was=ManagedAppDetails())
    assign(managed_app, details)
    try:
        with transaction.atomic():
            managed_app.save()
    except IntegrityError as error:
        raise AppAlreadyThere(str(managed_app), [managed_app.network]) from error
    draw_from(managed_app, details.account_ids)
    place = {"network": str(managed_app.network), "platform": managed_app.platform}
    audit.record(
        "managed_app.added",
        by=by,
        organization=membership.organization,
        target=managed_app,
        after=place | facts_of(managed_app.organization_id, details),
    )
    return managed_app
