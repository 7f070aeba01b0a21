"""A full admin deletes the organization, and any full admin can undo that for 30 days."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from organizations import audit, hooks, tenancy
from organizations.audit import Actor
from organizations.closing import letters
from organizations.models import Organization
from organizations.refusals import Conflict, Refusal

log = structlog.get_logger(__name__)

DAYS_TO_UNDO = 30
DAYS_BEFORE = (7, 1)  # on which it is said again


class NameNotTyped(Refusal):
    code = "name_not_typed"
    field = "typed_name"

    def __init__(self, name: str) -> None:
        super().__init__(f"That is not the organization's name. Type “{name}” exactly.")


class NotDeleted(Conflict):
    def __init__(self) -> None:
        super().__init__("This organization is not deleted: there is nothing to undo.")


class TooLate(Conflict):
    def __init__(self) -> None:
        super().__init__("The days to undo it are over: what is left is just being removed.")


@transaction.atomic
def ask_deletion(
    *, by: Actor, organization: Organization, typed_name: str, take_licenses_back: bool = False
) -> Organization:
    """Close it now; it is gone for good after 30 days. To ask twice is to ask once."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if " ".join(typed_name.split()) != locked.name:
        raise NameNotTyped(locked.name)
    if locked.deletion_asked_at:
        return locked
    now = timezone.now()
    locked.deletion_asked_at, locked.deletion_asked_by = now, by.name[:254]
    locked.deletes_at = now + timedelta(days=DAYS_TO_UNDO)
    locked.takes_licenses_back = take_licenses_back
    locked.save(update_fields=FIELDS)
    audit.record(
        "organization.deletion_asked",
        by=by,
        organization=locked,
        target=locked,
        after={
            "goneForGood": locked.deletes_at.isoformat(),
            "takesLicensesBack": take_licenses_back,
        },
    )
    hooks.organization_closed.send(Organization, organization=locked)
    hooks.deletion_asked.send(Organization, organization=locked)
    letters.tell_of_deletion(locked)
    return locked


@transaction.atomic
def undo_deletion(*, by: Actor, organization: Organization) -> Organization:
    """As it was, but for what the deletion has cancelled or taken back."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.deletion_asked_at is None:
        raise NotDeleted
    if locked.deletes_at is None or locked.deletes_at <= timezone.now():
        raise TooLate
    asked_at, asked_by = locked.deletion_asked_at, locked.deletion_asked_by
    locked.deletion_asked_at = locked.deletes_at = None
    locked.deletion_asked_by, locked.takes_licenses_back = "", False
    locked.save(update_fields=FIELDS)
    audit.record(
        "organization.deletion_undone",
        by=by,
        organization=locked,
        target=locked,
        before={"askedBy": asked_by, "askedAt": asked_at.isoformat()},
    )
    hooks.deletion_undone.send(Organization, organization=locked)
    if locked.is_open:
        hooks.organization_reopened.send(Organization, organization=locked)
    letters.tell_of_undoing(locked, by.name, asked_at)
    return locked


FIELDS = ["deletion_asked_at", "deletion_asked_by", "deletes_at", "takes_licenses_back"]


def remind_of_deletions() -> int:
    """7 days and 1 day before the end; answers how many mails are new."""
    now = timezone.now()
    soon = now + timedelta(days=max(DAYS_BEFORE))
    near = Organization.objects.using("system").filter(
        deletes_at__gt=now, deletes_at__lte=soon, suspended_at=None
    )
    posted = 0
    for organization_id in near.values_list("pk", flat=True):
        try:
            with tenancy.inside(organization_id), transaction.atomic():
                posted += _remind(organization_id)
        except Exception:  # the others are told
            log.exception("deletion.not_reminded", organization=organization_id)
    return posted


def _remind(organization_id: int) -> int:
    """Only of the nearest day: whoever hears of tomorrow need not hear of a week."""
    organization = Organization.objects.select_for_update().get(pk=organization_id)
    left = (organization.deletes_at or timezone.now()) - timezone.now()
    reached = [days for days in DAYS_BEFORE if timedelta() < left <= timedelta(days=days)]
    return letters.remind_of_deletion(organization, min(reached)) if reached else 0
