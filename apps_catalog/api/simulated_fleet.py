"""The simulated fleet over REST: refused where devices are reached in another way."""

from __future__ import annotations

from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.channel_serializers import (
    FleetDevicesSerializer,
    FleetSerializer,
    SwitchFaultSerializer,
)
from apps_catalog.channels import simulated
from apps_catalog.channels.simulated import faults
from apps_catalog.channels.simulated.fleet import wake_all
from organizations.api.doors import OrganizationApiView
from organizations.api.openapi import operation

ELSEWHERE = " Refused with 409 and the code not_simulated where the device channel is another one."

described = partial(operation, tag="Device channel")


class FleetApiView(OrganizationApiView):
    organization_wide = True


class EnrollFleetView(FleetApiView):
    @described(
        "enrollOrganizationSmDeviceChannelFleet",
        "Enroll the listed devices in the simulated fleet",
        answers={200: FleetDevicesSerializer},
        description=f"All that are not enrolled; the answer says how many there were.{ELSEWHERE}",
    )
    def post(self, request: Request, **path: str) -> Response:
        return Response({"devices": simulated.enroll(self.organization.pk, by=self.actor)})


class TickFleetView(FleetApiView):
    @described(
        "tickOrganizationSmDeviceChannelFleet",
        "Let the simulated devices connect",
        answers={200: FleetDevicesSerializer},
        description="All that are switched on do within seconds; the answer says how many those"
        f" are.{ELSEWHERE}",
    )
    def post(self, request: Request, **path: str) -> Response:
        return Response({"devices": wake_all(by=self.actor, organization=self.organization)})


class FleetFaultsView(FleetApiView):
    @described(
        "switchOrganizationSmDeviceChannelFleetFaults",
        "Switch on or off what goes wrong in the simulated fleet",
        body=SwitchFaultSerializer,
        answers={200: FleetSerializer},
        description="uninstall, check_out and wipe happen once, when devices connect next; the"
        f" others hold until they are switched off.{ELSEWHERE}",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = SwitchFaultSerializer.checked(request)
        faults.switch(
            by=self.actor,
            organization=self.organization,
            fault=faults.named(given["fault"]),
            on=given["on"],
            percent=given["percent"],
        )
        return Response(fleet_json(self.organization.pk))


def fleet_json(organization_id: int) -> dict[str, Any]:
    card = faults.card_of(organization_id)
    return {
        "devices": card["devices"],
        "tickedAt": card["ticked_at"],
        "faults": [
            {"fault": each["fault"], "percent": each["percent"]} for each in card["switches"]
        ],
    }
