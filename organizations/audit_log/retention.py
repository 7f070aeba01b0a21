"""How long an organization keeps its audit log, and what takes away the rest.

The application's role can only add to the log. The sweep works as the system role, which may also
take away, but not change; what it took away is itself an event.
"""

from __future__ import annotations

import calendar
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor, event_of
from organizations.models import AuditEvent, Organization
from organizations.models.audit import AuditEventQuerySet
from organizations.refusals import Conflict, Refusal

log = structlog.get_logger(__name__)

CHOICES = (3, 6, 12, 24, 36, 60, 84, 120)  # months; none: as long as the organization
IN_WORDS = [(str(n), f"{n // 12} years" if n > 12 else f"{n} months") for n in CHOICES]
AT_ONCE = 5000
SWEEPER = Actor.system("Retention of the audit log")
SYSTEM = "system"


class RetentionWrong(Refusal):
    code = "audit_retention_wrong"
    field = "months"

    def __init__(self) -> None:
        told = ", ".join(map(str, CHOICES[:-1]))
        super().__init__(f"Events can be kept for {told} or {CHOICES[-1]} months, or for good.")


class RemovesEvents(Conflict):
    """Asked again with what was shown, it is done."""

    code = "audit_retention_removes_events"
    field = "months"

    def __init__(self, number: int, before: datetime) -> None:
        self.number, self.before = number, before
        are = "event is" if number == 1 else "events are"
        super().__init__(f"{number:,} {are} older than that and would be removed. Confirm it.")


# --- The setting ----------------------------------------------------------------------------------


@transaction.atomic
def keep_for(
    *, by: Actor, organization: Organization, months: int | None, confirmed: bool = False
) -> None:
    """Refused without a confirmation where events would go."""
    months = checked_months(months)
    known = Organization.objects.select_for_update().get(pk=organization.pk)
    if known.audit_kept_months == months:
        return
    going = too_old(known, months).count()
    if going and not confirmed:
        raise RemovesEvents(going, kept_since(known, months))
    before, known.audit_kept_months = known.audit_kept_months, months
    known.save(update_fields=["audit_kept_months"])
    audit.record(
        "organization.audit_retention_set",
        by=by,
        organization=known,
        target=known,
        before={"keptMonths": before},
        after={"keptMonths": months} | ({"goes": going} if going else {}),
    )
    organization.audit_kept_months = months


def checked_months(months: int | None) -> int | None:
    if months is not None and months not in CHOICES:
        raise RetentionWrong
    return months


def is_confirmed(organization: Organization, typed_name: str) -> bool:
    return typed_name.split() == organization.name.split()


def too_old(organization: Organization, months: int | None) -> AuditEventQuerySet:
    events = AuditEvent.objects.filter(organization=organization)
    return events.filter(at__lt=kept_since(organization, months)) if months else events.none()


def kept_since(organization: Organization, months: int | None) -> datetime:
    """Midnight of the organization, so many months ago."""
    today = timezone.now().astimezone(organization.zone).replace(hour=0, minute=0, second=0)
    return months_before(today.replace(microsecond=0), months or 0)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day of an earlier month, or that month's last one."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


# --- The sweep ------------------------------------------------------------------------------------


def remove_expired() -> int:
    """In every organization that keeps its log for a time; answers how many events went."""
    limited = Organization.objects.using(SYSTEM).filter(audit_kept_months__isnull=False)
    removed = 0
    for organization in limited.order_by("pk").iterator():
        try:
            removed += remove_expired_of(organization)
        except Exception:  # the other organizations go on
            log.exception("audit.not_expired", organization=organization.pk)
    return removed


def remove_expired_of(organization: Organization) -> int:
    """Oldest first, in short transactions; each leaves an event that says what is gone by then."""
    before = kept_since(organization, organization.audit_kept_months)
    said: AuditEvent | None = None
    removed = 0
    while True:
        with transaction.atomic(using=SYSTEM):
            gone = remove_some(organization, before)
            if not gone:
                return removed
            removed += gone
            said = say(organization, before, removed, instead_of=said)


def remove_some(organization: Organization, before: datetime) -> int:
    events = AuditEvent.objects.using(SYSTEM)
    old = events.filter(organization=organization, at__lt=before).order_by("at")
    return events.filter(pk__in=old.values("pk")[:AT_ONCE]).delete()[0]


def say(
    organization: Organization, before: datetime, removed: int, *, instead_of: AuditEvent | None
) -> AuditEvent:
    """Nobody may change an event: the one with the number so far gives way to the next."""
    if instead_of:
        AuditEvent.objects.using(SYSTEM).filter(pk=instead_of.pk).delete()
    event = event_of("audit.expired", SWEEPER, organization, organization)
    event.after = {"before": before.isoformat(), "number": removed}
    event.save(using=SYSTEM, force_insert=True)
    return event
