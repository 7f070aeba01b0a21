"""Devices that leave their network, management or the inventory; what becomes of their licenses is
asked, and told before."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.device_selections import Chosen, SelectionView, ids_json
from licensing.api.device_serializers import (
    DeviceDepartureSerializer,
    LeavingDevicesSerializer,
    LeftDevicesSerializer,
    MovedDevicesSerializer,
    MoveDevicesSerializer,
    UnenrolledDeviceSerializer,
)
from licensing.api.devices import TAG
from licensing.reclaim.departures import holdings
from licensing.reclaim.rules import departure_of
from licensing.tables.device_filters import missing_apps
from organizations.api.device_doors import DeviceApiView
from organizations.api.openapi import operation
from organizations.api.parameters import BadParameter
from organizations.devices import changing
from organizations.models import Device, Membership, Network

CHOICE = (
    " `licenses` says what becomes of the licenses that they hold: now takes them back, later does so"
    " after `days`, keep leaves them; without it, as the organization has it. Licenses that are"
    " permanent or protected stay. dryRun tells it in numbers."
)


class MoveDevicesView(SelectionView):
    @operation(
        "moveNetworkSmDevices",
        "Move devices to another network",
        tag=TAG,
        body=MoveDevicesSerializer,
        answers={200: MovedDevicesSerializer},
        description="The apps of the new network want them from then on. The key has to be able to"
        " write in both networks. `ids` are those that moved." + CHOICE,
    )
    def post(self, request: Request, **path: str) -> Response:
        given = MoveDevicesSerializer.checked(request)
        network = self._network(given["newNetwork"])
        chosen = self.chosen(given)
        named = {"newNetwork": str(network.pk)}
        if given["dryRun"]:
            return Response(foreseen(chosen, "moved", self.membership) | named)
        moved = (
            changing.move(**self.who(chosen), network=network, **departure(given)) if chosen else []
        )
        return Response(ids_json(moved) | named)

    def _network(self, text: str) -> Network:
        writable = Network.objects.writable_by(self.membership)
        is_id = text.isascii() and text.isdigit() and len(text) < 19
        network = writable.filter(pk=int(text)).first() if is_id else None
        if network is None:
            raise BadParameter("newNetwork", "must be the id of a network in which you may write")
        return network


class UnenrollDevicesView(SelectionView):
    @operation(
        "unenrollNetworkSmDevices",
        "Mark devices as not enrolled",
        tag=TAG,
        body=LeavingDevicesSerializer,
        answers={200: LeftDevicesSerializer},
        description="They stay in the inventory, and no app is installed or removed there. `ids` are"
        " those that were enrolled until now." + CHOICE,
    )
    def post(self, request: Request, **path: str) -> Response:
        given = LeavingDevicesSerializer.checked(request)
        chosen = self.chosen(given)
        if given["dryRun"]:
            return Response(foreseen(chosen, "unenrolled", self.membership))
        if not chosen:
            return Response(ids_json([]))
        return Response(ids_json(changing.mark_unenrolled(**self.who(chosen), **departure(given))))


class DeleteDevicesView(SelectionView):
    @operation(
        "deleteNetworkSmDevices",
        "Delete devices from the inventory",
        tag=TAG,
        body=LeavingDevicesSerializer,
        answers={200: LeftDevicesSerializer},
        description="With owner, tags, notes and what was sent to them. Licenses that are kept stay"
        " with the serial number. The activity stays readable." + CHOICE,
    )
    def post(self, request: Request, **path: str) -> Response:
        given = LeavingDevicesSerializer.checked(request)
        chosen = self.chosen(given)
        if given["dryRun"]:
            return Response(foreseen(chosen, "deleted", self.membership))
        if not chosen:
            return Response(ids_json([]))
        return Response(ids_json(changing.delete(**self.who(chosen), **departure(given))))


class UnenrollDeviceView(DeviceApiView):
    @operation(
        "unenrollNetworkSmDevice",
        "Mark a device as not enrolled",
        tag=TAG,
        body=DeviceDepartureSerializer,
        answers={200: UnenrolledDeviceSerializer},
        description="As unenrollNetworkSmDevices does for several; a device that is not enrolled"
        " stays so." + CHOICE,
    )
    def post(self, request: Request, **path: str) -> Response:
        given = DeviceDepartureSerializer.checked(request)
        chosen = Chosen(self.organization, (self.device.pk,))
        if given["dryRun"]:
            told = preview(chosen, "unenrolled", self.membership)
            return Response({"success": False, "preview": told})
        changing.mark_unenrolled(
            by=self.actor,
            organization=self.organization,
            devices=chosen.devices,
            **departure(given),
        )
        return Response({"success": True})


def departure(given: dict[str, Any]) -> dict[str, Any]:
    """As the services take it."""
    return {"choice": given.get("licenses", ""), "days": given.get("days")}


def foreseen(chosen: Chosen, cause: str, membership: Membership) -> dict[str, Any]:
    return ids_json(chosen.ids) | {"preview": preview(chosen, cause, membership)}


def preview(chosen: Chosen, cause: str, membership: Membership) -> dict[str, Any]:
    """What the page says before, in numbers and in its sentences."""
    organization, devices = chosen.organization, chosen.devices
    found = holdings(organization, devices, membership)
    default = departure_of(organization.pk)
    return {
        "devices": len(chosen.ids),
        "holders": found.devices,
        "returning": [
            {"name": name, "licenses": number} for name, number in found.accounts.items()
        ],
        "permanent": found.permanent,
        "protected": found.protected,
        "notByRule": found.by_hand,
        "otherAccounts": found.has_others,
        "missingApps": _missing(chosen, membership),
        "default": {"licenses": default.choice, "days": default.days},
        "consequences": changing.consequences(organization, devices, cause, membership),
    }


def _missing(chosen: Chosen, membership: Membership) -> int:
    ids = Device.objects.filter(pk__in=chosen.ids).values("pk")
    return missing_apps(membership).filter(device__in=ids).count()
