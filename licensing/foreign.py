"""Licenses that somebody else changed at Apple: another MDM, or a person in Apple's portal.

A sync or a notification finds them; what our own batches did is never among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from licensing.models import LicensedApp
from organizations.models import AuditEvent, Membership
from organizations.models.audit import FOUND_AT_APPLE
from vpp_accounts.models import VppAccount

LOOKED_BACK = timedelta(hours=24)
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class ForeignChanges:
    """What was found since then, in the accounts of these names."""

    since: datetime
    accounts: dict[int, str]
    count: int
    is_capped: bool

    @property
    def number(self) -> str:
        return f"More than {MOST_COUNTED:,}" if self.is_capped else f"{self.count:,}"


def foreign_changes(membership: Membership) -> ForeignChanges | None:
    """Of the last day, or since the admin has seen them; None without any. One statement then."""
    since = looked_back_to(membership)
    ours = LicensedApp.objects.visible_to(membership)
    found = AuditEvent.objects.visible_to(membership).filter(
        action__in=FOUND_AT_APPLE, at__gt=since, target_id__in=ours.values("pk")
    )
    newest = found.order_by("-at").values_list("target_id", flat=True)
    titles = list(newest[: MOST_COUNTED + 1])
    if not titles:
        return None
    accounts = VppAccount.objects.filter(licensed_apps__in=set(titles)).distinct()
    return ForeignChanges(
        since=since,
        accounts=dict(accounts.order_by("name", "pk").values_list("pk", "name")),
        count=min(len(titles), MOST_COUNTED),
        is_capped=len(titles) > MOST_COUNTED,
    )


def looked_back_to(membership: Membership) -> datetime:
    return max(timezone.now() - LOOKED_BACK, seen_at(membership))


def see(membership: Membership) -> None:
    """What there is until now is not shown to this admin again."""
    cache.set(_key(membership), timezone.now(), LOOKED_BACK.total_seconds())


def seen_at(membership: Membership) -> datetime:
    seen: datetime | None = cache.get(_key(membership))
    return seen or timezone.now() - LOOKED_BACK


def _key(membership: Membership) -> str:
    return f"foreign-changes-seen:{membership.pk}"
