# ruff: noqa: N815  # the names are those on the wire
"""Target groups: Meraki's operations, for scopes that programs give a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import parameters
from organizations.api.doors import NetworkApiView
from organizations.api.openapi import operation, query
from organizations.api.scoping import ScopeField, scope_from, scope_tags, scope_text
from organizations.api.serializers import WireSerializer
from organizations.models import TargetGroup
from organizations.target_groups import (
    TargetGroupDetails,
    add_target_group,
    delete_target_group,
    edit_target_group,
    scope_of,
    tag_names,
    targets_of,
)

TAG = "Target groups"
WITH_DETAILS = query(
    "withDetails", "true adds the ids of the devices in scope, and of their owners.", type=bool
)


class UpdateTargetGroupSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id"})
    follows: ClassVar[Mapping[str, str]] = {"tags": "scope"}

    name = serializers.CharField(
        required=False, max_length=200, help_text="Once per network, in whatever case."
    )
    scope = ScopeField(
        required=False, help_text="“withAny,tag1,tag2”, or the same as a list of texts."
    )


class CreateTargetGroupSerializer(UpdateTargetGroupSerializer):
    name = serializers.CharField(max_length=200, help_text="Once per network, in whatever case.")
    scope = ScopeField(
        default=["none"],
        help_text="“withAny,tag1,tag2”, or the same as a list of texts. Default none.",
    )


class TargetGroupSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.CharField(help_text="“withAny,tag1,tag2”.")
    tags = serializers.ListField(
        child=serializers.CharField(), help_text="The tags of the scope, without its operator."
    )
    deviceIds = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Only withDetails: the devices of the network that the group names.",
    )
    userIds = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Only withDetails: the owners of these devices.",
    )


class TargetGroupsApiView(NetworkApiView):
    network_writes = True

    def told(self, request: Request, groups: Iterable[TargetGroup]) -> list[dict[str, Any]]:
        groups = list(groups)
        names = tag_names(groups)
        rows = [group_json(group, names) for group in groups]
        if parameters.boolean(request, "withDetails"):
            found = targets_of(self.network, groups)
            for group, row in zip(groups, rows, strict=True):
                row["deviceIds"] = list(map(str, found[group.pk].device_ids))
                row["userIds"] = list(map(str, found[group.pk].owner_ids))
        return rows


class TargetGroupsView(TargetGroupsApiView):
    @operation(
        "getNetworkSmTargetGroups",
        "List the target groups of a network",
        tag=TAG,
        answers={200: TargetGroupSerializer(many=True)},
        parameters=[WITH_DETAILS],
        description="A target group is a scope with a name. In the order in which they were added.",
    )
    def get(self, request: Request, **path: str) -> Response:
        groups = TargetGroup.objects.filter(network=self.network).order_by("pk")
        return Response(self.told(request, groups))

    @operation(
        "createNetworkSmTargetGroup",
        "Add a target group",
        tag=TAG,
        body=CreateTargetGroupSerializer,
        answers={201: TargetGroupSerializer},
        description="Refused for a tag that the organization does not have, and with 409 for a name"
        " that the network has already. Costs no license: a group gives nothing to anybody.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateTargetGroupSerializer.checked(request)
        details = TargetGroupDetails(
            name=given["name"], scope=scope_from(given["scope"], self.organization)
        )
        group = add_target_group(by=self.actor, network=self.network, details=details)
        return Response(self.told(request, [group])[0], status=201)


class TargetGroupView(TargetGroupsApiView):
    group: TargetGroup

    def enter(self) -> None:
        super().enter()
        ours = TargetGroup.objects.filter(network=self.network)
        group = ours.filter(pk=self.row_id("targetGroupId")).first()
        if group is None:
            raise Http404
        self.group = group

    @operation(
        "getNetworkSmTargetGroup",
        "Show a target group",
        tag=TAG,
        answers={200: TargetGroupSerializer},
        parameters=[WITH_DETAILS],
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(self.told(request, [self.group])[0])

    @operation(
        "updateNetworkSmTargetGroup",
        "Rename a target group, or change its scope",
        tag=TAG,
        body=UpdateTargetGroupSerializer,
        answers={200: TargetGroupSerializer},
        description="Fields that are not sent stay as they are. Refused as adding one is.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateTargetGroupSerializer.checked(request)
        was = TargetGroupDetails.of(self.group)
        details = TargetGroupDetails(
            name=given.get("name", was.name),
            scope=scope_from(given["scope"], self.organization) if "scope" in given else was.scope,
        )
        group = edit_target_group(by=self.actor, group=self.group, details=details)
        return Response(self.told(request, [group])[0])

    @operation(
        "deleteNetworkSmTargetGroup",
        "Delete a target group",
        tag=TAG,
        answers={204: None},
        description="Devices, tags and licenses stay as they are.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        delete_target_group(by=self.actor, group=self.group)
        return Response(status=204)


def group_json(group: TargetGroup, names: dict[int, str]) -> dict[str, Any]:
    scope = scope_of(group)
    return {
        "id": str(group.pk),
        "name": group.name,
        "scope": scope_text(scope, names),
        "tags": scope_tags(scope, names),
    }
