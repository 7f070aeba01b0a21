"""Installations on the wire: the rows of a device's page, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings

from apps_catalog.installations.exporting import license_of
from apps_catalog.models import Installation
from apps_catalog.models.installations import InstallationQuerySet
from licensing.devices.apps import AppRow
from licensing.why import Why, gather, why_of
from organizations.models import Membership
from vpp_accounts.models import VppAccount


def with_names(installations: InstallationQuerySet) -> InstallationQuerySet:
    return installations.select_related("managed_app__app", "managed_app__organization", "device")


def rows_of(installations: Sequence[Installation], membership: Membership) -> list[AppRow]:
    """As a device's page has them, in a constant number of statements."""
    facts = gather(installations, membership)
    return [AppRow(row, row.managed_app, why_of(row, facts), None) for row in installations]


def installations_json(rows: Iterable[AppRow], membership: Membership) -> list[dict[str, Any]]:
    open_ids = set(VppAccount.objects.open_to(membership).values_list("pk", flat=True))
    return [installation_json(row, open_ids) for row in rows]


def installation_json(row: AppRow, open_ids: set[int]) -> dict[str, Any]:
    """`open_ids`: accounts of which this key may be told."""
    installation, device = row.installation, row.installation.device
    account_id = installation.account_id
    return {
        "id": str(installation.pk),
        "appId": str(row.app.pk),
        "networkId": str(row.app.network_id),
        "adamId": row.app.adam_id,
        "appName": row.app.app.name or None,
        "platform": row.app.platform,
        "deviceId": str(device.pk),
        "deviceName": device.name,
        "serialNumber": device.serial_number,
        "isWanted": installation.is_wanted,
        "state": installation.state,
        "since": installation.since,
        "leftScopeAt": installation.left_at,
        "license": license_of(installation) or None,
        "vppAccountId": str(account_id) if account_id in open_ids else None,
        "isManaged": installation.is_managed,
        "version": installation.version or None,
        "detail": installation.detail or None,
        "askedAt": installation.asked_at,
        "askedBy": installation.asked_by or None,
        "nextAt": installation.next_at,
        "possible": row.act or None,
        "why": why_json(row.why),
    }


def why_json(why: Why) -> dict[str, Any]:
    return {
        "stage": why.stage.value,
        "verdict": why.verdict.value,
        "reason": why.reason.value if why.reason else None,
        "message": why.sentence,
        "fix": why.fix or None,
        "fixUrl": full_url(why.fix_url),
        "asOf": why.as_of,
        "until": why.until,
    }


def full_url(path: str) -> str | None:
    return f"{settings.BASE_URL}{path}" if path else None
