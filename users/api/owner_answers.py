"""Owners as they are written on the wire."""

from __future__ import annotations

from typing import Any

from organizations.refusals import Refusal
from users.services import owners as services
from users.tables.owners import OwnerRow, Registration


def owner_json(row: OwnerRow) -> dict[str, Any]:
    owner = row.owner
    return {
        "id": str(owner.pk),
        "name": owner.name,
        "email": owner.email,
        "username": owner.username,
        "managedAppleAccount": owner.managed_apple_account,
        "tags": list(row.tags),
        "language": owner.language or None,
        "addedBy": owner.source,
        "missingSince": owner.missing_since,
        "createdAt": owner.created_at,
        "deviceCount": row.devices,
        "vppUsers": [_vpp_user(each) for each in row.registrations],
    }


def _vpp_user(registration: Registration) -> dict[str, Any]:
    user = registration.user
    return {
        "vppAccountId": str(user.account_id),
        "userId": str(user.pk),
        "clientUserId": user.client_user_id,
        "status": registration.status,
    }


def merged_json(row: OwnerRow, obstacle: Refusal | None) -> dict[str, Any]:
    return {"owner": owner_json(row), **obstacle_json(obstacle)}


def deletion_json(row: OwnerRow) -> dict[str, Any]:
    return {
        "devices": row.devices,
        "vppAccounts": services.accounts_of(row.owner),
        **obstacle_json(services.obstacle_to_deletion(row.owner)),
    }


def obstacle_json(obstacle: Refusal | None) -> dict[str, Any]:
    return {
        "obstacle": str(obstacle) if obstacle else None,
        "obstacleCode": obstacle.code if obstacle else None,
    }
