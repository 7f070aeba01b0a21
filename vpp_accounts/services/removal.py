"""Removing an account, and what that stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from organizations.audit import Actor
from vpp_accounts import hooks
from vpp_accounts.models import FormerClaim, SyncRun, VppAccount
from vpp_accounts.models.runs import LEASE
from vpp_accounts.refusals import NameNotTyped
from vpp_accounts.services.rights import facts, record


@dataclass(frozen=True, slots=True)
class Consequences:
    stops: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)


WITHOUT_NUMBERS = Consequences(
    stops=[
        "Its titles, its people and the history of its counts leave this dashboard.",
        "Licenses and people that are just being changed, and now no longer are.",
    ]
)


def removal_consequences(account: VppAccount, *, in_numbers: bool = True) -> Consequences:
    """What stops and what stays when the account is removed; how much that is, its allowed admins
    are told alone."""
    stops = ["Syncing, granting and revoking for this location.", *_of_the_token(account)]
    stays = [
        "The licenses and their assignments at Apple: apps that are installed keep working.",
        "The mark at Apple that this installation manages the location, until another MDM claims it.",
    ]
    if not in_numbers:
        return Consequences([*stops, *WITHOUT_NUMBERS.stops], stays)
    answers: Any = hooks.account_removal.send(VppAccount, account=account)
    for _, more in answers:
        stops += more.stops
        stays += more.stays
    return Consequences(stops=stops, stays=stays)


def _of_the_token(account: VppAccount) -> list[str]:
    if not _may_be_subscribed(account):
        return ["The stored token is deleted."]
    return [
        "Apple's notifications are switched off; Organization > Activity says so if Apple refuses.",
        "The stored token is deleted as soon as that is done, a day later at the latest.",
    ]


def _may_be_subscribed(account: VppAccount) -> bool:
    """Whether Apple may be sending us notifications: it was told a secret, or is being told one."""
    return bool(account.notification_secret_hash or account.notification_new_secret_hash)


@transaction.atomic
def remove_account(*, by: Actor, account: VppAccount, typed_name: str) -> None:
    if typed_name.strip() != account.name:
        raise NameNotTyped(account.name)
    # A worker that still writes for the account waits here, and then finds its run gone.
    runs = SyncRun.objects.select_for_update().filter(account=account)
    list(runs.values_list("pk"))
    # As it is now: the worker may have told Apple a new secret. After the runs, in the worker's order.
    rows = VppAccount.objects.select_related("organization").select_for_update(of=("self",))
    present = rows.filter(pk=account.pk).first()
    if present is None:
        return  # somebody else was quicker
    SyncRun.objects.filter(account=present).delete()
    record("vpp_account.removed", by, present, before=facts(present))
    if present.claimed_at:
        _keep_the_claim(present)
    hooks.account_removed.send(VppAccount, account=present)
    present.delete()


def _keep_the_claim(account: VppAccount) -> None:
    former, _ = FormerClaim.objects.get_or_create(
        mdm_id=str(account.uuid), defaults={"organization": account.organization}
    )
    if not _may_be_subscribed(account):
        return
    former.name = account.name
    former.token_ciphertext = account.token_ciphertext
    # A worker may be telling Apple of the new secret at this very moment.
    pause = LEASE if account.notification_new_secret_hash else timedelta()
    former.next_attempt_at = timezone.now() + pause
    former.save()
    transaction.on_commit(
        lambda: hooks.goodbye_due.send(FormerClaim, former_claim_id=former.pk), robust=True
    )
