"""The words that scopes point at, over REST, with the services of Configure > Tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.models import ManagedApp
from licensing.api.tag_serializers import (
    CreateTagSerializer,
    TagDeletionSerializer,
    TagSerializer,
    UpdateTagSerializer,
)
from licensing.tables.tags import TagFilter, TagRow, tag_rows, tags_of
from licensing.tags import Loss, losses_of
from organizations import tags as services
from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.models import Tag

TAGS = PageSize(default=1000, largest=1000)
TAG = "Tags"
USED = {None: "", True: "yes", False: "no"}
DRY_RUN = query("dryRun", "true only says what would happen.", type=bool)


class TagsApiView(OrganizationApiView):
    """Tags are the whole organization's, and every admin sees their names."""

    def told(self, tag: Tag, *, status: int = 200) -> Response:
        [row] = tag_rows([tag], self.membership)
        return Response(tag_json(row), status=status)


class TagsView(TagsApiView):
    @operation(
        "getOrganizationSmTags",
        "List the tags",
        tag=TAG,
        answers={200: TagSerializer(many=True)},
        parameters=[
            query("search", "A part of the name."),
            query("kind", "Only tags of this kind.", enum=Tag.Kind.values),
            query("used", "Whether the scope of an app names the tag.", type=bool),
            *paged(TAGS),
        ],
        description="With how many devices and owners have each, and the apps whose scope names it.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        asked = {
            "q": parameters.text(request, "search"),
            "kind": parameters.choice(request, "kind", Tag.Kind.values),
            "used": USED[parameters.boolean(request, "used")],
        }
        found = TagFilter(asked, tags_of(self.membership), membership=self.membership).qs
        return paging.listed(request, found, size=TAGS, shape=self._shape)

    def _shape(self, tags: list[Tag]) -> Iterator[dict[str, Any]]:
        return map(tag_json, tag_rows(tags, self.membership))

    @operation(
        "createOrganizationSmTag",
        "Add a tag",
        tag=TAG,
        body=CreateTagSerializer,
        answers={201: TagSerializer},
        description="Refused with 409 and the code tag_name_taken where there is one of this name, in"
        " whatever case. Giving a device or an owner a new tag makes it as well.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateTagSerializer.checked(request)
        tag = services.add_tag(
            by=self.actor,
            organization=self.organization,
            name=given["name"],
            kind=Tag.Kind(given["kind"]),
        )
        return self.told(tag, status=201)


class TagView(TagsApiView):
    found: Tag

    def enter(self) -> None:
        super().enter()
        ours = tags_of(self.membership).select_related("organization")
        tag = ours.filter(pk=self.row_id("tagId")).first()
        if tag is None:
            raise Http404
        self.found = tag

    @operation(
        "getOrganizationSmTag",
        "Show a tag",
        tag=TAG,
        answers={200: TagSerializer},
        description="With how many devices and owners have it, and the apps whose scope names it.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told(self.found)

    @operation(
        "updateOrganizationSmTag",
        "Rename a tag",
        tag=TAG,
        body=UpdateTagSerializer,
        answers={200: TagSerializer},
        description="Whoever has it keeps it, and scopes go on naming it. Automatic tags stay as they"
        " are (409, tag_is_fixed).",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateTagSerializer.checked(request)
        tag = services.rename_tag(by=self.actor, tag=self.found, name=given["name"])
        return self.told(tag)

    @operation(
        "deleteOrganizationSmTag",
        "Delete a tag",
        tag=TAG,
        answers={204: None, 200: TagDeletionSerializer},
        parameters=[DRY_RUN],
        description=(
            "Devices, owners and scopes lose it; licenses follow the scopes, after their grace. With"
            " dryRun it answers 200, app by app what that leads to, and changes nothing. Automatic tags"
            " stay as they are (409, tag_is_fixed)."
        ),
    )
    def delete(self, request: Request, **path: str) -> Response:
        if parameters.boolean(request, "dryRun"):
            return Response(self._foreseen())
        services.delete_tags(by=self.actor, organization=self.organization, tags=[self.found])
        return Response(status=204)

    def _foreseen(self) -> dict[str, Any]:
        if self.found.kind == Tag.Kind.AUTOMATIC:
            raise services.TagIsFixed(self.found.name)
        [row] = tag_rows([self.found], self.membership)
        losses = losses_of([self.found], self.membership)
        return {
            "devices": row.use.devices,
            "owners": row.use.owners,
            "apps": [loss_json(loss) for loss in losses.apps],
            "moreApps": losses.more,
        }


# --- On the wire ------------------------------------------------------------------------------------


def tag_json(row: TagRow) -> dict[str, Any]:
    return {
        "id": str(row.tag.pk),
        "name": row.tag.name,
        "kind": row.tag.kind,
        "devices": row.use.devices,
        "devicesInAll": row.use.in_all,
        "owners": row.use.owners,
        "usedBy": [app_json(app) for app in row.use.apps],
    }


def app_json(app: ManagedApp) -> dict[str, Any]:
    return {
        "appId": str(app.pk),
        "networkId": str(app.network_id),
        "adamId": app.adam_id,
        "name": app.app.name,
    }


def loss_json(loss: Loss) -> dict[str, Any]:
    foreseen = loss.foreseen
    return app_json(loss.app) | {
        "devicesLeaving": foreseen.leaving,
        "devicesJoining": loss.joining,
        "namesNoDevice": not loss.left.tag_ids,
        "licensesFreed": foreseen.will_revoke,
        "licensesKept": foreseen.kept_by_hand,
        "graceDays": loss.app.grace_days,
        "needsDecision": foreseen.needs_decision,
        "message": loss.sentence,
    }
