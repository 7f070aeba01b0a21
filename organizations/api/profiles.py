# ruff: noqa: N815  # the names are those on the wire
"""Meraki's configuration profiles: this product has none, and says so in Meraki's words."""

from __future__ import annotations

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from organizations.api import paging, parameters
from organizations.api.doors import NetworkApiView
from organizations.api.openapi import operation, paged, query
from organizations.api.paging import PageSize
from organizations.api.serializers import WireSerializer
from organizations.models import Network

PROFILES = PageSize(default=50, largest=50)


class ProfileSerializer(WireSerializer):
    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    scope = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    payloadTypes = serializers.ListField(child=serializers.CharField())


class ProfilesView(NetworkApiView):
    @operation(
        "getNetworkSmProfiles",
        "List the profiles of a network",
        tag="Devices",
        answers={200: ProfileSerializer(many=True)},
        parameters=[
            query("payloadTypes[]", "Only profiles with such payloads.", many=True),
            *paged(PROFILES),
        ],
        description="Always empty: apps and their licenses are managed here, and no profiles.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        parameters.texts(request, "payloadTypes")
        none = Network.objects.none()
        return paging.listed(request, none, size=PROFILES, shape=lambda rows: [])
