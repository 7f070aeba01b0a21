"""Which audit events an admin may read: news of licenses is for those who may see the licenses."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.db.models.fields.json import KT

from licensing.models.apps import LicensedApp
from licensing.models.batches import Batch
from organizations.models import AuditEvent, Membership
from organizations.models.audit import AuditEventQuerySet
from users.models import VppUser
from vpp_accounts.models import VppAccount

SYNCED = "vpp_account.synced"  # says how many licenses changed
IMPORTED = "people.imported"  # how many people were added, to an account that it names
# What is about licenses, by the kind of its target: titles with their assignments, batches, people.
ABOUT_LICENSES: dict[str, Any] = {"licensedapp": LicensedApp, "batch": Batch, "vppuser": VppUser}


def events_visible_to(membership: Membership) -> AuditEventQuerySet:
    """The organization's events without those of accounts that are closed to this admin.

    Once an account is removed, or a batch forgotten, nobody can tell whose it was. Full admins, who
    could have opened any account to themselves, keep reading such events; others do not.
    """
    events = _without_numbers_of_closed_accounts(membership)
    for kind, model in ABOUT_LICENSES.items():
        opened = model.objects.visible_to(membership).values("pk")
        if not membership.can_write:
            events = events.filter(~Q(target_kind=kind) | Q(target_id__in=opened))
            continue
        every = model.objects.filter(organization=membership.organization_id)
        closed = every.exclude(pk__in=opened).values("pk")
        events = events.exclude(Q(target_kind=kind, target_id__in=closed))
    return events


def _without_numbers_of_closed_accounts(membership: Membership) -> AuditEventQuerySet:
    accounts = VppAccount.objects.visible_to(membership)
    closed = accounts.exclude(pk__in=accounts.open_to(membership))
    synced = Q(action=SYNCED, target_kind="vppaccount", target_id__in=closed.values("pk"))
    imported = Q(action=IMPORTED, of_account__in=closed.values("name"))
    events: Any = AuditEvent.objects.visible_to(membership).alias(of_account=KT("after__account"))
    told: AuditEventQuerySet = events.exclude(synced).exclude(imported)
    return told
