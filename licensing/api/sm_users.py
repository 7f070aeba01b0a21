# ruff: noqa: N815  # the names are those on the wire
"""Meraki's users of a network: the owners of the devices in it, and what is on these devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.models import Installation
from licensing.api.device_detail_serializers import SoftwareSerializer
from licensing.api.device_reports import software_json
from organizations.api import parameters
from organizations.api.doors import NetworkApiView
from organizations.api.openapi import operation, query
from organizations.api.parameters import BadParameter
from organizations.api.scoping import scope_asked_for, scope_parameter
from organizations.api.serializers import WireSerializer
from organizations.models import Device, Owner, Tag
from organizations.models.inventory import DeviceQuerySet, OwnerQuerySet
from organizations.scopes import devices_in

TAG = "Users"
FIELDS = ("pk", "name", "email", "username", "tag_ids")
ALWAYS_EMPTY = "Always empty: no directory's groups are known here."


class SmUserSerializer(WireSerializer):
    """Meraki's fields. Owners have no password and no certificate here."""

    id = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    fullName = serializers.CharField()
    username = serializers.CharField(allow_blank=True)
    hasPassword = serializers.BooleanField()
    tags = serializers.CharField(
        allow_blank=True, help_text="One text with spaces around: “ tag1 tag2 ”."
    )
    adGroups = serializers.ListField(child=serializers.CharField(), help_text=ALWAYS_EMPTY)
    azureAdGroups = serializers.ListField(child=serializers.CharField(), help_text=ALWAYS_EMPTY)
    samlGroups = serializers.ListField(child=serializers.CharField(), help_text=ALWAYS_EMPTY)
    asmGroups = serializers.ListField(child=serializers.CharField(), help_text=ALWAYS_EMPTY)
    isExternal = serializers.BooleanField(help_text="Always false: owners are kept here.")
    displayName = serializers.CharField(help_text="“Name <address>”.")
    hasIdentityCertificate = serializers.BooleanField()
    userThumbnail = serializers.CharField(allow_blank=True)


class DeviceProfileSerializer(WireSerializer):
    deviceId = serializers.CharField()
    id = serializers.CharField()
    isEncrypted = serializers.BooleanField()
    isManaged = serializers.BooleanField()
    profileData = serializers.CharField()
    profileIdentifier = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()


class SmUsersView(NetworkApiView):
    @operation(
        "getNetworkSmUsers",
        "List the owners of the devices in a network",
        tag=TAG,
        answers={200: SmUserSerializer(many=True)},
        parameters=[
            query("ids[]", "Only owners with these ids.", many=True),
            query("usernames[]", "Only owners with these user names, in whatever case.", many=True),
            query("emails[]", "Only owners with these addresses, in whatever case.", many=True),
            scope_parameter(),
        ],
        description="Whoever owns at least one device of the network, and with scope[] at least one"
        " that is in the scope. Who may see the network sees them. All at once, as in Meraki.",
    )
    def get(self, request: Request, **path: str) -> Response:
        devices = Device.objects.filter(network=self.network)
        if scope := scope_asked_for(request, self.organization):
            devices = devices_in(devices, scope, self.organization.pk)
        rows = filtered(request, owners_of(devices)).order_by("pk").values_list(*FIELDS)
        tags = Tag.objects.filter(organization=self.organization)
        names = dict(tags.values_list("pk", "name"))
        return Response([user_json(row, names) for row in rows])


class SmUserView(NetworkApiView):
    """Everything below /networks/{networkId}/sm/users/{userId}."""

    devices: DeviceQuerySet

    def enter(self) -> None:
        super().enter()
        owner = self.row_id("userId")
        self.devices = Device.objects.filter(network=self.network, owner=owner)
        if not self.devices.exists():
            raise Http404


class SmUserSoftwaresView(SmUserView):
    @operation(
        "getNetworkSmUserSoftwares",
        "List the apps on the devices of an owner",
        tag=TAG,
        answers={200: SoftwareSerializer(many=True)},
        description="On those devices that are in this network.",
    )
    def get(self, request: Request, **path: str) -> Response:
        found = Installation.objects.filter(device__in=self.devices)
        rows = found.select_related("managed_app__app").order_by("pk")
        return Response([software_json(row) for row in rows])


class SmUserDeviceProfilesView(SmUserView):
    @operation(
        "getNetworkSmUserDeviceProfiles",
        "List the profiles on the devices of an owner",
        tag=TAG,
        answers={200: DeviceProfileSerializer(many=True)},
        description="Always empty: apps and their licenses are managed here, and no profiles.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response([])


def owners_of(devices: DeviceQuerySet) -> OwnerQuerySet:
    return Owner.objects.filter(pk__in=devices.exclude(owner=None).values("owner"))


def filtered(request: Request, owners: OwnerQuerySet) -> OwnerQuerySet:
    if ids := parameters.texts(request, "ids"):
        owners = owners.filter(pk__in=[_id(text) for text in ids])
    for name, column in (("usernames", "username"), ("emails", "email")):
        if texts := parameters.texts(request, name):
            wanted = [Q(**{f"{column}__iexact": text}) for text in texts]
            owners = owners.filter(Q(*wanted, _connector=Q.OR))
    return owners


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadParameter("ids[]", "must be ids: digits only")
    return int(text)


def user_json(row: tuple[Any, ...], tag_names: Mapping[int, str]) -> dict[str, Any]:
    pk, name, email, username, tag_ids = row
    tags = [tag_names[tag] for tag in tag_ids if tag in tag_names]
    return {
        "id": str(pk),
        "email": email,
        "fullName": name,
        "username": username,
        "hasPassword": False,
        "tags": f" {' '.join(tags)} " if tags else "",
        "adGroups": [],
        "azureAdGroups": [],
        "samlGroups": [],
        "asmGroups": [],
        "isExternal": False,
        "displayName": f"{name} <{email}>" if email else name,
        "hasIdentityCertificate": False,
        "userThumbnail": "",
    }
