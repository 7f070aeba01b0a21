"""What ran low and what recovered since the counts were last looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from licensing.low.letters import letters
from licensing.models import LicensedApp, LicensingSettings
from licensing.models.apps import LicensedAppQuerySet
from licensing.webhooks import tell_of_low
from organizations.audit import Actor, current_request_id
from organizations.bulk import execute
from organizations.models import AuditEvent
from organizations.outbox import post_letters
from vpp_accounts.models import VppAccount

SYSTEM = Actor.system("Low licenses")
LOCK = 1_948_002  # a number of our own, so that nothing else takes the same lock


class Low(Enum):
    """What becomes of a title's mark."""

    FELL = auto()
    RECOVERED = auto()
    FORGOTTEN = auto()  # nobody asks any more, so it has not recovered either


def plan_low(
    available: int | None, threshold: int | None, low_since: datetime | None
) -> Low | None:
    """None where nothing changes. `available` None: unlimited or gone; `threshold` None: not asked."""
    was_low = low_since is not None
    if available is None or threshold is None:
        return Low.FORGOTTEN if was_low else None
    is_low = available < threshold
    if is_low == was_low:
        return None
    return Low.FELL if is_low else Low.RECOVERED


def threshold_of(title: LicensedApp, default: int | None) -> int | None:
    """The title's own; else the organization's, but of a title that nobody holds nobody runs short."""
    if title.low_threshold is not None:
        return title.low_threshold
    return default if title.assigned_count else None


def lock(account_id: int) -> None:
    """Two who write at the same time compare one after the other: each change is told once."""
    execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, account_id])


def watch(account: VppAccount) -> None:
    """Compare the counts with the thresholds. Call it in the transaction that wrote either."""
    lock(account.pk)
    ours = LicensingSettings.objects.filter(organization=account.organization_id)
    default = ours.values_list("low_threshold", flat=True).first()
    changes: dict[Low, list[LicensedApp]] = {low: [] for low in Low}
    for title in _suspects(account, default):
        counted = None if title.is_unlimited or title.gone_at else title.available_count
        change = plan_low(counted, threshold_of(title, default), title.low_since)
        if change:
            changes[change].append(title)
    _write(account, changes, default)


def _suspects(account: VppAccount, default: int | None) -> LicensedAppQuerySet:
    """Those that are low or were: a few, whatever the account holds."""
    titles = LicensedApp.objects.filter(account=account).select_related("app").order_by("pk")
    threshold = Coalesce(F("low_threshold"), Value(default or 0))
    return titles.filter(Q(low_since__isnull=False) | Q(available_count__lt=threshold))


def _write(account: VppAccount, changes: dict[Low, list[LicensedApp]], default: int | None) -> None:
    fell, recovered = changes[Low.FELL], changes[Low.RECOVERED]
    now = timezone.now()
    _mark(fell, now)
    _mark([*recovered, *changes[Low.FORGOTTEN]], None)
    AuditEvent.objects.bulk_create(
        [
            *(_event("title.low", title, default) for title in fell),
            *(_event("title.recovered", title, default) for title in recovered),
        ]
    )
    if fell:
        told = [(title, threshold_of(title, default) or 0) for title in fell]
        post_letters(
            organization=account.organization,
            key=f"low:{account.pk}:{now.isoformat()}",
            letters=letters(account, told),
        )
        tell_of_low(account, told)


def _mark(titles: Iterable[LicensedApp], since: datetime | None) -> None:
    ids = [title.pk for title in titles]
    if ids:
        LicensedApp.objects.filter(pk__in=ids).update(low_since=since)


def _event(action: str, title: LicensedApp, default: int | None) -> AuditEvent:
    return AuditEvent(
        organization_id=title.organization_id,
        actor_kind=SYSTEM.kind,
        actor_name=SYSTEM.name,
        action=action,
        target_kind="licensedapp",
        target_id=title.pk,
        target_name=str(title.app)[:254],
        after={"available": title.available_count, "threshold": threshold_of(title, default)},
        request_id=current_request_id(),
    )
