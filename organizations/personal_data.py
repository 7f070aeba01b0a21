"""What the installation keeps of one admin, for themselves; docs/personal-data.md names the fields.

What an organization's activity log says of them is that organization's, and read there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils import timezone

from organizations import lookups, tenancy
from organizations.models import Admin, ApiKey, Membership, NetworkAccess, SignInFailure
from organizations.signin.lockout import CODE, PASSWORD

FORMAT = "vpp-dashboard/my-data/1"

Json = dict[str, Any]


def my_data(admin: Admin) -> Json:
    return {
        "format": FORMAT,
        "exportedAt": wire(timezone.now()),
        "profile": {
            "id": str(admin.pk),
            "email": admin.email,
            "name": admin.name,
            "joinedAt": wire(admin.date_joined),
            "lastSignInAt": wire(admin.last_login),
        },
        **_in_organizations(admin),
        "secondFactors": [
            _second_factor(each) for each in Authenticator.objects.filter(user=admin).order_by("pk")
        ],
        "sessions": [
            _session(each) for each in UserSession.objects.filter(user=admin).order_by("pk")
        ],
        "failedSignIns": [_failure(each) for each in _failures(admin)],
    }


def wire(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _in_organizations(admin: Admin) -> Json:
    """In a few statements, however many organizations there are."""
    ids = [found.organization_id for found in lookups.accepted_memberships_of.all(admin.pk)]
    with tenancy.among(ids):
        memberships = list(Membership.objects.of(admin).order_by("organization__name", "pk"))
        networks = _networks(memberships)
        keys = ApiKey.objects.filter(admin=admin).select_related("organization").order_by("pk")
        return {
            "memberships": [_membership(each, networks) for each in memberships],
            "apiKeys": [_key(each) for each in keys],
        }


def _networks(memberships: list[Membership]) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = {each.pk: [] for each in memberships}
    accesses = NetworkAccess.objects.filter(membership__in=memberships)
    for each in accesses.select_related("network").order_by("pk"):
        found[each.membership_id].append({"name": each.network.name, "canWrite": each.can_write})
    return found


def _membership(membership: Membership, networks: dict[int, list[Json]]) -> Json:
    return {
        "organization": membership.organization.name,
        "access": membership.access,
        "networks": networks[membership.pk],
        "alarmsByMail": membership.wants_alarms,
        "invitedAt": wire(membership.invited_at),
        "acceptedAt": wire(membership.accepted_at),
        "lastActiveAt": wire(membership.last_active_at),
    }


def _key(key: ApiKey) -> Json:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "organization": key.organization.name if key.organization else None,
        "readOnly": key.read_only,
        "createdAt": wire(key.created_at),
        "expiresAt": wire(key.expires_at),
        "revokedAt": wire(key.revoked_at),
        "lastUsedAt": wire(key.last_used_at),
        "lastUsedAddress": key.last_used_address,
    }


def _second_factor(authenticator: Authenticator) -> Json:
    return {
        "kind": authenticator.type,
        "createdAt": wire(authenticator.created_at),
        "lastUsedAt": wire(authenticator.last_used_at),
    }


def _session(session: UserSession) -> Json:
    return {
        "address": session.ip,
        "browser": session.user_agent,
        "createdAt": wire(session.created_at),
        "lastSeenAt": wire(session.last_seen_at),
    }


def _failures(admin: Admin) -> list[SignInFailure]:
    digests = [what.digest(admin.email) for what in (PASSWORD, CODE)]
    return list(SignInFailure.objects.filter(login_digest__in=digests).order_by("first_at", "pk"))


def _failure(failure: SignInFailure) -> Json:
    return {
        "address": failure.address,
        "failures": failure.failures,
        "firstAt": wire(failure.first_at),
        "lastAt": wire(failure.last_at),
    }
