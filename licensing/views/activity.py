"""What happened: Organization > Activity, and the tab Activity of Systems Manager > Manage > VPP."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from licensing.foreign import see
from licensing.models import events_visible_to
from licensing.tables import EventList, event_rows
from licensing.tables.event_details import sides
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Organization
from vpp_accounts.models import VppAccount

ABOUT_VPP = Q(
    target_kind__in=("vppaccount", "licensedapp", "batch", "vppuser", "licensingsettings")
)
VPP_AREAS = (
    ("vpp_account.", "VPP accounts, syncs"),
    ("vpp_account.sync", "Syncs"),
    ("title.", "Titles, counts"),
    ("assignment.", "Licenses"),
    ("batch.", "Batches"),
    ("vpp_user.", "People"),
    ("vpp_settings.", "Settings"),
)
AREAS = (
    *VPP_AREAS,
    ("network.", "Networks"),
    ("owner.", "Owners"),
    ("tag.", "Tags"),
    ("admin.", "Administrators"),
    ("organization.", "Organization"),
    ("api_key.", "API keys"),
    ("access.", "Refused attempts"),
    ("audit.", "The log itself"),
)
KINDS = (
    ("vppaccount", "VPP accounts"),
    ("licensedapp", "Titles"),
    ("vppuser", "People of VPP accounts"),
    ("batch", "Batches"),
    ("network", "Networks"),
    ("owner", "Owners"),
    ("tag", "Tags"),
    ("admin", "Administrators"),
    ("apikey", "API keys"),
    ("organization", "Organization"),
)


@require_safe
@organization_view()
def organization_activity(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = EventList(
        request.GET,
        events_visible_to(request.membership),
        request.membership,
        accounts=VppAccount.objects.open_to(request.membership),
        areas=AREAS,
        kinds=KINDS,
    )
    return download(listing, "activity") or render_listing(
        request, listing, "licensing/organization_activity.html"
    )


@require_safe
@organization_view()
def vpp_activity(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = EventList(
        request.GET,
        events_visible_to(request.membership).filter(ABOUT_VPP),
        request.membership,
        accounts=VppAccount.objects.open_to(request.membership),
        areas=VPP_AREAS,
    )
    context = {"organization": organization}
    return download(listing, "vpp-activity") or render_listing(
        request, listing, "licensing/vpp_activity.html", context
    )


def download(listing: EventList, name: str) -> HttpResponseBase | None:
    """None where the page is asked for."""
    if listing.wants_json_lines:
        return listing.json_lines_response(name)
    return listing.csv_response(name, zone=listing.zone) if listing.wants_csv else None


@require_safe
@organization_view()
def event_detail(request: AdminRequest, organization: Organization, event_id: int) -> HttpResponse:
    event = get_object_or_404(events_visible_to(request.membership), pk=event_id)
    (row,) = event_rows([event], request.membership)
    context = {"row": row, "sides": sides(event, organization.zone)}
    return render(request, "licensing/event_detail.html", context)


@require_POST
@organization_view(own=True)
def foreign_changes_seen(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Hides the notice from this admin, until somebody else changes something again."""
    see(request.membership)
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return redirect(page)
    return redirect(reverse("licensing:vpp_activity", args=[organization.pk]))
