"""The people of one account: who they are, and how far Apple has come with them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.batch_requests import RequestWrong
from licensing.api.doors import VppAccountApiView
from licensing.api.user_serializers import (
    STATUSES,
    CreateVppUserSerializer,
    UpdateVppUserSerializer,
    VppUserSerializer,
)
from licensing.people import adding
from organizations.api import paging, parameters
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Owner
from users.models import VppUser, VppUserQuerySet
from users.services import PersonDetails, edit_person
from users.states import PersonStatus, status_of, with_status

USERS = PageSize(default=1000, largest=1000)
TAG = "VPP users"


class UsersApiView(VppAccountApiView):
    needs_allowed_admin = True

    def users(self) -> VppUserQuerySet:
        # Who may see them was asked at the door.
        return VppUser.objects.filter(account=self.account).select_related("owner", "account")


class UsersView(UsersApiView):
    @operation(
        "getOrganizationSmVppAccountUsers",
        "List the users of an account",
        tag=TAG,
        answers={200: VppUserSerializer(many=True)},
        parameters=[
            query("status", "Only users who are so far.", enum=STATUSES),
            query(
                "search", "A part of the name, user name or e-mail address, or the clientUserId."
            ),
            *paged(USERS),
        ],
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = _filtered(request, self.users())
        return paging.listed(request, found, size=USERS, shape=paging.each(user_json))

    @operation(
        "createOrganizationSmVppAccountUser",
        "Add a user to an account",
        tag=TAG,
        body=CreateVppUserSerializer,
        answers={201: VppUserSerializer},
        description="Registering the user at Apple goes on by itself; licenses can be granted already.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateVppUserSerializer.checked(request)
        user = adding.add(
            by=self.actor,
            account=self.account,
            details=details_of(given),
            owner=self._owner(given),
            tags=given.get("tags", ()),
            invites=given["invite"],
        )
        return Response(user_json(user), status=201)

    def _owner(self, given: dict[str, Any]) -> Owner | None:
        if "ownerId" not in given:
            return None
        owners = Owner.objects.filter(organization=self.organization)
        owner = owners.filter(pk=int(given["ownerId"])).first()
        if owner is None:
            raise RequestWrong("ownerId", "is no owner of this organization")
        return owner


class UserView(UsersApiView):
    user: VppUser

    def enter(self) -> None:
        super().enter()
        user = self.users().filter(pk=self.row_id("userId")).first()
        if user is None:
            raise Http404
        self.user = user

    @operation(
        "getOrganizationSmVppAccountUser",
        "Show a user of an account",
        tag=TAG,
        answers={200: VppUserSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(user_json(self.user))

    @operation(
        "updateOrganizationSmVppAccountUser",
        "Edit a user of an account",
        tag=TAG,
        body=UpdateVppUserSerializer,
        answers={200: VppUserSerializer},
        description="Fields that are not sent stay as they are.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateVppUserSerializer.checked(request)
        user = edit_person(by=self.actor, user=self.user, details=details_of(given))
        return Response(user_json(user))


def _filtered(request: Request, users: VppUserQuerySet) -> VppUserQuerySet:
    if status := parameters.choice(request, "status", STATUSES):
        users = with_status(users, PersonStatus(status))
    if words := parameters.text(request, "search").strip():
        named = Q(owner__name__icontains=words) | Q(owner__username__icontains=words)
        addressed = Q(email__icontains=words) | Q(owner__email__icontains=words)
        users = users.filter(named | addressed | Q(client_user_id=words))
    return users


def details_of(given: dict[str, Any]) -> PersonDetails:
    return PersonDetails(
        email=given.get("email"),
        name=given.get("name"),
        username=given.get("username"),
        managed_apple_account=given.get("managedAppleAccount"),
    )


def user_json(user: VppUser) -> dict[str, Any]:
    """What is said about the person here, before what Apple has of them."""
    owner = user.owner or Owner()
    return {
        "id": str(user.pk),
        "email": owner.email or user.email,
        "name": owner.name,
        "username": owner.username,
        "managedAppleAccount": owner.managed_apple_account,
        "clientUserId": user.client_user_id,
        "status": status_of(user),
        "appleStatus": user.apple_status,
        "ownerId": str(user.owner_id) if user.owner_id else None,
        "failure": user.failure,
        "registeredAt": user.registered_at,
        "invitedAt": user.invited_at,
        "associatedAt": user.associated_at,
        "retiredAt": user.retired_at,
    }
