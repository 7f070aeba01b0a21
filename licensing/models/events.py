"""Which audit events an admin may read: news of licenses is for those who may see the licenses."""

from __future__ import annotations

from django.db.models import Q

from licensing.models.apps import LicensedApp
from organizations.models import AuditEvent, Membership
from organizations.models.audit import AuditEventQuerySet

ABOUT_LICENSES = Q(target_kind="licensedapp")  # titles and their assignments


def events_visible_to(membership: Membership) -> AuditEventQuerySet:
    """The organization's events without those of accounts that are closed to this admin.

    Once an account is removed nobody can tell whose its titles were. Full admins, who could have
    opened any account to themselves, keep reading their events; others do not.
    """
    events = AuditEvent.objects.visible_to(membership)
    opened = LicensedApp.objects.visible_to(membership).values("pk")
    if not membership.can_write:
        return events.filter(~ABOUT_LICENSES | Q(target_id__in=opened))
    every = LicensedApp.objects.filter(organization=membership.organization_id)
    closed = every.exclude(pk__in=opened).values("pk")
    return events.exclude(ABOUT_LICENSES & Q(target_id__in=closed))
