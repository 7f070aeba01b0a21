"""Manage > Apps: what goes where, for another MDM; and what is asked of one app on one device."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from apps_catalog.installations import exporting
from apps_catalog.installations.asking import Asked, ask_install, ask_removal, retry
from apps_catalog.models import Installation, ManagedApp
from organizations.access import AdminRequest, organization_view
from organizations.lists import csv_response, iter_chunks
from organizations.models import Device, Organization
from organizations.network_choice import chosen_network

Ask = Callable[..., Asked]


@require_safe
@organization_view()
def app_installs(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    rows = exporting.wanted(request.membership)
    if network := chosen_network(request):
        rows = rows.filter(managed_app__network=network)
    chunks = (
        [tuple(exporting.row_of(row).values()) for row in chunk]
        for chunk in iter_chunks(rows, ("pk",))
    )
    return csv_response("installs", exporting.LABELS, chunks, zone=organization.zone)


@require_POST
@organization_view(network_writes=True)
def installation_install(
    request: AdminRequest, organization: Organization, installation_id: int
) -> HttpResponse:
    return _asked(request, installation_id, ask_install, "The install is asked for.")


@require_POST
@organization_view(network_writes=True)
def installation_retry(
    request: AdminRequest, organization: Organization, installation_id: int
) -> HttpResponse:
    return _asked(request, installation_id, retry, "It is tried again.")


@require_POST
@organization_view(network_writes=True)
def installation_remove(
    request: AdminRequest, organization: Organization, installation_id: int
) -> HttpResponse:
    return _asked(request, installation_id, ask_removal, "The removal is asked for.")


def _asked(request: AdminRequest, installation_id: int, ask: Ask, done: str) -> HttpResponse:
    installation = _ours(request, installation_id)
    devices = Device.objects.filter(pk=installation.device_id)
    asked = ask(by=request.actor, managed_app=installation.managed_app, devices=devices)
    _tell(request, asked, done)
    return redirect("licensing:device_detail", installation.organization_id, installation.device_id)


def _ours(request: AdminRequest, installation_id: int) -> Installation:
    visible = Installation.objects.visible_to(request.membership)
    rows = visible.select_related("managed_app__app", "managed_app__organization")
    installation = get_object_or_404(rows, pk=installation_id)
    writable = ManagedApp.objects.writable_by(request.membership)
    if not writable.filter(pk=installation.managed_app_id).exists():
        raise PermissionDenied
    return installation


def _tell(request: AdminRequest, asked: Asked, done: str) -> None:
    if asked.asked:
        messages.success(request, done)
    elif asked.already:
        messages.info(request, "There is nothing to do: it is so already, or under way.")
    for reason in asked.cannot:
        messages.error(request, f"{reason.sentence} {reason.fix}".strip())
