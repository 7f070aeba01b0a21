"""Devices over REST: many at once, by their serial numbers, with a verdict for each."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.device_doors import DevicesApiView
from organizations.api.device_serializers import SavedDevicesSerializer, SaveDevicesSerializer
from organizations.api.openapi import operation
from organizations.devices.records import DeviceRecord
from organizations.devices.saving import Saved, save_devices
from organizations.models import DeviceSource, Network

LARGEST_BODY = 20 * 1024 * 1024
TEXTS = {
    "serialNumber": "serial_number",
    "name": "name",
    "model": "model",
    "platform": "platform",
    "osVersion": "os_version",
    "ownerEmail": "owner_email",
}


class SaveDevicesView(DevicesApiView):
    """What is read at the same address is licensing's (licensing/api/devices.py)."""

    largest_body = LARGEST_BODY

    @operation(
        "createNetworkSmDevices",
        "Add and update devices, up to 10,000 at once",
        tag="Devices",
        body=SaveDevicesSerializer,
        answers={200: SavedDevicesSerializer},
        description=(
            "A device is known by its serial number. New ones go into this network; known ones stay"
            " where they are. What is not sent stays as it is; an empty text or list says that there"
            " is none. What the device itself says is believed before what is sent here, and the"
            " message of the verdict names what was kept. A device with an error hinders no other"
            " one. Unknown tags and owners are added; owners only by admins of the whole organization."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        writable = Network.objects.writable_by(self.membership)
        saved = save_devices(
            by=self.actor,
            organization=self.organization,
            records=[record_of(each) for each in SaveDevicesSerializer.checked(request)["devices"]],
            source=DeviceSource.API,
            network=self.network,
            networks_writable=(
                None if self.membership.can_write else writable.values_list("pk", flat=True)
            ),
            knows_owners=self.membership.sees_organization,
        )
        return Response({"devices": [saved_json(each) for each in saved]})


def record_of(sent: Any) -> DeviceRecord:
    """What is wrong with one hinders no other one, so it is not for the serializer."""
    if not isinstance(sent, dict):
        return DeviceRecord(problem="A device must be an object: {…}.")
    said = {ours: sent[name] for name, ours in TEXTS.items() if sent.get(name) is not None}
    wrong = next((name for name in TEXTS if not isinstance(sent.get(name, ""), str | None)), None)
    supervised, tags = sent.get("supervised"), sent.get("tags")
    if wrong:
        return _wrong(sent, f"“{wrong}” must be a text.")
    if not isinstance(supervised, bool | None):
        return _wrong(sent, "“supervised” must be true or false.")
    if tags is not None and not _are_texts(tags):
        return _wrong(sent, "“tags” must be a list of texts.")
    named = None if tags is None else tuple(tags)
    return DeviceRecord(**said, supervised=supervised, tags=named)


def _wrong(sent: dict[str, Any], problem: str) -> DeviceRecord:
    serial = sent.get("serialNumber")
    return DeviceRecord(serial_number=serial if isinstance(serial, str) else None, problem=problem)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def saved_json(saved: Saved) -> dict[str, Any]:
    return {
        "serialNumber": saved.serial_number,
        "id": None if saved.device_id is None else str(saved.device_id),
        "verdict": saved.verdict,
        "message": saved.message,
    }
