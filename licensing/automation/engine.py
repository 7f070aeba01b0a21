"""One worker's turn at one organization: scopes are evaluated, and licenses follow.

What changed stands in rows (`AutomationChange`) until what it led to is done, so a worker may die
anywhere (steps.py names the places, tests/test_automation_crashes.py kills it at each).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import structlog
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from apps_catalog.hooks import deployment_waits
from apps_catalog.models import Installation, ManagedApp
from apps_catalog.models import InstallationState as S
from apps_catalog.reasons import Reason
from licensing.automation import steps
from licensing.automation.changes import LICENSES, OF_LICENSES, SWEEP, ring
from licensing.automation.counting import recount
from licensing.automation.evaluating import Rule
from licensing.automation.facts import Place
from licensing.automation.membership import follow, follow_devices, forget_deleted
from licensing.automation.reconciling import reconcile
from licensing.leases import Hold, LeaseLost
from licensing.models import Automation, AutomationChange
from organizations.models import OF_OPEN
from vpp_accounts.models.runs import LEASE

log = structlog.get_logger(__name__)

HOURS = 24  # in which every app is looked at thoroughly once


@dataclass
class Seen:
    """The changes of one look, and what they ask for."""

    ids: list[int] = field(default_factory=list)
    everything: bool = False
    is_sweep: bool = False
    devices: set[int] = field(default_factory=set)
    scopes: set[int] = field(default_factory=set)  # apps
    licenses: set[int] = field(default_factory=set)  # apps
    supplied: set[int] = field(default_factory=set)  # apps

    def add(self, pk: int, device_id: int | None, app_id: int | None, cause: str) -> None:
        self.ids.append(pk)
        self.is_sweep |= cause == SWEEP
        if device_id is not None:
            self.devices.add(device_id)
        elif app_id is None:
            self.everything = True
        elif cause == LICENSES:
            self.licenses.add(app_id)
        else:
            (self.supplied if cause in OF_LICENSES else self.scopes).add(app_id)


def run(organization_id: int) -> None:
    """Do what there is to do now; leave at once where somebody else does."""
    token = _claim(organization_id)
    if token is None:
        return
    rows = Automation.objects.filter(organization=organization_id)
    with Hold(rows, token) as hold:
        try:
            steps.reached(steps.CLAIMED)
            _look(organization_id, hold)
            _leave(organization_id, hold)
        except LeaseLost:
            log.warning("automation.lease_lost", organization=organization_id)


def _claim(organization_id: int) -> int | None:
    """The token of our lease; None while another worker has it, or the organization is closed."""
    now = timezone.now()
    rows = Automation.objects.filter(organization=organization_id)
    if not rows.filter(OF_OPEN).exists():
        return None
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    # Who calls from now on is heard when we leave.
    claimed = rows.filter(free).update(
        lease_until=now + LEASE, lease_token=F("lease_token") + 1, due_at=None
    )
    return rows.values_list("lease_token", flat=True).get() if claimed else None


def _look(organization_id: int, hold: Hold) -> None:
    began, seen = time.monotonic(), _seen(organization_id)
    apps = _apps(organization_id)
    changed = _follow_scopes(organization_id, seen, apps, hold)
    automation = Automation.objects.get(organization=organization_id)
    place = Place.of(organization_id, is_paused=automation.paused_at is not None)
    thorough = changed | seen.scopes | seen.licenses
    thorough |= {app.pk for app in apps if _is_its_turn(app, seen)}
    touched = thorough | seen.supplied | _unsettled(organization_id, seen)
    waits = False
    for app in apps:
        if app.pk in touched:
            waits |= reconcile(app, place, hold, thoroughly=app.pk in thorough)
    with hold.transaction():
        recount(touched & {app.pk for app in apps})
    steps.reached(steps.SETTLED)
    AutomationChange.objects.filter(pk__in=seen.ids).delete()
    if seen.everything:
        hold.update(swept_at=timezone.now(), sweep_seconds=time.monotonic() - began)
    if waits:
        deployment_waits.send(Automation, organization_id=organization_id)


def _seen(organization_id: int) -> Seen:
    seen = Seen()
    rows = AutomationChange.objects.filter(organization=organization_id).order_by("pk")
    for row in rows.values_list("pk", "device_id", "managed_app_id", "cause"):
        seen.add(*row)
    return seen


def _apps(organization_id: int) -> list[ManagedApp]:
    """Whose turn it is when several want the same licenses: by priority, then by age."""
    apps = ManagedApp.objects.filter(organization=organization_id)
    related = apps.select_related("app", "network", "organization")
    return list(related.order_by("-priority", "created_at", "pk"))


def _follow_scopes(
    organization_id: int, seen: Seen, apps: Iterable[ManagedApp], hold: Hold
) -> set[int]:
    if seen.everything:
        with hold.transaction():
            forget_deleted(organization_id)
        return follow(organization_id, [Rule.of(app) for app in apps], hold)
    changed = set()
    # Whoever edits an app may have saved an older digest with it.
    named = [replace(Rule.of(app), digest=b"") for app in apps if app.pk in seen.scopes]
    if named:
        changed |= follow(organization_id, named, hold)
    others = [Rule.of(app) for app in apps if app.pk not in seen.scopes]
    if seen.devices and others:
        changed |= follow_devices(organization_id, others, sorted(seen.devices), hold)
    return changed


# What the batches' news may be about; what rests longer is looked at when its app is touched, and
# in the sweep.
# One by one, each along an index: joined by OR, every app would be searched from end to end.
_MOVING = (
    Q(state__in=(S.LICENSE_PENDING, S.REVOKE_PENDING, S.REMOVED)),
    Q(state=S.BLOCKED, reason=Reason.NO_LICENSE),
    Q(state=S.PLANNED, reason=""),
)
_OPEN = (Q(state__in=(S.PLANNED, S.BLOCKED)), Q(is_wanted=False))


def _unsettled(organization_id: int, seen: Seen) -> set[int]:
    of_app = Installation.objects.filter(managed_app=OuterRef("pk"))
    conditions = [*_MOVING, *(_OPEN if seen.everything else ())]
    some = Q()
    for condition in conditions:
        some |= Q(Exists(of_app.filter(condition)))
    apps = ManagedApp.objects.filter(some, organization=organization_id)
    return set(apps.values_list("pk", flat=True))


def _is_its_turn(app: ManagedApp, seen: Seen) -> bool:
    """In a sweep one app of 24, so that also what nobody told of is found within a day."""
    return seen.everything and (not seen.is_sweep or app.pk % HOURS == timezone.now().hour)


def _leave(organization_id: int, hold: Hold) -> None:
    """Give the lease back; who called meanwhile is heard at once."""
    # The token, so that our heartbeat does not take the lease again that nobody works under.
    hold.update(lease_until=None, lease_token=F("lease_token") + 1)
    rows = Automation.objects.filter(organization=organization_id)
    # A bell for later was rung by whoever called.
    if rows.filter(due_at__lte=timezone.now()).exists():
        ring(organization_id)
