"""What is to be installed where: for another MDM, which installs in the place of a channel of ours."""

from __future__ import annotations

from typing import Any

from apps_catalog.models import Installation, PurchaseMethod
from apps_catalog.models.installations import AFTER_LICENSE, InstallationQuerySet
from organizations.models import Membership

LABELS = ("serialNumber", "adamId", "bundleId", "name", "license", "state")
# How the license is bound; empty where there is none yet.
LICENSES = {PurchaseMethod.DEVICE: "device", PurchaseMethod.USER: "user"}
NO_LICENSE_NEEDED = "none"


def wanted(membership: Membership) -> InstallationQuerySet:
    """In scope, whatever is lacking still: `state` says it."""
    rows = Installation.objects.visible_to(membership).filter(is_wanted=True)
    return rows.select_related("managed_app__app", "device")


def row_of(installation: Installation) -> dict[str, Any]:
    managed_app = installation.managed_app
    return dict(
        zip(
            LABELS,
            (
                installation.device.serial_number,
                managed_app.adam_id,
                managed_app.app.bundle_id,
                managed_app.app.name,
                license_of(installation),
                installation.state,
            ),
            strict=True,
        )
    )


def license_of(installation: Installation) -> str:
    if not installation.managed_app.needs_license:
        return NO_LICENSE_NEEDED
    if installation.state not in AFTER_LICENSE:
        return ""
    return LICENSES[PurchaseMethod(installation.managed_app.purchase_method)]
