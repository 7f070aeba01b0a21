"""Monitor > Devices > Import: a file is uploaded, looked at row by row, and confirmed."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.devices import importing
from organizations.forms import done
from organizations.forms.device_imports import DeviceImportForm
from organizations.lists import render_listing
from organizations.models import DeviceImport, Network, Organization
from organizations.network_choice import chosen_network
from organizations.tables.device_imports import COLUMNS, DeviceImportWords, DeviceRowList
from organizations.views.imports import (
    RECENT,
    news,
    refuse_network_admins,
    start_once,
    tell_refusal,
    template_file,
)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def device_import_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    networks = Network.objects.visible_to(request.membership).order_by("name", "pk")
    form = DeviceImportForm(
        *((request.POST, request.FILES) if request.method == "POST" else ()),
        networks=networks,
        locked=not request.membership.can_write,
        initial={"network": chosen_network(request) or only_one(networks)},
    )
    begun: list[DeviceImport] = []

    def start() -> None:
        begun.append(
            start_once(request, imports_of(request), importing.start_import, **form.details)
        )

    if form.is_bound and done(form, start):
        return redirect("organizations:device_import_detail", organization.pk, begun[0].pk)
    recent = imports_of(request).order_by("-created_at")[:RECENT]
    context = {
        "organization": organization,
        "form": form,
        "columns": COLUMNS,
        "recent": [DeviceImportWords(each) for each in recent],
    }
    return render(request, "organizations/device_import_add.html", context)


@require_safe
@organization_view()
def device_import_template(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    return template_file("devices", COLUMNS)


@require_safe
@organization_view()
def device_import_detail(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponseBase:
    words = DeviceImportWords(import_or_404(request, import_id))
    if request.htmx and "stand" in request.GET:
        return news(request, words)
    listing = DeviceRowList(request.GET, words)
    if listing.wants_csv:
        return listing.csv_response("device-import", zone=organization.zone)
    context = {
        "organization": organization,
        "words": words,
        "after": "organizations/_device_import_after.html",
    }
    return render_listing(request, listing, "organizations/device_import_detail.html", context)


@require_POST
@organization_view()
def device_import_confirm(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    file_import = import_or_404(request, import_id)
    confirm_missing = bool(request.POST.get("confirm_missing"))
    tell_refusal(
        request,
        lambda: importing.confirm(
            by=request.actor, file_import=file_import, confirm_missing=confirm_missing
        ),
    )
    return redirect("organizations:device_import_detail", organization.pk, file_import.pk)


@require_POST
@organization_view()
def device_import_cancel(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    file_import = import_or_404(request, import_id)
    tell_refusal(request, lambda: importing.cancel(by=request.actor, file_import=file_import))
    return redirect("organizations:device_import_detail", organization.pk, file_import.pk)


def only_one(networks: QuerySet[Network]) -> Network | None:
    found = list(networks[:2])
    return found[0] if len(found) == 1 else None


def imports_of(request: AdminRequest) -> QuerySet[DeviceImport]:
    """Without the files, which have up to 20 MB."""
    ours = DeviceImport.objects.visible_to(request.membership)
    return ours.select_related("network").defer("file")


def import_or_404(request: AdminRequest, import_id: uuid.UUID) -> DeviceImport:
    file_import: DeviceImport = get_object_or_404(imports_of(request), pk=import_id)
    return file_import
