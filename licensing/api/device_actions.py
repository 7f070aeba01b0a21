"""What is done to several devices of a network at once: tags, owner, fields, apps, questions."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.channels.inventory import ask_now
from apps_catalog.installations.asking import Asked, ask_install, foresee_install
from apps_catalog.models import ManagedApp
from licensing.api.device_apps import apps_named
from licensing.api.device_selections import (
    Chosen,
    SelectionView,
    TooManyDevices,
    ids_json,
    one_of,
)
from licensing.api.device_serializers import (
    MOST_DEVICES,
    AskedAppsSerializer,
    AssignOwnerSerializer,
    DeviceIdsSerializer,
    DeviceSelectionSerializer,
    InstallManySerializer,
    ModifyTagsSerializer,
    TaggedDeviceSerializer,
    UpdatedFieldsSerializer,
    UpdateFieldsSerializer,
)
from licensing.api.devices import TAG
from organizations.api.openapi import operation
from organizations.api.parameters import BadParameter
from organizations.devices import changing
from organizations.devices.editing import DeviceDetails, edit_device
from organizations.models import Device, Membership, Owner, Tag
from organizations.refusals import Forbidden
from vpp_accounts.permissions import OWNERS

# Meraki's words for it, and those of the service.
CHANGES = {"add": "add", "delete": "remove", "update": "replace"}


class ModifyTagsView(SelectionView):
    @operation(
        "modifyNetworkSmDevicesTags",
        "Add, remove or replace tags of devices",
        tag=TAG,
        body=ModifyTagsSerializer,
        answers={200: TaggedDeviceSerializer(many=True)},
        description="Their own tags; those of their owner and automatic ones stay. Unknown tags are"
        " added to the organization. Apps whose scope names them are looked at again: licenses"
        " follow. Answers the devices that changed.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = ModifyTagsSerializer.checked(request)
        chosen = self.chosen(given)
        how = {CHANGES[given["updateAction"]]: given["tags"]}
        changed = changing.change_tags(**self.who(chosen), **how) if chosen else []
        return Response(tagged_json(Chosen(self.organization, tuple(changed))))


def tagged_json(chosen: Chosen) -> list[dict[str, Any]]:
    rows = chosen.devices.order_by("pk").values_list("pk", "tag_ids", "serial_number")
    devices = list(rows)
    ids = {tag for _, tag_ids, _ in devices for tag in tag_ids}
    tags = Tag.objects.filter(organization=chosen.organization, pk__in=ids)
    names = dict(tags.values_list("pk", "name"))
    return [
        {
            "id": str(pk),
            "tags": [names[tag] for tag in tag_ids if tag in names],
            "wifiMac": "",
            "serial": serial or "",
        }
        for pk, tag_ids, serial in devices
    ]


class CheckinView(SelectionView):
    @operation(
        "checkinNetworkSmDevices",
        "Ask devices to report now",
        tag=TAG,
        body=DeviceSelectionSerializer,
        answers={200: DeviceIdsSerializer},
        description="Through the organization's device channel; what they say arrives as they answer."
        " `ids` are the devices that the channel reaches. Each question costs their batteries: they"
        " are asked once a day anyway.",
    )
    def post(self, request: Request, **path: str) -> Response:
        chosen = self.chosen(DeviceSelectionSerializer.checked(request))
        return Response(ids_json(ask_now(**self.who(chosen))))


class DeviceFieldsView(SelectionView):
    @operation(
        "updateNetworkSmDevicesFields",
        "Change the name or the notes of a device",
        tag=TAG,
        body=UpdateFieldsSerializer,
        answers={200: UpdatedFieldsSerializer(many=True)},
        description="Of the one that id, serial or wifiMac names; the answer is empty where there is"
        " none. Fields that are not sent stay as they are. A name that the device itself has told"
        " is left to it (409).",
    )
    def put(self, request: Request, **path: str) -> Response:
        given = UpdateFieldsSerializer.checked(request)
        way = one_of(given, ("id", "serial", "wifiMac"))
        chosen = self.chosen({f"{way}s": [given[way]]})
        details = DeviceDetails(**given["deviceFields"])
        changed = [
            edit_device(by=self.actor, device=device, details=details) for device in chosen.devices
        ]
        return Response([fields_json(device) for device in changed])


def fields_json(device: Device) -> dict[str, Any]:
    return {
        "id": str(device.pk),
        "name": device.name,
        "wifiMac": "",
        "serial": device.serial_number or "",
        "notes": device.notes,
    }


class AssignOwnerView(SelectionView):
    @operation(
        "assignNetworkSmDevicesOwner",
        "Give devices to an owner, or to nobody",
        tag=TAG,
        body=AssignOwnerSerializer,
        answers={200: DeviceIdsSerializer},
        description="The tags of the new owner come with them; licenses of people stay with the"
        " people. Owners belong to the organization: keys that see networks only are refused (403)."
        " `ids` are those that had another owner before.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = AssignOwnerSerializer.checked(request)
        owner = owner_named(given["ownerId"], self.membership)
        chosen = self.chosen(given)
        changed = changing.assign_owner(**self.who(chosen), owner=owner) if chosen else []
        return Response(ids_json(changed))


def owner_named(owner_id: str | None, membership: Membership) -> Owner | None:
    """Owners belong to the whole organization, and network admins do not see them."""
    if not membership.sees_organization:
        raise Forbidden(OWNERS, code="no_access")
    if owner_id is None:
        return None
    owner = Owner.objects.visible_to(membership).filter(pk=int(owner_id)).first()
    if owner is None:
        raise BadParameter("ownerId", "must be the id of an owner of this organization, or null")
    return owner


# --- Apps -----------------------------------------------------------------------------------------


class InstallManyView(SelectionView):
    @operation(
        "installNetworkSmDevicesApps",
        "Install apps on devices",
        tag=TAG,
        body=InstallManySerializer,
        answers={200: AskedAppsSerializer},
        description="Each app on each of the devices, up to 50,000 installs at once. One license is"
        " used for each device that has none yet. Devices that are not in the scope of an app, or"
        " have it already, are left out, and counted by reason.",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = InstallManySerializer.checked(request)
        apps = apps_named(given["appIds"], self.network)
        chosen = self.chosen(given)
        if len(apps) * len(chosen.ids) > MOST_DEVICES:
            raise TooManyDevices(MOST_DEVICES // len(apps))
        asked = [(app, self._ask(app, chosen, given)) for app in apps] if chosen else []
        return Response(
            {
                "dryRun": given["dryRun"],
                "devices": len(chosen.ids),
                "apps": [asked_json(app, answer) for app, answer in asked],
            }
        )

    def _ask(self, app: ManagedApp, chosen: Chosen, given: dict[str, Any]) -> Asked:
        which: dict[str, Any] = {
            "managed_app": app,
            "devices": chosen.devices,
            "force": given["force"],
        }
        return foresee_install(**which) if given["dryRun"] else ask_install(by=self.actor, **which)


def asked_json(app: ManagedApp, asked: Asked) -> dict[str, Any]:
    return {
        "appId": str(app.pk),
        "asked": asked.asked,
        "already": asked.already,
        "leftOut": [
            {"reason": reason, "message": reason.sentence, "devices": number}
            for reason, number in asked.cannot.items()
        ],
    }
