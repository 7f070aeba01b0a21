"""Systems Manager > Manage > VPP, tab Activity: what happened to accounts and licenses."""

from __future__ import annotations

from django.db.models import Q
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from licensing.models import LicensedApp
from licensing.tables import VppActivityList
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import AuditEvent, Membership, Organization
from organizations.models.audit import AuditEventQuerySet
from vpp_accounts.models import VppAccount

KINDS = ("vppaccount", "licensedapp")


@require_safe
@organization_view()
def vpp_activity(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    accounts = list(VppAccount.objects.open_to(request.membership))
    listing = VppActivityList(request.GET, events_for(request.membership, accounts), accounts)
    if listing.wants_csv:
        return listing.csv_response("vpp-activity", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "licensing/vpp_activity.html", context)


def events_for(membership: Membership, accounts: list[VppAccount]) -> AuditEventQuerySet:
    """Without the titles of accounts whose licenses this admin may not see."""
    events = AuditEvent.objects.visible_to(membership).filter(target_kind__in=KINDS)
    closed = LicensedApp.objects.filter(organization=membership.organization_id).exclude(
        account__in=[account.pk for account in accounts]
    )
    return events.exclude(Q(target_kind="licensedapp", target_id__in=closed.values("pk")))
