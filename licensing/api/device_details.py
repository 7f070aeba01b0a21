"""One device: all that its page shows, and what a program says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.channels.inventory import refresh
from licensing.api.device_actions import owner_named
from licensing.api.device_detail_serializers import (
    DeviceSerializer,
    HappeningSerializer,
    UpdateDeviceSerializer,
)
from licensing.api.device_rows import device_url, owner_json
from licensing.api.device_selections import ids_json
from licensing.api.device_serializers import DeviceIdsSerializer
from licensing.api.devices import TAG
from licensing.devices.history import Happening, events_of
from licensing.devices.identity import AUTOMATIC, INHERITED, OWN, facts_of, tags_of
from licensing.devices.licenses import DeviceLicense, licenses_of
from licensing.tables.devices import missing_of
from licensing.tables.happenings import history_of
from organizations.api.device_doors import DeviceApiView
from organizations.api.openapi import operation
from organizations.devices.editing import DeviceDetails, edit_device
from organizations.models import Device, Membership

SAME_NAME = ("name", "model", "platform", "supervised", "enrollment", "notes")
WIRE = {"serial_number": "serialNumber", "os_version": "osVersion"}
TAGS = {OWN: "tags", INHERITED: "ownerTags", AUTOMATIC: "automaticTags"}


class DeviceView(DeviceApiView):
    @operation(
        "getNetworkSmDevice",
        "Show a device",
        tag=TAG,
        answers={200: DeviceSerializer},
        description="Who it is and who says so, its tags with where each comes from, and the licenses"
        " that it or its owner holds in accounts that this key may see.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return Response(device_json(self.device, self.membership))

    @operation(
        "updateNetworkSmDevice",
        "Change what is said of a device",
        tag=TAG,
        body=UpdateDeviceSerializer,
        answers={200: DeviceSerializer},
        description="Fields that are not sent stay as they are; `tags` replace those that it had."
        " What the device itself has told is left to it (409). Where a scope names what changes,"
        " apps and licenses follow. A device leaves management by unenroll, not by `enrollment`.",
    )
    def put(self, request: Request, **path: str) -> Response:
        details = self._details(UpdateDeviceSerializer.checked(request))
        edit_device(by=self.actor, device=self.device, details=details)
        self.enter()
        return Response(device_json(self.device, self.membership))

    def _details(self, given: Mapping[str, Any]) -> DeviceDetails:
        said: dict[str, Any] = {name: given[name] for name in SAME_NAME if name in given}
        if "osVersion" in given:
            said["os_version"] = given["osVersion"]
        if "tags" in given:
            said["tags"] = tuple(given["tags"])
        if "ownerId" in given:
            said["owner"] = owner_named(given["ownerId"], self.membership) or False
        return DeviceDetails(**said)


class DeviceHistoryView(DeviceApiView):
    @operation(
        "getNetworkSmDeviceHistory",
        "List what happened to a device",
        tag=TAG,
        answers={200: HappeningSerializer(many=True)},
        description="Its last 50 events and steps of its apps, newest first.",
    )
    def get(self, request: Request, **path: str) -> Response:
        events = events_of(self.device, self.membership)
        happened = history_of(self.device, self.membership, events)
        return Response([happening_json(each) for each in happened])


class RefreshDetailsView(DeviceApiView):
    @operation(
        "refreshNetworkSmDeviceDetails",
        "Ask a device what it is and which apps it has",
        tag=TAG,
        answers={200: DeviceIdsSerializer},
        description="Through the organization's device channel; what it says arrives as it answers."
        " Refused with 409 where the channel does not reach it.",
    )
    def post(self, request: Request, **path: str) -> Response:
        refresh(by=self.actor, device=self.device)
        return Response(ids_json([self.device.pk]))


def device_json(device: Device, membership: Membership) -> dict[str, Any]:
    return {
        "id": str(device.pk),
        "networkId": str(device.network_id),
        "serialNumber": device.serial_number,
        "name": device.name,
        "model": device.model,
        "platform": device.platform,
        "osVersion": device.os_version,
        "supervised": device.supervised,
        "enrollment": device.enrollment,
        "udid": device.udid,
        "notes": device.notes,
        "owner": owner_json(device.owner),
        **tags_json(device),
        "sources": sources_json(device, membership),
        "licenses": [license_json(each) for each in licenses_of(device, membership)],
        "missingAppsCount": missing_of([device], membership).get(device.pk, 0),
        "lastConnectedAt": device.last_connected_at,
        "createdAt": device.created_at,
        "missingSince": device.missing_since,
        "missingFrom": device.missing_from or None,
        "unenrolledAt": device.unenrolled_at,
        "wipedAt": device.wiped_at,
        "url": device_url(device),
    }


def tags_json(device: Device) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in TAGS.values()}
    for tag in tags_of(device):
        found[TAGS[tag.kind]].append(tag.name)
    return found


def sources_json(device: Device, membership: Membership) -> list[dict[str, Any]]:
    facts = facts_of(device, events_of(device, membership))
    return [
        {"field": WIRE.get(fact.field, fact.field), "source": fact.said_by, "since": fact.since}
        for fact in facts
        if fact.said_by
    ]


def license_json(held: DeviceLicense) -> dict[str, Any]:
    title, license = held.title, held.license
    return {
        "vppAccountId": str(title.account_id),
        "adamId": title.adam_id,
        "pricingParam": title.pricing_param,
        "name": held.name,
        "holder": "owner" if held.is_owners else "device",
        "clientUserId": held.holder if held.is_owners else None,
        "state": license.state,
        "since": license.since,
        "by": license.by,
        "batchId": str(license.batch_id) if license.batch_id else None,
        "message": license.message,
    }


def happening_json(happened: Happening) -> dict[str, Any]:
    event = happened.event
    return {
        "at": happened.at,
        "action": event.action if event else "installation.moved",
        "what": happened.what,
        "change": happened.change,
        "by": happened.by,
        "auditEventId": str(event.pk) if event else None,
    }
