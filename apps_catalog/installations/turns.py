"""Whose turn it is: one worker at a time in an organization, and when it is called again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import Least
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.models import Deployment
from organizations import tenancy
from vpp_accounts.leases import Hold
from vpp_accounts.models.runs import LEASE

# A bell that nobody heard costs this much at most.
AT_THE_LATEST = timedelta(minutes=15)


def ring(organization_id: int) -> None:
    """There is something to do. Call it in the transaction that made it so."""
    transaction.on_commit(
        lambda: hooks.deployment_waits.send(Deployment, organization_id=organization_id),
        robust=True,
    )


def note(organization_id: int) -> None:
    """The bell was rung: should its sound be lost, the sweep finds the row."""
    with tenancy.inside(organization_id):
        now = timezone.now()
        Deployment.objects.get_or_create(organization_id=organization_id, defaults={"due_at": now})
        later = Q(due_at=None) | Q(due_at__gt=now)
        Deployment.objects.filter(later, organization=organization_id).update(due_at=now)


def rows_of(organization_id: int) -> QuerySet[Deployment]:
    return Deployment.objects.filter(organization=organization_id)


def claim(organization_id: int) -> int | None:
    """The token of our lease; None while another worker has it. One conditional statement."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    # Who rings from now on is heard when we leave.
    claimed = (
        rows_of(organization_id)
        .filter(free)
        .update(lease_until=now + LEASE, lease_token=F("lease_token") + 1, due_at=None)
    )
    if not claimed:
        return None
    return rows_of(organization_id).values_list("lease_token", flat=True).get()


def leave(hold: Hold, organization_id: int, *, next_at: datetime | None) -> None:
    """Give the lease back. In one statement, since somebody may be ringing just now.

    The token, so that our heartbeat does not take the lease again that nobody works under.
    """
    latest = timezone.now() + AT_THE_LATEST
    turn = min(next_at or latest, latest)
    hold.update(
        lease_until=None,
        lease_token=F("lease_token") + 1,
        due_at=Least("due_at", Value(turn, DateTimeField())),
    )
    if rows_of(organization_id).filter(due_at__lte=timezone.now()).exists():
        ring(organization_id)
