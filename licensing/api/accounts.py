"""VPP accounts: Meraki's two reads, and what it does not offer: add, edit, renew, take over, remove."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api import rights
from licensing.api.doors import VppAccountApiView
from licensing.api.serializers import (
    CreateAccountSerializer,
    CreateAccountUploadSerializer,
    TakeOverSerializer,
    TokenSerializer,
    TokenUploadSerializer,
    UpdateAccountSerializer,
    VppAccountSerializer,
)
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation
from organizations.models import Admin, Membership, Network
from organizations.refusals import Refusal
from vpp_accounts import services
from vpp_accounts.models import VppAccount

TAG = "VPP accounts"


class RenewInstead(Refusal):
    code = "renew_instead"
    field = "contentToken"

    def __init__(self) -> None:
        super().__init__("A token is replaced with POST …/renew. Leave “contentToken” empty here.")


class VppAccountsView(OrganizationApiView):
    @operation(
        "getOrganizationSmVppAccounts",
        "List the VPP accounts",
        tag=TAG,
        answers={200: VppAccountSerializer(many=True)},
    )
    def get(self, request: Request, **path: str) -> Response:
        visible = VppAccount.objects.visible_to(self.membership)
        visible = visible.prefetch_related(*lists_shown_to(self.membership))
        return Response([account_json(account) for account in visible.order_by("pk")])

    @operation(
        "createOrganizationSmVppAccount",
        "Add a VPP account with its service token",
        tag=TAG,
        body={
            "application/json": CreateAccountSerializer,
            "multipart/form-data": CreateAccountUploadSerializer,
        },
        answers={201: VppAccountSerializer},
        description=(
            "The first sync starts by itself. Refused with 409 and the code "
            "claimed_by_another_mdm where another MDM manages the location: send takeOver to displace it."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateAccountUploadSerializer.checked(request)
        account = services.add_account(
            by=self.actor,
            organization=self.organization,
            name=given["name"],
            email=given["email"],
            token_text=token_of(given),
            rights=rights.plan_rights(given, self.membership),
            take_over=given["takeOver"],
        )
        return Response(account_json(account), status=201)


class VppAccountView(VppAccountApiView):
    @operation(
        "getOrganizationSmVppAccount",
        "Show a VPP account",
        tag=TAG,
        answers={200: VppAccountSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        prefetch_related_objects([self.account], *lists_shown_to(self.membership))
        return Response(account_json(self.account))

    @operation(
        "updateOrganizationSmVppAccount",
        "Edit a VPP account",
        tag=TAG,
        body=UpdateAccountSerializer,
        answers={200: VppAccountSerializer},
        description="Fields that are not sent stay as they are.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateAccountSerializer.checked(request)
        if given.get("contentToken"):
            raise RenewInstead
        services.edit_account(
            by=self.actor,
            account=self.account,
            name=given.get("name"),
            email=given.get("email"),
            rights=rights.plan_rights(given, self.membership, self.account)
            if rights.are_given(given)
            else None,
        )
        return Response(account_json(self.account))

    @operation(
        "deleteOrganizationSmVppAccount",
        "Remove a VPP account",
        tag=TAG,
        answers={204: None},
        description="Its licenses and assignments stay as they are at Apple.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        # A page asks to type the name; a program has named the row in the address.
        services.remove_account(by=self.actor, account=self.account, typed_name=self.account.name)
        return Response(status=204)


class RenewView(VppAccountApiView):
    @operation(
        "renewOrganizationSmVppAccount",
        "Replace the service token by a newer one of the same location",
        tag=TAG,
        body={"application/json": TokenSerializer, "multipart/form-data": TokenUploadSerializer},
        answers={200: VppAccountSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        given = TokenUploadSerializer.checked(request)
        account = services.renew_token(
            by=self.actor,
            account=self.account,
            token_text=token_of(given),
            take_over=given["takeOver"],
        )
        return Response(account_json(account))


class TakeOverView(VppAccountApiView):
    @operation(
        "takeOverOrganizationSmVppAccount",
        "Take the location back from the other MDM that claimed it",
        tag=TAG,
        body=TakeOverSerializer,
        answers={202: VppAccountSerializer},
        description=(
            "The next sync, which starts at once, tells Apple. Refused with 409 and the code "
            "claimed_by_another_mdm, and with the other MDM's name and id, unless mdmId is that id."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = TakeOverSerializer.checked(request)
        services.take_over(by=self.actor, account=self.account, shown_id=given["mdmId"])
        return Response(account_json(self.account), status=202)


def lists_shown_to(membership: Membership) -> list[Prefetch[Any]]:
    """Admins of networks are told of their own networks, and of no other admin."""
    networks = Network.objects.visible_to(membership)
    colleagues = Membership.objects.accepted_in(membership)
    admins = Admin.objects.prefetch_related(Prefetch("memberships", colleagues))
    if not membership.sees_organization:
        admins = admins.filter(pk=membership.admin_id)
    return [
        Prefetch("named_admins", admins),
        Prefetch("allowed_networks", networks),
        Prefetch("assignable_network_list", networks),
    ]


def token_of(given: dict[str, Any]) -> str | bytes:
    """The file if there is one, else the text; "" is refused by the service in its own words."""
    token: str | bytes = given.get("file") or given.get("contentToken") or ""
    return token


def account_json(account: VppAccount) -> dict[str, Any]:
    allowed_networks = ids(account.allowed_networks)
    return {
        "id": str(account.pk),
        "vppAccountId": str(account.pk),
        "name": account.name,
        "email": account.email,
        "allowedAdmins": account.get_allowed_admins_display(),
        "networkIdAdmins": ",".join(allowed_networks),
        "assignableNetworks": account.get_assignable_networks_display(),
        "assignableNetworkIds": ids(account.assignable_network_list),
        "vppLocationId": account.uid or "",
        "vppLocationName": account.location_name,
        "lastSyncedAt": account.last_synced_at or "",
        "lastForceSyncedAt": account.last_force_synced_at or "",
        "contentToken": "",
        "vppServiceToken": "",
        "parsedToken": {
            "orgName": account.token_org_name,
            "hashedToken": account.token_hash,
            "expiresAt": account.token_expires_at,
        },
        "state": account.state,
        "stateReason": account.state_reason,
        "stateSince": account.state_since,
        "notificationsMode": account.notifications_mode,
        "notificationsReason": account.notifications_reason,
        "daysLeft": account.days_left,
        "uId": account.uid,
        "country": account.country,
        "allowedAdminIds": ids_of_admins(account),
        "allowedNetworkIds": allowed_networks,
    }


def ids_of_admins(account: VppAccount) -> list[str]:
    """As the list of administrators tells them: of the memberships here."""
    members = [each for admin in account.named_admins.all() for each in admin.memberships.all()]
    here = sorted(each.pk for each in members if each.organization_id == account.organization_id)
    return [str(pk) for pk in here]


def ids(rows: Any) -> list[str]:
    return [str(pk) for pk in sorted(row.pk for row in rows.all())]
