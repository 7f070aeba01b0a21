"""The apps of a device: wanted or present, how far each is, with which license, and why not further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps_catalog.installations.asking import ASKING_HELPS
from apps_catalog.models import Installation, InstallationState, ManagedApp, PurchaseMethod
from apps_catalog.models.installations import ON_ITS_WAY
from apps_catalog.models.managed import ManagedPlatform
from licensing.batches.plans import RUNS_ON
from licensing.devices.licenses import DeviceLicense
from licensing.why import Why, gather, why_of
from organizations.models import Device, Membership

S = InstallationState
COLOURS = {S.INSTALLED: "success", S.FAILED: "danger", S.BLOCKED: "warning"}
MANAGED = {True: "Yes", False: "No", None: "Not known"}
NOT_IN_SCOPE = 50  # shown


@dataclass(frozen=True, slots=True)
class AppRow:
    installation: Installation
    app: ManagedApp
    why: Why
    license: DeviceLicense | None

    @property
    def state(self) -> str:
        return str(InstallationState(self.installation.state).label)

    @property
    def colour(self) -> str:
        state = InstallationState(self.installation.state)
        return COLOURS.get(state, "info" if state in ON_ITS_WAY else "secondary")

    @property
    def managed(self) -> str:
        return MANAGED[self.installation.is_managed]

    @property
    def act(self) -> str:
        """What can be asked for now: install, retry or remove; empty where nothing can."""
        row = self.installation
        if not row.is_wanted:
            return ""
        if row.state in (S.FAILED, S.STALLED, S.REMOVED_BY_USER):
            return "retry"
        if row.state == S.INSTALLED:
            return "" if row.is_managed is False else "remove"
        is_open = row.state in (S.PLANNED, S.LICENSED) or (
            row.state == S.BLOCKED and row.reason in ASKING_HELPS
        )
        return "install" if is_open and row.asked_at is None else ""

    @property
    def no_license(self) -> str:
        """What stands where there is none."""
        if not self.app.needs_license:
            return str(PurchaseMethod(self.app.purchase_method).label)
        return "None yet" if self.installation.is_wanted else "None"


def apps_of(
    device: Device, membership: Membership, licenses: Iterable[DeviceLicense]
) -> list[AppRow]:
    """By name, in a constant number of statements."""
    rows = list(
        Installation.objects.visible_to(membership)
        .filter(organization=device.organization_id, device=device)
        .select_related("managed_app__app", "managed_app__network", "device")
    )
    facts = gather(rows, membership)
    held = {(row.title.pk, row.is_owners): row for row in licenses}
    found = [
        AppRow(row, row.managed_app, why_of(row, facts), _license_of(row, held)) for row in rows
    ]
    return sorted(found, key=lambda row: (str(row.app).casefold(), row.app.pk))


def _license_of(
    row: Installation, held: Mapping[tuple[int, bool], DeviceLicense]
) -> DeviceLicense | None:
    is_owners = row.managed_app.purchase_method == PurchaseMethod.USER
    return held.get((row.licensed_app_id or 0, is_owners))


def apps_not_for(
    device: Device, membership: Membership, rows: Sequence[AppRow]
) -> list[ManagedApp]:
    """Of its network and for its platform, in whose scope it is not."""
    runs = RUNS_ON.get(device.platform, set())
    platforms = [platform.value for platform in ManagedPlatform if platform.value in runs]
    apps = ManagedApp.objects.visible_to(membership).filter(
        network=device.network_id, platform__in=platforms
    )
    others = apps.exclude(pk__in=[row.app.pk for row in rows]).select_related("app")
    return list(others.order_by("app__name", "pk")[:NOT_IN_SCOPE])
