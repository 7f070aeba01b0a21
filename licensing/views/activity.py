"""What happened: Organization > Activity, and the tab Activity of Systems Manager > Manage > VPP."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from licensing.foreign import see
from licensing.models import events_visible_to
from licensing.tables import EventList
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
    )
    if listing.wants_csv:
        return listing.csv_response("activity", zone=organization.zone)
    return render_listing(request, listing, "licensing/organization_activity.html")


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
    if listing.wants_csv:
        return listing.csv_response("vpp-activity", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "licensing/vpp_activity.html", context)


@require_POST
@organization_view(own=True)
def foreign_changes_seen(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Hides the notice from this admin, until somebody else changes something again."""
    see(request.membership)
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return redirect(page)
    return redirect(reverse("licensing:vpp_activity", args=[organization.pk]))
