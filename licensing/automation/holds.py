"""A rule that would take back many licenses at once waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps_catalog.models import ManagedApp
from licensing.automation.changes import LICENSES, request
from licensing.automation.excess import keep_for_good
from licensing.automation.guard import PERMITTED_FOR
from licensing.models import AutomationHold
from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership, Network
from organizations.refusals import Conflict

MOST_NAMED = 20


class AlreadyDecided(Conflict):
    code = "already_decided"

    def __init__(self, hold: AutomationHold) -> None:
        answer = "allowed" if hold.allowed else "refused"
        super().__init__(
            f"{hold.decided_by} has {answer} this already, so there is nothing left to decide."
        )


class NothingToDecide(Conflict):
    code = "nothing_waits"

    def __init__(self) -> None:
        super().__init__("Nothing of this app waits for a decision any more.")


class NotYourNetwork(Conflict):
    code = "network_not_yours"

    def __init__(self, network: Network) -> None:
        super().__init__(
            f"Only admins who may write in “{network}” decide about its licenses; ask one of them."
        )


@transaction.atomic
def decide(
    *, by: Actor, hold: AutomationHold, allow: bool, membership: Membership | None = None
) -> AutomationHold:
    """Allowed: as many are taken back as were shown. Refused: whom it is about keep theirs, until a
    person takes them back."""
    holds = AutomationHold.objects.select_related("managed_app__network", "organization")
    locked = holds.select_for_update(of=("self",)).get(pk=hold.pk)
    if locked.decided_at is not None:
        raise AlreadyDecided(locked)
    _refuse_strangers(locked.managed_app, membership)
    kept = 0 if allow else keep_for_good(locked.managed_app)
    locked.decided_at, locked.decided_by = timezone.now(), by.name[:254]
    locked.allowed, locked.allowed_up_to = allow, locked.revokes if allow else None
    locked.save(update_fields=["decided_at", "decided_by", "allowed", "allowed_up_to"])
    audit.record(
        "automation.decided",
        by=by,
        organization=locked.organization,
        target=locked.managed_app,
        after={"allowed": True, "revokes": locked.revokes}
        if allow
        else {"allowed": False, "kept": kept},
    )
    request(locked.organization_id, managed_app_ids=[locked.managed_app_id], cause=LICENSES)
    return locked


def _refuse_strangers(managed_app: ManagedApp, membership: Membership | None) -> None:
    if membership is None:
        return
    ours = Network.objects.writable_by(membership)
    if not ours.filter(pk=managed_app.network_id).exists():
        raise NotYourNetwork(managed_app.network)


@transaction.atomic
def permit(managed_app: ManagedApp, due: Sequence[str], assigned: int) -> bool:
    """Whether a person has allowed so many; what they allowed is used up by it."""
    since = timezone.now() - PERMITTED_FOR
    allowed = AutomationHold.objects.filter(
        managed_app=managed_app, allowed=True, decided_at__gt=since
    )
    latest = allowed.select_for_update(of=("self",)).order_by("-decided_at").first()
    if latest is None or (latest.allowed_up_to or 0) < len(due):
        _ask(managed_app, due, assigned)
        return False
    latest.allowed_up_to = (latest.allowed_up_to or 0) - len(due)
    latest.save(update_fields=["allowed_up_to"])
    return True


def _ask(managed_app: ManagedApp, due: Sequence[str], assigned: int) -> None:
    facts: dict[str, Any] = {
        "revokes": len(due),
        "assigned": assigned,
        "named": sorted(due)[:MOST_NAMED],
        "as_of": timezone.now(),
    }
    hold, is_new = AutomationHold.objects.get_or_create(
        managed_app=managed_app,
        decided_at=None,
        defaults=facts | {"organization_id": managed_app.organization_id},
    )
    if is_new:
        audit.record(
            "automation.held",
            by=Actor.system("Automatic licensing"),
            organization=managed_app.organization,
            target=managed_app,
            after={"revokes": len(due), "assigned": assigned},
        )
        return
    AutomationHold.objects.filter(pk=hold.pk).update(**facts)


def waiting_of(managed_app: ManagedApp) -> AutomationHold:
    hold = AutomationHold.objects.waiting().filter(managed_app=managed_app).first()
    if hold is None:
        raise NothingToDecide
    return hold


def withdraw(managed_app: ManagedApp) -> None:
    """Nothing of it would be taken back any more, or so little that nobody has to be asked."""
    AutomationHold.objects.waiting().filter(managed_app=managed_app).delete()
