"""The accounts of a deleted organization: they stay while that can be undone, but Apple falls silent."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from organizations.models import Organization
from vpp_accounts import hooks
from vpp_accounts.models import FormerClaim, SyncRun, VppAccount

CLOSED = "Stopped, because the organization was closed."


def end_syncs(organization: Organization) -> None:
    """Their workers notice at their next write."""
    SyncRun.objects.open().filter(organization=organization).update(
        finished_at=timezone.now(),
        phase=SyncRun.Phase.DONE,
        outcome=SyncRun.Outcome.FAILED,
        message=CLOSED,
    )


def sync_again(organization: Organization) -> None:
    """What Apple told meanwhile is stored, and a sync reads the rest."""
    accounts = VppAccount.objects.filter(organization=organization)
    accounts.exclude(state__in=VppAccount.STOPPED).update(next_sync_at=timezone.now())


def silence(organization: Organization) -> None:
    """Have Apple's notifications switched off, as at an account's removal (goodbye.py)."""
    told = ~Q(notification_secret_hash="") | ~Q(notification_new_secret_hash="")
    accounts = VppAccount.objects.filter(told, organization=organization, claimed_at__isnull=False)
    now = timezone.now()
    goodbyes = FormerClaim.objects.bulk_create(
        [
            FormerClaim(
                organization=organization,
                mdm_id=str(account.uuid),
                name=account.name,
                token_ciphertext=account.token_ciphertext,
                next_attempt_at=now,
            )
            for account in accounts
        ]
    )
    ids = [goodbye.pk for goodbye in goodbyes]
    transaction.on_commit(lambda: _ring(ids), robust=True)


def _ring(former_claim_ids: Iterable[int]) -> None:
    for former_claim_id in former_claim_ids:
        hooks.goodbye_due.send(FormerClaim, former_claim_id=former_claim_id)


def break_silence(organization: Organization) -> None:
    """The next sync asks Apple for notifications again."""
    accounts = VppAccount.objects.filter(organization=organization)
    marks = [str(uuid) for uuid in accounts.values_list("uuid", flat=True)]
    FormerClaim.objects.filter(organization=organization, mdm_id__in=marks).delete()


def leave_marks_only(organization_id: int) -> None:
    """Before everything goes: no token stays, and the marks at Apple are known as ours for ever."""
    accounts = VppAccount.objects.using("system").filter(organization=organization_id)
    claimed = accounts.filter(claimed_at__isnull=False).values_list("uuid", flat=True)
    marks = [FormerClaim(organization_id=organization_id, mdm_id=str(uuid)) for uuid in claimed]
    former = FormerClaim.objects.using("system")
    former.bulk_create(marks, ignore_conflicts=True)
    former.filter(organization=organization_id).update(
        name="", token_ciphertext="", next_attempt_at=None
    )
    accounts.update(
        token_ciphertext="", notification_secret_hash="", notification_new_secret_hash=""
    )
