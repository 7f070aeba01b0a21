"""An app is deleted from a network: its rule ends, and its licenses go back or stay."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from django.db import transaction

from apps_catalog import hooks
from apps_catalog.managing.details import ManagedAppDetails, facts_of
from apps_catalog.managing.editing import edit_app, locked
from apps_catalog.models import Installation, ManagedApp, RedemptionCode
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership
from organizations.scopes import Operator, Scope


class LicenseChoice(StrEnum):
    """What becomes of the licenses that were granted because of the app."""

    NOW = "now"
    KEEP = "keep"


def empty_scope(*, by: Actor, membership: Membership, managed_app: ManagedApp) -> ManagedApp:
    """Before it is deleted: the devices give their licenses back, and then lose the app."""
    details = replace(
        ManagedAppDetails.of(managed_app),
        scope=Scope(Operator.NONE),
        revokes_automatically=True,
        removes_out_of_scope=True,
        grace_days=0,
    )
    return edit_app(by=by, membership=membership, managed_app=managed_app, details=details)


@transaction.atomic
def delete_app(*, by: Actor, managed_app: ManagedApp, licenses: str) -> None:
    """Higher apps act on `managed_app_removed`, while the app and its installations are there."""
    managed_app = locked(managed_app)
    before = {"network": str(managed_app.network), "platform": managed_app.platform}
    before |= facts_of(managed_app.organization_id, ManagedAppDetails.of(managed_app))
    audit.record(
        "managed_app.deleted",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        before=before,
        after={"licenses": licenses},
    )
    hooks.managed_app_removed.send(
        sender=ManagedApp, managed_app=managed_app, choice=licenses, by=by
    )
    # They hang on the app without a database constraint.
    Installation.objects.filter(managed_app=managed_app)._raw_delete(using="default")
    managed_app.delete()


def removal_consequences(managed_app: ManagedApp) -> list[str]:
    """What ends with the app, in sentences, ours and those of the apps above."""
    codes = RedemptionCode.objects.filter(managed_app=managed_app).count()
    ours = [f"Its redemption codes, used and unused, are forgotten: {codes:,}."] if codes else []
    answers = hooks.managed_app_removal.send(sender=ManagedApp, managed_app=managed_app)
    return ours + [text for _, texts in answers for text in texts or ()]
