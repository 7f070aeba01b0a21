"""What happened: Organization > Activity, and the tab Activity of Systems Manager > Manage > VPP."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from licensing.models import events_visible_to
from licensing.tables import EventList
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Organization
from vpp_accounts.models import VppAccount

ABOUT_VPP = ("vppaccount", "licensedapp")
VPP_AREAS = (
    ("vpp_account.", "VPP accounts, syncs"),
    ("title.", "Titles, counts"),
    ("assignment.", "Assignments"),
)
AREAS = (
    *VPP_AREAS,
    ("network.", "Networks"),
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
        events_visible_to(request.membership).filter(target_kind__in=ABOUT_VPP),
        request.membership,
        accounts=VppAccount.objects.open_to(request.membership),
        areas=VPP_AREAS,
    )
    if listing.wants_csv:
        return listing.csv_response("vpp-activity", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "licensing/vpp_activity.html", context)
