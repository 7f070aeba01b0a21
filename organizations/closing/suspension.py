"""The operator of the installation closes an organization, and opens it again."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from organizations import audit, hooks
from organizations.audit import Actor
from organizations.closing import letters
from organizations.models import Organization
from organizations.refusals import Conflict, Refusal

OPERATOR = Actor.system("Installation operator")
LONGEST_REASON = 300
DAYS_AFTER_SUSPENSION = timedelta(days=7)  # to undo a deletion, at least


class ReasonMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(
            f"Say why in 1 to {LONGEST_REASON} characters: every admin of the organization reads it."
        )


class SuspendedAlready(Conflict):
    def __init__(self, reason: str) -> None:
        super().__init__(f"It is suspended already: {reason}")


class NotSuspended(Conflict):
    def __init__(self) -> None:
        super().__init__("It is not suspended.")


@transaction.atomic
def suspend(*, by: Actor, organization: Organization, reason: str) -> Organization:
    """Nobody works in it and nothing runs for it, until it is resumed."""
    reason = checked_reason(reason)
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.suspended_at:
        raise SuspendedAlready(locked.suspended_reason)
    locked.suspended_at, locked.suspended_reason = timezone.now(), reason
    locked.save(update_fields=["suspended_at", "suspended_reason"])
    audit.record(
        "organization.suspended",
        by=by,
        organization=locked,
        target=locked,
        after={"reason": reason},
    )
    hooks.organization_closed.send(Organization, organization=locked)
    letters.tell_of_suspension(locked)
    return locked


@transaction.atomic
def resume(*, by: Actor, organization: Organization) -> Organization:
    """Everything goes on where it stopped, unless the organization is deleted as well.

    What is suspended is not erased: only those who can undo its deletion may lose it.
    """
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.suspended_at is None:
        raise NotSuspended
    since, reason = locked.suspended_at, locked.suspended_reason
    locked.suspended_at, locked.suspended_reason = None, ""
    if locked.deletes_at:
        # Nobody could undo its deletion meanwhile.
        locked.deletes_at = max(locked.deletes_at, timezone.now() + DAYS_AFTER_SUSPENSION)
    locked.save(update_fields=["suspended_at", "suspended_reason", "deletes_at"])
    audit.record(
        "organization.resumed",
        by=by,
        organization=locked,
        target=locked,
        before={"since": since.isoformat(), "reason": reason},
    )
    if locked.is_open:
        hooks.organization_reopened.send(Organization, organization=locked)
    letters.tell_of_resumption(locked, since)
    return locked


def checked_reason(text: str) -> str:
    """As a sentence, since other sentences follow it."""
    reason = " ".join(text.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise ReasonMissing
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."
