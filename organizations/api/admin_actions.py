"""What is done to an admin beside their rights: Organization > Administrators, and leaving."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from organizations import keys
from organizations.admins import changing, inviting
from organizations.api.admin_serializers import (
    AdminKeySerializer,
    AdminSerializer,
    LeaveSerializer,
    RemovalSerializer,
)
from organizations.api.admins import TAG, AdminApiView, admin_json
from organizations.api.doors import OwnApiView
from organizations.api.openapi import operation
from organizations.models import ApiKey
from organizations.refusals import Refusal


class LeavingNotConfirmed(Refusal):
    code = "leaving_not_confirmed"
    field = "confirm"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"Leaving has to be confirmed: send your e-mail address, {email}, as “confirm”."
        )


class InviteAdminView(AdminApiView):
    @operation(
        "inviteOrganizationAdmin",
        "Invite an admin again",
        tag=TAG,
        answers={200: AdminSerializer},
        description="A new link goes to the address by mail, good for as long as the first; the"
        " earlier one is void. Refused with 409 for somebody who has accepted, and within a minute of"
        " the last invitation.",
    )
    def post(self, request: Request, **path: str) -> Response:
        inviting.invite_again(by=self.actor, membership=self.member)
        return Response(admin_json(self.member))


class SignOutAdminView(AdminApiView):
    @operation(
        "signOutOrganizationAdmin",
        "End an admin's sessions",
        tag=TAG,
        answers={200: AdminSerializer},
        description="They have to sign in again in every browser before they see this organization."
        " API keys go on: revoke those by themselves. Refused with 409 for somebody only invited.",
    )
    def post(self, request: Request, **path: str) -> Response:
        changing.force_sign_out(by=self.actor, membership=self.member)
        return Response(admin_json(self.member))


class UnlockAdminView(AdminApiView):
    @operation(
        "unlockOrganizationAdmin",
        "Let a locked admin sign in at once",
        tag=TAG,
        answers={200: AdminSerializer},
        description="Forgets the wrong passwords that were tried. Refused for somebody only invited,"
        f" and more than {changing.MOST_UNLOCKS} times an hour for the same admin: somebody may be"
        " guessing.",
    )
    def post(self, request: Request, **path: str) -> Response:
        changing.unlock(by=self.actor, membership=self.member)
        return Response(admin_json(self.member))


class AdminKeysView(AdminApiView):
    @operation(
        "getOrganizationAdminApiKeys",
        "List the API keys of an admin that open this organization",
        tag=TAG,
        answers={200: AdminKeySerializer(many=True)},
        description="Usable ones, at most"
        f" {keys.MOST_USABLE}; none of somebody who is only invited. Not paged.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response([key_json(key) for key in keys.opening(self.member)])


class RevokeAdminKeyView(AdminApiView):
    @operation(
        "revokeOrganizationAdminApiKey",
        "Revoke an admin's API key, at once and for good",
        tag=TAG,
        answers={204: None},
        description="One that opens this organization alone. Any other is not found here: only its"
        " admin can revoke it, and removing the admin keeps it out of this organization.",
    )
    def post(self, request: Request, **path: str) -> Response:
        key = keys.revocable_by_others(self.member).filter(pk=self.row_id("keyId")).first()
        if key is None:
            raise Http404
        keys.revoke(by=self.actor, key=key)
        return Response(status=204)


class LeaveView(OwnApiView):
    @operation(
        "leaveOrganization",
        "Leave an organization",
        tag=TAG,
        body=LeaveSerializer,
        answers={200: RemovalSerializer, 204: None},
        description="Ends the access of the admin as whom this key acts, whatever it is, and with it"
        " their keys for this organization alone. There is no way back but another invitation. With"
        " `dryRun` it is only said what would end. Refused with 409 for the last full admin.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = LeaveSerializer.checked(request)
        if given["dryRun"]:
            return Response({"consequences": changing.removal_consequences(self.membership)})
        if given["confirm"].strip().lower() != self.admin.email:
            raise LeavingNotConfirmed(self.admin.email)
        changing.leave(by=self.actor, membership=self.membership)
        return Response(status=204)


def key_json(key: ApiKey) -> dict[str, Any]:
    """Of a key that opens other organizations as well, nothing of what it does there."""
    limit = key.organization_id
    return {
        "id": str(key.pk),
        "name": key.name,
        "prefix": key.prefix,
        "organizationId": None if limit is None else str(limit),
        "readOnly": key.read_only,
        "expiresAt": key.expires_at,
        "lastUsedAt": None if limit is None else key.last_used_at,
    }
