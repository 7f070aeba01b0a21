"""Systems Manager > Manage > VPP, tab Reclaim: licenses that could serve somebody else."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from licensing.managing.drafts import is_number
from licensing.models import LicensedApp, Reclaim
from licensing.models.reclaim import ReclaimQuerySet
from licensing.reclaim import choosing, protection
from licensing.reclaim.telling import why_not_full
from licensing.reclaim.waking import wake_to_look
from licensing.reclaim.worth import worth
from licensing.tables.reclaim import CHOOSABLE, ReclaimList
from licensing.views.selection import Action, make_plan, plan_url
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing, wants_only_list
from organizations.models import Device, Membership, Organization
from organizations.network_choice import chosen_network
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import READ_ONLY
from vpp_accounts.refusals import CannotDo

TAKE, KEEP, PROTECT = "take", "keep", "protect"


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def reclaim(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = list_of(request)
    if request.method == "POST":
        return act(request, listing)
    if listing.wants_csv:
        return listing.csv_response("reclaim", zone=organization.zone)
    context = {
        "organization": organization,
        "actions": actions_for(request.membership),
    }
    if not wants_only_list(request, listing):
        context |= {
            "worth": worth(request.membership),
            "waiting": choosing.waiting_for_decision(request.membership),
            "why_not_full": why_not_full(request.membership),
        }
    return render_listing(request, listing, "licensing/reclaim.html", context)


def list_of(request: AdminRequest) -> ReclaimList:
    rows = Reclaim.objects.visible_to(request.membership)
    if network := chosen_network(request):
        serials = Device.objects.filter(network=network, serial_number__isnull=False)
        rows = rows.filter(holder__in=serials.values("serial_number"))
    accounts = VppAccount.objects.open_to(request.membership).order_by("name", "pk")
    return ReclaimList(request.GET, rows, request.membership, accounts)


def actions_for(membership: Membership) -> list[Action]:
    obstacle = "" if membership.can_write_somewhere else READ_ONLY
    return [
        Action(TAKE, "Take back now", obstacle),
        Action(KEEP, "Keep", obstacle),
        Action(PROTECT, "Protect", why_not_full(membership)),
    ]


def act(request: AdminRequest, listing: ReclaimList) -> HttpResponse:
    """Do with the chosen ones what the pressed button says; taking back shows its plan first."""
    here = f"{request.path}{listing.here_url}"
    rows = chosen_rows(request, listing)
    try:
        if request.POST.get("kind") == TAKE:
            return take(request, rows, here)
        told = carry_out(request, rows)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect(here)


def chosen_rows(request: AdminRequest, listing: ReclaimList) -> ReclaimQuerySet:
    """`holder`: the boxes of the page; `selected`: those of other pages; `all`: whatever matches."""
    posted = request.POST
    ids = [*posted.getlist("holder"), *posted.get("selected", "").split()]
    rows: ReclaimQuerySet = listing.filtered if posted.get("all") else listing.picked(ids)
    return rows.filter(state__in=CHOOSABLE)


def take(request: AdminRequest, rows: ReclaimQuerySet, here: str) -> HttpResponse:
    chosen = choosing.take_now(membership=request.membership, rows=rows)
    return redirect(plan_url(make_plan(request, chosen.account, chosen.wish), back=here))


def carry_out(request: AdminRequest, rows: ReclaimQuerySet) -> str:
    kind = request.POST.get("kind")
    if kind == KEEP:
        number = choosing.keep(by=request.actor, membership=request.membership, rows=rows)
        return f"{number:,} kept. Rules pass over them until the same happens again."
    if kind == PROTECT:
        number = protection.protect(
            by=request.actor,
            membership=request.membership,
            organization=request.membership.organization,
            whom=protection.holding(rows),
            reason="From the list of Reclaim.",
        )
        return f"{number:,} protected: no rule takes these licenses back."
    raise CannotDo("Press one of the buttons above the list to say what is to be done.")


@require_POST
@organization_view(network_writes=True)
def reclaim_look(request: AdminRequest, organization: Organization) -> HttpResponse:
    wake_to_look(organization.pk)
    messages.success(request, "It is being looked for. Load this page again in a moment.")
    return redirect("licensing:reclaim", organization.pk)


@require_POST
@organization_view(network_writes=True)
def reclaim_decide(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponse:
    ours = LicensedApp.objects.visible_to(request.membership).select_related("app", "account")
    key = {"adam_id": adam_id, "pricing_param": pricing_param}
    title = get_object_or_404(ours, account=account_id, **key)
    allow = request.POST.get("decision") == "allow"
    shown = request.POST.get("shown", "")
    try:
        number = choosing.decide(
            by=request.actor,
            membership=request.membership,
            title=title,
            allow=allow,
            shown=int(shown) if is_number(shown) else 0,
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        told = "are being taken back" if allow else "are kept"
        messages.success(request, f"{number:,} licenses of {title.app} {told}.")
    return redirect("licensing:reclaim", organization.pk)
