"""How apps reach devices, over REST: chosen, checked, and the profile with which devices enroll."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.channel_serializers import (
    ChannelCheckSerializer,
    CreateProfileSerializer,
    DeviceChannelSerializer,
    EnrollmentProfileSerializer,
    ProposedProfileSerializer,
    UpdateDeviceChannelSerializer,
    WebhookKeySerializer,
)
from apps_catalog.api.simulated_fleet import fleet_json
from apps_catalog.channels import configuring
from apps_catalog.channels.configuring import ChannelDetails, ChannelWrong
from apps_catalog.channels.profile import (
    PROFILE,
    ProfileDetails,
    enrollment_profile,
    file_name,
    proposed_server,
)
from apps_catalog.channels.standing import Standing, standing_of
from apps_catalog.models import ChannelEvent, ChannelKind, ChannelSettings
from organizations.api.doors import OrganizationApiView
from organizations.api.once import told_once
from organizations.api.openapi import operation
from organizations.models import Network, Organization

TAG = "Device channel"
FIELDS = {"baseUrl": "base_url", "apiUser": "api_user", "apiKey": "api_key", "topic": "topic"}

described = partial(operation, tag=TAG)


class ChannelApiView(OrganizationApiView):
    """How devices are reached is the whole organization's business."""

    organization_wide = True

    def told(self) -> Response:
        chosen = configuring.settings_of(self.organization)
        return Response(channel_json(standing_of(chosen)))


class DeviceChannelView(ChannelApiView):
    @described(
        "getOrganizationSmDeviceChannel",
        "Show how apps reach devices",
        answers={200: DeviceChannelSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()

    @described(
        "updateOrganizationSmDeviceChannel",
        "Choose how apps reach devices",
        body=UpdateDeviceChannelSerializer,
        answers={200: DeviceChannelSerializer},
        description="Fields that are not sent stay as they are. What waited for another channel goes"
        " on, and a NanoMDM server is checked at once. Another server needs its apiKey as well.",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateDeviceChannelSerializer.checked(request)
        details = details_from(given, configuring.settings_of(self.organization))
        configuring.configure(by=self.actor, organization=self.organization, details=details)
        configuring.check_server(self.organization)
        return self.told()


class ChannelKeyView(ChannelApiView):
    @described(
        "createOrganizationSmDeviceChannelKey",
        "Make a key with which the server signs its events",
        answers={201: WebhookKeySerializer},
        description="It is in the answer, once. Events signed with the key before are refused from"
        " now on.",
    )
    def post(self, request: Request, **path: str) -> Response:
        key = configuring.make_webhook_key(by=self.actor, organization=self.organization)
        url = configuring.webhook_url(configuring.settings_of(self.organization))
        return told_once(self, {"webhookUrl": url}, {"webhookKey": key}, status=201)


class CheckChannelView(ChannelApiView):
    @described(
        "getOrganizationSmDeviceChannelCheck",
        "Show what the last check of the device channel found",
        answers={200: ChannelCheckSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        chosen = configuring.settings_of(self.organization)
        return Response(check_json(standing_of(chosen)))

    @described(
        "checkOrganizationSmDeviceChannel",
        "Check whether the device channel works",
        answers={202: ChannelCheckSerializer},
        description="A worker asks the server; GET the same address until isUnderWay is false."
        " Refused with 409 where another MDM installs.",
    )
    def post(self, request: Request, **path: str) -> Response:
        chosen = configuring.ask_check(organization=self.organization)
        return Response(check_json(standing_of(chosen)), status=202)


class ChannelProfileView(ChannelApiView):
    @described(
        "getOrganizationSmDeviceChannelProfile",
        "Show what an enrollment profile begins with",
        answers={200: ProposedProfileSerializer},
    )
    def get(self, request: Request, **path: str) -> Response:
        chosen = configuring.settings_of(self.organization)
        return Response(
            {
                "networkId": _id(chosen.network_id),
                "serverUrl": proposed_server(chosen.base_url) or None,
                "topic": chosen.topic or None,
            }
        )

    @described(
        "createOrganizationSmDeviceChannelProfile",
        "Make an enrollment profile",
        body=CreateProfileSerializer,
        answers={200: EnrollmentProfileSerializer},
        description="A template to sign and to hand out to devices. Nothing of it is stored, so that"
        " a request repeated with its Idempotency-Key is answered without the profile.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = CreateProfileSerializer.checked(request)
        network = network_of(self.organization, given["networkId"])
        details = ProfileDetails(
            organization=self.organization.name,
            network=network.name,
            network_id=network.pk,
            server_url=given["serverUrl"],
            topic=given["topic"],
            scep_url=given["scepUrl"],
            scep_name=given.get("scepName", ""),
            scep_challenge=given.get("scepChallenge", ""),
        )
        told = {"fileName": file_name(network.name, network.pk), "contentType": PROFILE}
        return told_once(self, told, {"profile": enrollment_profile(details).decode()})


def details_from(given: dict[str, Any], chosen: ChannelSettings) -> ChannelDetails:
    """What was not sent stays as it is; an API key that is not sent, too."""
    details = ChannelDetails(
        kind=chosen.kind,
        base_url=chosen.base_url,
        api_user=chosen.api_user,
        topic=chosen.topic,
        network=chosen.network,
    )
    said: dict[str, Any] = {
        ours: given[wire] or "" for wire, ours in FIELDS.items() if wire in given
    }
    if "kind" in given:
        said["kind"] = given["kind"] or ""
    if "networkId" in given:
        wanted = given["networkId"]
        said["network"] = network_of(chosen.organization, wanted) if wanted else None
    return replace(details, **said)


def network_of(organization: Organization, network_id: str) -> Network:
    network = Network.objects.filter(organization=organization, pk=int(network_id)).first()
    if network is None:
        raise ChannelWrong("network", "That network is not in this organization. Choose another.")
    return network


def channel_json(standing: Standing) -> dict[str, Any]:
    chosen = standing.chosen
    is_simulated = standing.kind == ChannelKind.SIMULATED
    return {
        "kind": chosen.kind or None,
        "effectiveKind": standing.kind.value,
        "baseUrl": chosen.base_url or None,
        "apiUser": chosen.api_user or None,
        "hasApiKey": bool(chosen.api_key_ciphertext),
        "topic": chosen.topic or None,
        "networkId": _id(chosen.network_id),
        "webhookUrl": standing.webhook_url or None,
        "hasWebhookKey": bool(chosen.webhook_key_ciphertext),
        "enrolledDevices": standing.enrolled,
        "lastEventAt": chosen.last_event_at,
        "refusedEventAt": chosen.refused_at,
        "check": check_json(standing),
        "troubles": [trouble_json(each) for each in standing.troubles],
        "fleet": fleet_json(chosen.organization_id) if is_simulated else None,
    }


def check_json(standing: Standing) -> dict[str, Any]:
    chosen = standing.chosen
    return {
        "isUnderWay": standing.is_being_checked,
        "askedAt": chosen.check_asked_at,
        "checkedAt": chosen.checked_at,
        "problem": chosen.problem or None,
        "version": chosen.version or None,
        "pushExpiresAt": chosen.push_expires_at,
        "pushIsEnding": standing.push_is_ending,
    }


def trouble_json(event: ChannelEvent) -> dict[str, Any]:
    return {"topic": event.topic, "toldAt": event.told_at, "message": event.error}


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
