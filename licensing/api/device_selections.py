"""Devices of a network that a program names: by ids, serial numbers or a scope, in exactly one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from licensing.api.device_serializers import MOST_DEVICES
from organizations.api.device_doors import DevicesApiView
from organizations.api.scoping import scope_from
from organizations.models import Device, Organization
from organizations.models.inventory import DeviceQuerySet
from organizations.refusals import Refusal
from organizations.scopes import checked_scope, devices_in

WAYS = ("ids", "serials", "wifiMacs", "scope")


class SelectionUnclear(Refusal):
    code = "selection_unclear"

    def __init__(self, ways: tuple[str, ...]) -> None:
        named = ", ".join(ways[:-1])
        super().__init__(f"Choose in exactly one way: by {named} or {ways[-1]}.")


class TooManyDevices(Refusal):
    code = "too_many_devices"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"More than {most:,} devices are chosen, which is the most at once. Choose them in parts."
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    organization: Organization
    ids: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.ids)

    @property
    def devices(self) -> DeviceQuerySet:
        return Device.objects.filter(organization=self.organization, pk__in=self.ids)


class SelectionView(DevicesApiView):
    """Whoever is let in may change every device of the network."""

    largest_body = 10 * 2**20  # fifty thousand names

    def chosen(self, given: dict[str, Any]) -> Chosen:
        """Names that mean nothing here choose nothing."""
        way = one_of(given, WAYS)
        found = _named(self.devices, way, given[way], self.organization)
        ids = tuple(found.order_by("pk").values_list("pk", flat=True)[: MOST_DEVICES + 1])
        if len(ids) > MOST_DEVICES:
            raise TooManyDevices(MOST_DEVICES)
        return Chosen(self.organization, ids)

    def who(self, chosen: Chosen) -> dict[str, Any]:
        """As the services take it: whoever has left the network meanwhile is not theirs any more."""
        theirs = self.devices.filter(pk__in=chosen.ids)
        return {"by": self.actor, "organization": self.organization, "devices": theirs}


def one_of(given: dict[str, Any], ways: tuple[str, ...]) -> str:
    named = [way for way in ways if way in given]
    if len(named) != 1:
        raise SelectionUnclear(ways)
    return named[0]


def _named(
    devices: DeviceQuerySet, way: str, value: Any, organization: Organization
) -> DeviceQuerySet:
    if way == "ids":
        return devices.filter(pk__in={int(text) for text in value if _is_id(text)})
    if way == "serials":
        storable = {text.strip().upper() for text in value if "\0" not in text}
        return devices.filter(serial_number__in=storable)
    if way == "scope":
        scope = checked_scope(scope_from(value, organization), organization.pk)
        return devices_in(devices, scope, organization.pk)
    return devices.none()


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def ids_json(ids: list[int] | tuple[int, ...]) -> dict[str, Any]:
    return {"ids": [str(pk) for pk in ids]}
