"""A device's page: who it is, which apps and licenses it has and why, and what happened to it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from licensing.devices.apps import apps_not_for, apps_of
from licensing.devices.history import commands_of, events_of
from licensing.devices.identity import facts_of, tags_of
from licensing.devices.licenses import licenses_of
from licensing.forms.device_details import DeviceEditForm
from licensing.tables.happenings import history_of
from licensing.views.devices import acts_of, suggested_owners
from organizations.access import AdminRequest, organization_view
from organizations.devices.editing import edit_device, tag_names
from organizations.forms import done
from organizations.models import Device, Organization
from vpp_accounts.permissions import READ_ONLY

NOT_YOURS = "You may not change devices of this network. Ask an admin who may."


@require_safe
@organization_view()
def device_detail(
    request: AdminRequest, organization: Organization, device_id: int
) -> HttpResponse:
    device = device_or_404(request, device_id)
    membership = request.membership
    events = events_of(device, membership)
    licenses = licenses_of(device, membership)
    rows = apps_of(device, membership, licenses)
    context = {
        "organization": organization,
        "device": device,
        "facts": facts_of(device, events),
        "tags": tags_of(device),
        "apps": rows,
        "others": apps_not_for(device, membership, rows),
        "licenses": licenses,
        "commands": commands_of(device, membership),
        "history": history_of(device, membership, events),
        **buttons_of(request, device),
    }
    return render(request, "licensing/device_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def device_edit(request: AdminRequest, organization: Organization, device_id: int) -> HttpResponse:
    """Whoever may not write sees the same, and cannot send it."""
    device = device_or_404(request, device_id)
    obstacle = obstacle_of(request, device)
    form = DeviceEditForm(
        request.POST or None,
        device=device,
        organization=organization,
        tags=" ".join(tag_names(device)),
        knows_owners=request.membership.sees_organization,
    )
    edit = partial(edit_device, by=request.actor, device=device)
    if request.method == "POST" and obstacle:
        raise PermissionDenied(obstacle)
    if done(form, lambda: edit(details=form.details)):
        messages.success(request, f"{form.cleaned_data['name'] or device} is saved.")
        return redirect("licensing:device_detail", organization.pk, device.pk)
    context = {
        "organization": organization,
        "device": device,
        "form": form,
        "obstacle": obstacle,
        "owners": suggested_owners(request.membership),
    }
    return render(request, "licensing/device_edit.html", context)


def device_or_404(request: AdminRequest, device_id: int) -> Device:
    visible = Device.objects.visible_to(request.membership)
    named = visible.select_related("network", "owner", "organization")
    return get_object_or_404(named, pk=device_id)


def obstacle_of(request: AdminRequest, device: Device) -> str:
    """Why this admin cannot change this device; empty where they can."""
    if not request.membership.can_write_somewhere:
        return READ_ONLY
    is_theirs = Device.objects.writable_by(request.membership).filter(pk=device.pk).exists()
    return "" if is_theirs else NOT_YOURS


def buttons_of(request: AdminRequest, device: Device) -> dict[str, Any]:
    """Those of the list, for this one device."""
    obstacle = obstacle_of(request, device)
    found = acts_of(request.membership, obstacle, f"?device={device.pk}")
    return {**found, "obstacle": obstacle}
