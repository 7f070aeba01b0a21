"""What an admin changes about an app: its scope, its licenses, how it is installed."""

from __future__ import annotations

from django.db import transaction

from apps_catalog import hooks
from apps_catalog.managing.accounts import draw_from
from apps_catalog.managing.checking import checked
from apps_catalog.managing.details import ManagedAppDetails, assign, facts_of
from apps_catalog.managing.refusals import AppGone
from apps_catalog.models import ManagedApp
from organizations import audit, tags
from organizations.audit import Actor
from organizations.models import Membership


@transaction.atomic
def edit_app(
    *, by: Actor, membership: Membership, managed_app: ManagedApp, details: ManagedAppDetails
) -> ManagedApp:
    """What saying so already changes nothing leaves no trace."""
    tags.hold(managed_app.organization_id, details.scope.tag_ids)
    managed_app = locked(managed_app)
    was = ManagedAppDetails.of(managed_app)
    details = checked(details, managed_app, membership, was=was)
    if details == was:
        return managed_app
    before = facts_of(managed_app.organization_id, was)
    assign(managed_app, details)
    managed_app.save()
    draw_from(managed_app, details.account_ids)
    after = facts_of(managed_app.organization_id, details)
    changed = [name for name in after if after[name] != before[name]]
    audit.record(
        "managed_app.edited",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    announce(managed_app, f"{managed_app} was changed")
    return managed_app


def locked(managed_app: ManagedApp) -> ManagedApp:
    """As it is now, and nobody changes it meanwhile."""
    rows = ManagedApp.objects.select_related("organization", "network", "app")
    found = rows.select_for_update(of=("self",), no_key=True).filter(pk=managed_app.pk).first()
    if found is None:
        raise AppGone
    return found


def announce(managed_app: ManagedApp, cause: str) -> None:
    hooks.managed_apps_changed.send(
        sender=ManagedApp,
        organization=managed_app.organization,
        managed_app_ids=[managed_app.pk],
        cause=cause,
    )
