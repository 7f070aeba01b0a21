"""Automatic licensing of a whole organization, stopped for a while by a person."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from licensing.automation.changes import request
from licensing.models import Automation
from organizations import audit
from organizations.audit import Actor
from organizations.models import Organization


@transaction.atomic
def pause(*, by: Actor, organization: Organization) -> None:
    """Rules grant and revoke nothing more; what Apple was asked for runs to its end."""
    automation = _locked(organization)
    if automation.paused_at is not None:
        return
    automation.paused_at, automation.paused_by = timezone.now(), by.name[:254]
    automation.save(update_fields=["paused_at", "paused_by"])
    audit.record("automation.paused", by=by, organization=organization, target=organization)
    request(organization.pk, cause="paused")


@transaction.atomic
def resume(*, by: Actor, organization: Organization) -> None:
    automation = _locked(organization)
    if automation.paused_at is None:
        return
    automation.paused_at, automation.paused_by = None, ""
    automation.save(update_fields=["paused_at", "paused_by"])
    audit.record("automation.resumed", by=by, organization=organization, target=organization)
    request(organization.pk, cause="resumed")


def automation_of(organization: Organization) -> Automation | None:
    """None where nothing has ever been automatic."""
    return Automation.objects.filter(organization=organization).first()


def is_paused(organization_id: int) -> bool:
    paused = Automation.objects.filter(organization=organization_id, paused_at__isnull=False)
    return paused.exists()


def _locked(organization: Organization) -> Automation:
    Automation.objects.get_or_create(organization=organization)
    rows = Automation.objects.select_for_update(of=("self",), no_key=True)
    return rows.get(organization=organization)
