"""Organization > MDM > Device channel: the simulated fleet, and what goes wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apps_catalog.channels import simulated
from apps_catalog.channels.simulated import faults
from apps_catalog.channels.simulated.faults import Fault
from apps_catalog.channels.simulated.fleet import wake_all
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization
from organizations.refusals import Refusal

LARGEST = 1000  # beyond it a number is none


@require_POST
@organization_view()
def fleet_enroll(request: AdminRequest, organization: Organization) -> HttpResponse:
    return _done(
        request,
        organization,
        lambda: (
            f"Devices that enrolled now: {simulated.enroll(organization.pk, by=request.actor):,}."
        ),
    )


@require_POST
@organization_view()
def fleet_tick(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Whoever is on connects; a worker moves the fleet within seconds."""

    def wake() -> str:
        woken = wake_all(by=request.actor, organization=organization)
        return f"Devices that connect within seconds: {woken:,}."

    return _done(request, organization, wake)


@require_POST
@organization_view()
def fleet_fault(request: AdminRequest, organization: Organization) -> HttpResponse:
    """One switch: `fault`, `on` (empty: off), `percent` of the devices."""

    def switch() -> str:
        fault = faults.named(request.POST.get("fault", ""))
        is_on = bool(request.POST.get("on"))
        faults.switch(
            by=request.actor,
            organization=organization,
            fault=fault,
            on=is_on,
            percent=_percent(request.POST.get("percent", "100")),
        )
        return f"{Fault(fault).label}: {'on' if is_on else 'off'}."

    return _done(request, organization, switch)


def _percent(text: str) -> int:
    with suppress(ValueError):
        return min(int(text[:5]), LARGEST)
    return 0


def _done(
    request: AdminRequest, organization: Organization, act: Callable[[], str]
) -> HttpResponse:
    try:
        messages.success(request, act())
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("apps_catalog:channel_settings", organization.pk)
