"""What an app where the device is now wants is not taken back; and what was taken back is not given
again by a rule, as long as it would only be taken back once more."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps_catalog.models import Installation, ManagedApp, PurchaseMethod
from licensing.models import LicensedApp, Reclaim, ReclaimCause
from licensing.reclaim.causes import CAUSES, DEVICE
from organizations.bulk import returned
from organizations.models import Device
from organizations.scopes import devices_in

State = Reclaim.State
TABLE = Reclaim._meta.db_table
# A device that is deleted or elsewhere is in no scope, or in one that wants it.
LASTING = (
    ReclaimCause.WIPED,
    ReclaimCause.UNENROLLED,
    ReclaimCause.RETIRED_OWNER,
    ReclaimCause.MISSING,
)


def let_the_wanted_go(organization_id: int) -> None:
    """Of devices that moved: as their scopes say now, also where nobody has evaluated them yet."""
    moved = Reclaim.objects.filter(organization=organization_id, cause=ReclaimCause.MOVED).due()
    rows = list(moved.values_list("pk", "holder", "licensed_app__adam_id"))
    if not rows:
        return
    wanted = _wanted(organization_id, {(serial, adam_id) for _, serial, adam_id in rows})
    ids = [pk for pk, serial, adam_id in rows if (serial, adam_id) in wanted]
    Reclaim.objects.filter(pk__in=ids, state=State.PLANNED).update(
        state=State.VOID,
        note=CAUSES[ReclaimCause.MOVED].over_because,
        changed_at=timezone.now(),
    )


def _wanted(organization_id: int, pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """(serial number, Adam ID) as far as a managed app of the device's network has it in scope."""
    serials = defaultdict(set)
    for serial, adam_id in pairs:
        serials[adam_id].add(serial)
    apps = ManagedApp.objects.filter(
        organization=organization_id,
        adam_id__in=serials,
        purchase_method=PurchaseMethod.DEVICE,
        grants_automatically=True,
    )
    found = set()
    for app in apps:
        devices = Device.objects.filter(
            network=app.network_id, serial_number__in=serials[app.adam_id]
        )
        members = devices_in(devices, app.scope, organization_id)
        found |= {(str(serial), app.adam_id) for (serial,) in members.values_list("serial_number")}
    return found


def kept_back(organization_id: int) -> frozenset[tuple[str, str, str]]:
    """(kind of holder, holder, Adam ID) that no rule grants again: it was taken back, and why has
    not changed. What was never installed is given again when an install is asked for."""
    statement = " UNION ".join(_of_cause(cause) for cause in LASTING)
    rows = set(returned(statement, {"organization": organization_id}))
    return frozenset({(DEVICE.value, *row) for row in rows | _never_installed(organization_id)})


def _of_cause(cause: ReclaimCause) -> str:
    return f"""
        SELECT reclaim.holder, title.adam_id
        FROM {TABLE} AS reclaim
        JOIN {LicensedApp._meta.db_table} AS title ON title.id = reclaim.licensed_app_id
        WHERE reclaim.organization_id = %(organization)s AND reclaim.cause = '{cause}'
          AND reclaim.state IN ('{State.STARTED}', '{State.DONE}') AND NOT ({CAUSES[cause].over})
    """  # noqa: S608  table names are the models'


def _never_installed(organization_id: int) -> set[tuple[str, str]]:
    asked_since = Installation.objects.filter(
        organization=organization_id,
        device__serial_number=OuterRef("holder"),
        managed_app__adam_id=OuterRef("licensed_app__adam_id"),
        asked_at__gt=OuterRef("changed_at"),
    )
    taken = Reclaim.objects.filter(
        Q(state=State.STARTED) | Q(state=State.DONE),
        ~Exists(asked_since),
        organization=organization_id,
        cause=ReclaimCause.NEVER_INSTALLED,
    )
    return set(taken.values_list("holder", "licensed_app__adam_id"))
