"""Help > VPP installs: why an app is, or is not, on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps_catalog.models import ManagedApp
from licensing.why import walk
from organizations.access import AdminRequest, organization_view
from organizations.models import Device, Organization
from organizations.network_choice import chosen_network

SHOWN = 20  # that a search found
LONGEST_ID = 19  # digits, of which the database could not be asked
PARAMETERS = ("app", "device", "app_q", "device_q")


@dataclass(frozen=True, slots=True)
class Found:
    label: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the two that have to be chosen. `typed`: what it is searched by."""

    name: str
    chosen: Any
    typed: str
    found: list[Found]
    has_more: bool
    change_url: str
    carried: list[tuple[str, str]]  # what the other one is, or is searched by


@require_safe
@organization_view()
def why(request: AdminRequest, organization: Organization) -> HttpResponse:
    """`?app=` and `?device=`: their ids, as `Why?` links have them; else both are searched for."""
    app, device = choice_of_app(request), choice_of_device(request)
    both = app.chosen and device.chosen
    steps = walk(app.chosen, device.chosen, request.membership) if both else []
    context = {"organization": organization, "app": app, "device": device, "steps": steps}
    return render(request, "licensing/why.html", context)


def choice_of_app(request: AdminRequest) -> Choice:
    every = ManagedApp.objects.visible_to(request.membership).select_related("app", "network")
    apps = every.order_by("app__name", "network__name", "pk")
    network = chosen_network(request)
    near = apps.filter(network=network) if network else apps
    text = typed(request.GET, "app")
    matching = Q(app__name__icontains=text) | Q(app__bundle_id__icontains=text) | Q(adam_id=text)
    return choice_of(request, "app", every, near.filter(matching) if text else near, note_of_app)


def note_of_app(app: ManagedApp) -> str:
    return f"{app.get_platform_display()} in {app.network}"


def choice_of_device(request: AdminRequest) -> Choice:
    every = Device.objects.visible_to(request.membership).select_related("owner", "network")
    network = chosen_network(request)
    near = every.filter(network=network) if network else every
    text = typed(request.GET, "device")
    matching = (
        Q(name__icontains=text) | Q(serial_number__icontains=text) | Q(owner__name__icontains=text)
    )
    found = near.filter(matching).order_by("name", "pk") if text else near.none()
    return choice_of(request, "device", every, found, note_of_device)


def note_of_device(device: Device) -> str:
    told = (device.serial_number, f"{device.platform} {device.os_version}".strip())
    owner = str(device.owner or "")
    return " · ".join(filter(None, (*told, owner, f"in {device.network}")))


def choice_of(
    request: AdminRequest,
    name: str,
    every: QuerySet[Any, Any],
    matching: QuerySet[Any, Any],
    note_of: Callable[[Any], str],
) -> Choice:
    chosen = row_of(every, request.GET.get(name, ""))
    rows = [] if chosen else list(matching[: SHOWN + 1])
    return Choice(
        name=name,
        chosen=chosen,
        typed=typed(request.GET, name),
        found=[
            Found(str(row), note_of(row), address(request.GET, name, row.pk))
            for row in rows[:SHOWN]
        ],
        has_more=len(rows) > SHOWN,
        change_url=address(request.GET, name, None),
        carried=carried(request.GET, name),
    )


def row_of(rows: QuerySet[Any, Any], text: str) -> Any:
    """None for what is no id, or none of a row that this admin sees."""
    is_id = text.isascii() and text.isdigit() and len(text) < LONGEST_ID
    return rows.filter(pk=int(text)).first() if is_id else None


def typed(params: QueryDict, name: str) -> str:
    return params.get(f"{name}_q", "").replace("\0", "").strip()


def address(params: QueryDict, name: str, chosen: int | None) -> str:
    """The same page with this one chosen, or (None) to be chosen anew."""
    query = dict(carried(params, name))
    if chosen is not None:
        query[name] = str(chosen)
    return f"?{urlencode(query)}"


def carried(params: QueryDict, name: str) -> list[tuple[str, str]]:
    others = (each for each in PARAMETERS if each not in (name, f"{name}_q"))
    return [(each, value) for each in others if (value := params.get(each, ""))]
