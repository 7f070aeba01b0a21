"""In which organizations there is something to look for, or something due."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from licensing.models import Batch, BatchKind, LicensingSettings, Reclaim, ReclaimRule
from organizations.models import OF_OPEN, Organization
from vpp_accounts.models import VppAccount

STALE = timedelta(days=1)
JUST_NOW = timedelta(minutes=5)
State = Reclaim.State


def to_look_at() -> list[int]:
    """Every hour where a rule is on, once a day where not: asked by the system role."""
    system = Organization.objects.using("system")
    mine = {"organization": OuterRef("pk")}
    fresh = LicensingSettings.objects.filter(**mine, reclaims_as_of__gt=timezone.now() - STALE)
    rules = ReclaimRule.objects.filter(**mine, is_enabled=True)
    accounts = VppAccount.objects.filter(**mine)
    wanted = Q(Exists(rules)) | ~Q(Exists(fresh))
    return list(system.open().filter(Exists(accounts), wanted).values_list("pk", flat=True))


def to_work_on() -> list[int]:
    """Where something is due, or may have come to its end."""
    rows = Reclaim.objects.using("system").filter(OF_OPEN)
    waiting = Q(state=State.PLANNED, waits_since__isnull=False, allowed_by="")
    due = rows.filter(state__in=(State.PLANNED, State.STARTED), due_at__lte=timezone.now())
    # A person may take back what no rule has started.
    revoking = Batch.objects.filter(
        Q(finished_at=None) | Q(finished_at__gte=timezone.now() - JUST_NOW),
        account=OuterRef("account"),
        kind=BatchKind.REVOKE,
    )
    taken = rows.filter(Exists(revoking), state__in=(State.FOUND, State.PLANNED))
    found = due.exclude(waiting).values("organization").union(taken.values("organization"))
    return [row["organization"] for row in found]
