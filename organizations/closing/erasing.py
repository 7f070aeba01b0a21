"""What is left of a deleted organization after the days to undo it: all of it goes, for good.

The work of the system role, in many small transactions: an organization may have millions of rows.
Killed at any point, the next sweep goes on. First go tokens and secrets, last the organization's own
row; with it one event is written, which is all that stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from organizations import hooks
from organizations.closing.tables import Table, tables
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    IdentityProvider,
    Membership,
    Organization,
)

log = structlog.get_logger(__name__)

SYSTEM = "system"
AT_A_TIME = 10_000  # rows in one transaction
ADMINS_AT_A_TIME = 100
LOCK = 1_948_003  # a number of our own, so that nothing else takes the same lock
BEGUN = "organization.erasure_begun"  # stays to the end, with the numbers of what there was
ACTOR = "Deleted organizations"


def erase_deleted() -> int:
    """Every organization whose time is over; answers how many are gone."""
    over = Organization.objects.using(SYSTEM).filter(
        deletes_at__lte=timezone.now(), suspended_at=None
    )
    gone = 0
    for organization_id in over.values_list("pk", flat=True):
        try:
            gone += erase(organization_id)
        except DatabaseError:
            # Something was written meanwhile, or the database is away: the next sweep goes on.
            log.exception("erasing.interrupted", organization=organization_id)
    return gone


def erase(organization_id: int) -> bool:
    """Whether it is gone now; False where another worker is at it, or it is not to be erased."""
    with _alone(organization_id) as alone:
        if not alone or not _begin(organization_id):
            return False
        for table in tables():
            if table.model is Membership:
                _remove_members(organization_id)
            _empty(table, organization_id)
        _end(organization_id)
    log.info("erasing.done", organization=organization_id)
    return True


@contextmanager
def _alone(organization_id: int) -> Iterator[bool]:
    """One worker an organization: two would find each other's tables empty too early."""
    with connections[SYSTEM].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, organization_id])
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, organization_id])


@transaction.atomic(using=SYSTEM)
def _begin(organization_id: int) -> bool:
    """Secrets first. The row is locked, since somebody could be undoing it at the last moment."""
    over = Organization.objects.using(SYSTEM).select_for_update()
    due = {"deletes_at__lte": timezone.now(), "suspended_at": None}
    organization = over.filter(pk=organization_id, **due).first()
    if organization is None:
        return False
    if _begun(organization_id).exists():
        return True
    hooks.erasure.send(Organization, organization_id=organization_id)
    providers = IdentityProvider.objects.using(SYSTEM).filter(organization=organization)
    named = [str(uuid) for uuid in providers.values_list("uuid", flat=True)]
    SocialAccount.objects.using(SYSTEM).filter(provider__in=named).delete()
    providers.delete()
    ApiKey.objects.using(SYSTEM).filter(organization=organization).delete()
    _record(BEGUN, organization, after=_counts(organization_id))
    return True


def _begun(organization_id: int) -> Any:
    return AuditEvent.objects.using(SYSTEM).filter(organization=organization_id, action=BEGUN)


def _counts(organization_id: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    with connections[SYSTEM].cursor() as cursor:
        for table in tables():
            cursor.execute(table.count, [organization_id])
            (number,) = cursor.fetchone()
            if number:
                counts[table.model._meta.model_name or table.name] = number
    return counts


def _empty(table: Table, organization_id: int) -> None:
    with connections[SYSTEM].cursor() as cursor:
        for statement in table.statements:
            rows = AT_A_TIME
            while rows == AT_A_TIME:
                cursor.execute(statement, [organization_id, BEGUN, AT_A_TIME])
                rows = cursor.rowcount


def _remove_members(organization_id: int) -> None:
    """Who belongs to no other organization goes as well: sessions and keys end with them."""
    while _remove_some_members(organization_id):
        pass


@transaction.atomic(using=SYSTEM)
def _remove_some_members(organization_id: int) -> int:
    members = Membership.objects.using(SYSTEM).filter(organization=organization_id)
    some = dict(members.order_by("pk").values_list("pk", "admin")[:ADMINS_AT_A_TIME])
    # In one order with whoever gives one of them another membership just now.
    admins = Admin.objects.using(SYSTEM).filter(pk__in=some.values()).order_by("pk")
    list(admins.select_for_update().values_list("pk"))
    members.filter(pk__in=some)._raw_delete(using=SYSTEM)
    elsewhere = Membership.objects.using(SYSTEM).filter(admin=OuterRef("pk"))
    alone = admins.filter(~Exists(elsewhere))
    keys = UserSession.objects.using(SYSTEM).filter(user__in=alone).values("session_key")
    Session.objects.using(SYSTEM).filter(pk__in=keys).delete()
    alone.delete()
    return len(some)


@transaction.atomic(using=SYSTEM)
def _end(organization_id: int) -> None:
    """Its own row, and the one event that stays. A row that came meanwhile stops this."""
    organization = Organization.objects.using(SYSTEM).get(pk=organization_id)
    counts = _begun(organization_id).order_by("pk").values_list("after", flat=True).first()
    asked_at = organization.deletion_asked_at
    told = {"askedAt": asked_at.isoformat() if asked_at else None, "rows": counts}
    _begun(organization_id)._raw_delete(using=SYSTEM)
    Organization.objects.using(SYSTEM).filter(pk=organization_id)._raw_delete(using=SYSTEM)
    _record("organization.deleted", organization, after=told)


def _record(action: str, organization: Organization, *, after: dict[str, Any]) -> None:
    """As the system role: the application's would have to be inside the organization."""
    AuditEvent.objects.using(SYSTEM).create(
        organization_id=organization.pk,
        actor_kind=AuditEvent.ActorKind.SYSTEM,
        actor_name=ACTOR,
        action=action,
        target_kind="organization",
        target_id=organization.pk,
        target_name=f"Organization {organization.pk}",
        after=after,
    )
