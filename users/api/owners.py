"""The organization's people over REST, with the services of their pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Membership, Owner, Tag
from organizations.models.inventory import OwnerQuerySet
from users.api.owner_answers import deletion_json, merged_json, owner_json
from users.api.owner_serializers import (
    STATUSES,
    CreateOwnerSerializer,
    MergedOwnerSerializer,
    MergeOwnerSerializer,
    OwnerDeletionSerializer,
    OwnerSerializer,
    UpdateOwnerSerializer,
)
from users.filters import NOBODY, OwnerFilter
from users.refusals import MergedWithItself
from users.services import owners as services
from users.services.merging import merge_owners, obstacle_to_merging
from users.services.owners import OwnerDetails
from users.tables.owners import (
    OwnerRow,
    dressed,
    merged_row,
    rows_of,
    with_records,
)

OWNERS = PageSize(default=1000, largest=1000)
TAG = "Owners"
LISTED = {None: "", True: "no", False: "yes"}
DRY_RUN = query("dryRun", "true only says what would happen.", type=bool)


class OwnersApiView(OrganizationApiView):
    """People belong to no network: they are the whole organization's, and its admins'."""

    organization_wide = True

    def row(self, owner_id: int) -> OwnerRow | None:
        found = Owner.objects.visible_to(self.membership).filter(pk=owner_id)
        return next(iter(rows_of(found, self.membership)), None)

    def told(self, owner: Owner, *, status: int = 200) -> Response:
        row = self.row(owner.pk)
        if row is None:  # deleted by somebody else meanwhile
            raise Http404
        return Response(owner_json(row), status=status)


class OwnersView(OwnersApiView):
    @operation(
        "getOrganizationSmOwners",
        "List the owners",
        tag=TAG,
        answers={200: OwnerSerializer(many=True)},
        parameters=[
            query("search", "A part of a name, address, username or Managed Apple Account."),
            query("tag", "Only owners with the tag of this name."),
            query(
                "vppStatus",
                "Only owners who are so far in a VPP account that is open to this key; none: in no"
                " account.",
                enum=[NOBODY, *STATUSES],
            ),
            query("addedBy", "How they came here.", enum=Owner.Source.values),
            query("missing", "true: only those whom imported whole lists lack.", type=bool),
            *paged(OWNERS),
        ],
        description="The people of the organization, with their devices and how far they are in VPP"
        " accounts. A network's own people are under …/sm/users of the network.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        found = with_records(filtered(request, self.membership), self.membership)
        return paging.listed(request, found, size=OWNERS, shape=shape_for(self.membership))

    @operation(
        "createOrganizationSmOwner",
        "Add an owner",
        tag=TAG,
        body=CreateOwnerSerializer,
        answers={201: OwnerSerializer, 200: OwnerSerializer},
        description=(
            "Refused with 409 and the code email_taken or managed_apple_account_taken where somebody"
            " has that address. With completeExisting that owner gets what is missing, tags come"
            " together, and the answer is 200."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateOwnerSerializer.checked(request)
        details = details_of(given)
        if given["completeExisting"] and (known := self._known(details)):
            return self.told(services.complete_owner(by=self.actor, owner=known, details=details))
        owner = services.add_owner(
            by=self.actor,
            organization=self.organization,
            details=details,
            source=Owner.Source.API,
        )
        return self.told(owner, status=201)

    def _known(self, details: OwnerDetails) -> Owner | None:
        return services.known_as(
            self.organization,
            email=(details.email or "").strip(),
            managed_apple_account=(details.managed_apple_account or "").strip(),
        )


class OwnerApiView(OwnersApiView):
    found: OwnerRow

    def enter(self) -> None:
        super().enter()
        row = self.row(self.row_id("ownerId"))
        if row is None:
            raise Http404
        self.found = row


class OwnerView(OwnerApiView):
    @operation(
        "getOrganizationSmOwner",
        "Show an owner",
        tag=TAG,
        answers={200: OwnerSerializer},
        description="What is said of the owner, and how far they are in VPP accounts.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(owner_json(self.found))

    @operation(
        "updateOrganizationSmOwner",
        "Edit an owner",
        tag=TAG,
        body=UpdateOwnerSerializer,
        answers={200: OwnerSerializer},
        description=(
            "Fields that are not sent stay as they are. Their records in VPP accounts follow, Apple is"
            " told of another address, and other tags may bring apps to their devices or take them."
        ),
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateOwnerSerializer.checked(request)
        owner = services.edit_owner(
            by=self.actor, owner=self.found.owner, details=details_of(given)
        )
        return self.told(owner)

    @operation(
        "deleteOrganizationSmOwner",
        "Delete an owner",
        tag=TAG,
        answers={204: None, 200: OwnerDeletionSerializer},
        parameters=[DRY_RUN],
        description=(
            "Devices lose their owner. Refused with 409 and the code owner_in_use while the owner is a"
            " user of a VPP account: retire them there first, or erase the person with …/data. With"
            " dryRun it answers 200 and changes nothing."
        ),
    )
    def delete(self, request: Request, **path: str) -> Response:
        if parameters.boolean(request, "dryRun"):
            return Response(deletion_json(self.found))
        services.delete_owner(by=self.actor, owner=self.found.owner)
        return Response(status=204)


class MergeOwnerView(OwnerApiView):
    @operation(
        "mergeOrganizationSmOwner",
        "Make one of two owners who are the same person",
        tag=TAG,
        body=MergeOwnerSerializer,
        answers={200: MergedOwnerSerializer},
        description=(
            "The owner of the address stays: blanks are filled with what is said of the other, tags"
            " come together, and the other's devices and records in VPP accounts become theirs. The"
            " other is deleted. Refused with 409 and the code registered_twice where both are users of"
            " one VPP account. With dryRun it answers with the owner who would result."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = MergeOwnerSerializer.checked(request)
        other = self.row(int(given["fromOwnerId"]))
        if other is None:
            raise MergedWithItself
        keep = self.found.owner
        if given["dryRun"]:
            obstacle = obstacle_to_merging(keep, other.owner)
            return Response(merged_json(merged_row(self.found, other), obstacle))
        merged = merge_owners(by=self.actor, keep=keep, other=other.owner)
        [row] = rows_of(Owner.objects.filter(pk=merged.pk), self.membership)
        return Response(merged_json(row, None))


def filtered(request: Request, membership: Membership) -> OwnerQuerySet:
    """As the page filters them; it calls some filters otherwise."""
    owners = Owner.objects.visible_to(membership)
    tags = list(Tag.objects.filter(organization=membership.organization_id))
    asked = {
        "q": parameters.text(request, "search"),
        "vpp": parameters.choice(request, "vppStatus", [NOBODY, *STATUSES]),
        "source": parameters.choice(request, "addedBy", Owner.Source.values),
        "listed": LISTED[parameters.boolean(request, "missing")],
    }
    if name := parameters.text(request, "tag"):
        named = [tag for tag in tags if tag.name.lower() == name.lower()]
        if not named or named[0].kind == Tag.Kind.AUTOMATIC:
            return owners.none()
        asked["tag"] = str(named[0].pk)
    found: OwnerQuerySet = OwnerFilter(asked, owners, membership=membership, tags=tags).qs
    return found


def shape_for(membership: Membership) -> paging.Shape:
    def shape(owners: list[Owner]) -> Iterator[dict[str, Any]]:
        ids = {pk for owner in owners for pk in owner.tag_ids}
        tags = Tag.objects.filter(organization=membership.organization_id, pk__in=ids)
        return map(owner_json, dressed(owners, tags))

    return shape


def details_of(given: dict[str, Any]) -> OwnerDetails:
    tags = given.get("tags")
    return OwnerDetails(
        name=given.get("name"),
        email=given.get("email"),
        username=given.get("username"),
        managed_apple_account=given.get("managedAppleAccount"),
        tags=None if tags is None else tuple(tags),
        language=(given["language"] or "") if "language" in given else None,
    )
