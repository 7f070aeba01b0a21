"""One app's automatic licensing stands still: nothing is granted, revoked or installed by its rule."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps_catalog.managing.editing import announce, locked
from apps_catalog.models import ManagedApp
from organizations import audit
from organizations.audit import Actor


@transaction.atomic
def pause_app(*, by: Actor, managed_app: ManagedApp) -> ManagedApp:
    managed_app = locked(managed_app)
    if managed_app.paused_at is None:
        managed_app.paused_at, managed_app.paused_by = timezone.now(), by.name[:254]
        managed_app.save(update_fields=["paused_at", "paused_by"])
        audit.record(
            "managed_app.paused",
            by=by,
            organization=managed_app.organization,
            target=managed_app,
            after={"network": str(managed_app.network)},
        )
        announce(managed_app, f"{managed_app} was paused")
    return managed_app


@transaction.atomic
def resume_app(*, by: Actor, managed_app: ManagedApp) -> ManagedApp:
    managed_app = locked(managed_app)
    if managed_app.paused_at is not None:
        managed_app.paused_at, managed_app.paused_by = None, ""
        managed_app.save(update_fields=["paused_at", "paused_by"])
        audit.record(
            "managed_app.resumed",
            by=by,
            organization=managed_app.organization,
            target=managed_app,
            after={"network": str(managed_app.network)},
        )
        announce(managed_app, f"{managed_app} was resumed")
    return managed_app
